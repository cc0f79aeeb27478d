import { toPublicId } from "@aftercall/contract/id.ts";
import type { Resend, ResendItem } from "@aftercall/contract/resend.ts";

import type { Candidate } from "./selection.ts";
import type { Outcome, ResendFilter, ResendRow } from "./store.ts";

export function showResend(row: ResendRow, outcome: Outcome | undefined): Resend {
  return {
    id: toPublicId("resend", row.id),
    mode: row.mode,
    state: row.state,
    filter: showFilter(row.filter, row.mode === "failed" ? row.filter.endpointId : row.endpoint_id),
    to_endpoint_id: row.endpoint_id && toPublicId("endpoint", row.endpoint_id),
    is_forced: row.is_forced,
    rate_per_second: row.rate_per_second,
    total_count: row.total_count,
    resent_count: row.resent_count,
    outcome: {
      delivered: outcome?.delivered ?? 0,
      undelivered: outcome?.undelivered ?? 0,
      waiting: outcome?.waiting ?? 0,
    },
    actor: row.actor,
    created_at: row.created_at.toISOString(),
    finished_at: row.finished_at?.toISOString() ?? null,
  };
}

export function showItem(item: Candidate): ResendItem {
  return {
    message_id: toPublicId("message", item.message_id),
    delivery_id: item.delivery_id && toPublicId("delivery", item.delivery_id),
    endpoint_id: toPublicId("endpoint", item.endpoint_id),
    type: item.type,
    call_id: item.call_id && toPublicId("call", item.call_id),
    accepted_at: item.accepted_at.toISOString(),
  };
}

/** The conditions as they were asked for; those that were not are left out. */
export function showFilter(filter: ResendFilter, endpointId: string | null): Record<string, unknown> {
  const shown = {
    endpoint_id: endpointId && toPublicId("endpoint", endpointId),
    preset: filter.closedReasons && "missed_while_disabled",
    reasons: filter.reasons,
    types: filter.types,
    since: filter.since,
    until: filter.until,
    call_ids: filter.callIds?.map((id) => toPublicId("call", id)),
    delivery_ids: filter.deliveryIds?.map((id) => toPublicId("delivery", id)),
    message_ids: filter.messageIds?.map((id) => toPublicId("message", id)),
  };
  return Object.fromEntries(Object.entries(shown).filter(([, value]) => value !== null && value !== undefined));
}
