import type { Event, EventDetail, Quarantined, Replay } from "@aftercall/contract/event.ts";
import { toPublicId } from "@aftercall/contract/id.ts";

import type { LoggedDetail, LoggedEvent } from "./log-store.ts";
import type { QuarantineRow } from "./quarantine-store.ts";
import type { ReplayRow } from "./replay-store.ts";
import { blankSecrets } from "./secrets-in-bodies.ts";
import type { ApplicationRow } from "./store.ts";

/** An event as the API shows it. */
export function showEvent(row: LoggedEvent): Event {
  return {
    id: toPublicId("event", row.id),
    source_id: toPublicId("source", row.source_id),
    provider: row.provider,
    type: row.type,
    key: row.key,
    occurred_at: row.occurred_at?.toISOString() ?? null,
    received_at: row.received_at.toISOString(),
    route: row.route,
    verification: row.verification,
    effect: row.effect,
    call_id: row.call_id && toPublicId("call", row.call_id),
    status_after: row.status_after,
    outcome_after: row.outcome_after,
    problem: row.problem,
    seen_count: row.seen_count,
    differing_count: row.differing_count,
    is_waiting: row.is_waiting,
    body_bytes: row.body_bytes,
  };
}

/** The same with headers and body; what providers put into bodies to control live calls is blanked. */
export function showEventDetail(
  row: LoggedDetail,
  applications: readonly (ApplicationRow & { readonly at: Date })[],
): EventDetail {
  return {
    ...showEvent(row),
    url: row.url,
    content_type: row.content_type,
    headers: Object.fromEntries(Object.entries(row.headers).map(([name, values]) => [name, [...values]])),
    body: blankSecrets(row.body),
    applications: applications.map((one) => ({
      cause: one.cause,
      call_id: one.call_id && toPublicId("call", one.call_id),
      status_after: one.status_after,
      outcome_after: one.outcome_after,
      problem: one.problem,
      at: one.at.toISOString(),
    })),
  };
}

export function showQuarantined(row: Omit<QuarantineRow, "body" | "sealed_headers">): Quarantined {
  return {
    id: toPublicId("quarantined", row.id),
    source_id: toPublicId("source", row.source_id),
    provider: row.provider,
    route: row.route,
    reason: row.reason,
    detail: row.detail,
    received_at: row.received_at.toISOString(),
    body_bytes: row.body_bytes,
    replayed_at: row.replayed_at?.toISOString() ?? null,
    replay_result: row.replay_result,
  };
}

export function showReplay(row: ReplayRow): Replay {
  return {
    id: toPublicId("replay", row.id),
    state: row.state,
    filter: { ...row.filter },
    changed_count: row.changed_count,
    unchanged_count: row.unchanged_count,
    problem_count: row.problem_count,
    created_at: row.created_at.toISOString(),
    finished_at: row.finished_at?.toISOString() ?? null,
  };
}
