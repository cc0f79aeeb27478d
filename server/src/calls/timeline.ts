import type { Handlers } from "@aftercall/contract/api.ts";
import { toPublicId } from "@aftercall/contract/id.ts";
import type { CallMoment } from "@aftercall/contract/moment.ts";
import type { callRoutes } from "@aftercall/contract/routes/calls.ts";
import type { TimelineEntry } from "@aftercall/contract/timeline.ts";

import type { Db } from "#/db/transaction.ts";
import { NotFound } from "#/kernel/errors.ts";
import { limits } from "#/kernel/limits.ts";

import { shownMoments } from "./moment-store.ts";
import { loadCall } from "./store.ts";
import * as store from "./timeline-store.ts";

/** `GET /v1/calls/:id/timeline`: what came in about a call, what was done to it, what went out because of it, in order. */
export function timelineHandlers({ db }: { db: Db }): Handlers<Pick<typeof callRoutes, "getTimeline">> {
  return {
    async getTimeline({ tenant, params }) {
      const max = limits.timelineRowsMax;
      const groups = await db.inTransaction([tenant], async (tx) => {
        const call = await loadCall(tx, tenant, params.id);
        if (!call) throw new NotFound("Call");
        const calls = await store.recordsOf(tx, tenant, call.id);
        const events = await store.eventsOf(tx, tenant, calls, max + 1);
        const applications = await store.applicationsOf(tx, tenant, calls, max + 1);
        const messages = await store.messagesOf(tx, tenant, calls, max + 1);
        const messageIds = messages.map((row) => row.message_id);
        const deliveries = await store.deliveriesOf(tx, tenant, messageIds, max + 1);
        const deliveryIds = deliveries.map((row) => row.delivery_id);
        const attempts = await store.attemptsOf(tx, tenant, deliveryIds, max + 1);
        const moments = await shownMoments(tx, call);
        const changes = await store.changesOf(tx, tenant, toPublicId("call", call.id), max + 1);
        // In this order they stand where the moment is the same: a cause before what it caused.
        return [
          moments.flatMap(showMoment),
          events.map(showEvent),
          applications.map((row) => ({
            ...row,
            kind: "application" as const,
            at: row.at.toISOString(),
            event_id: toPublicId("event", row.event_id),
          })),
          changes.map((row) => ({ ...row, kind: "change" as const, at: row.at.toISOString() })),
          messages.map((row) => ({
            ...row,
            kind: "message" as const,
            at: row.at.toISOString(),
            message_id: toPublicId("message", row.message_id),
          })),
          deliveries.map(showDelivery),
          attempts.map((row) => ({
            ...row,
            kind: "attempt" as const,
            at: row.at.toISOString(),
            delivery_id: toPublicId("delivery", row.delivery_id),
          })),
        ] satisfies TimelineEntry[][];
      });
      const entries: TimelineEntry[] = groups.flatMap((group): TimelineEntry[] => group.slice(0, max));
      return {
        data: entries.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)),
        is_truncated: groups.some((group) => group.length > max),
      };
    },
  };
}

/** One whose time nobody knows has no place among the others. */
function showMoment({ id, kind, name, at, at_ms }: CallMoment): TimelineEntry[] {
  return at === null ? [] : [{ kind: "moment", at, moment_id: id, moment: kind, name, at_ms }];
}

function showEvent(row: store.EventRow): TimelineEntry {
  return {
    ...row,
    kind: "event",
    at: row.at.toISOString(),
    event_id: toPublicId("event", row.event_id),
    occurred_at: row.occurred_at?.toISOString() ?? null,
  };
}

function showDelivery(row: store.DeliveryRow): TimelineEntry {
  return {
    ...row,
    kind: "delivery",
    at: row.at.toISOString(),
    delivery_id: toPublicId("delivery", row.delivery_id),
    message_id: toPublicId("message", row.message_id),
    endpoint_id: toPublicId("endpoint", row.endpoint_id),
    finished_at: row.finished_at?.toISOString() ?? null,
  };
}
