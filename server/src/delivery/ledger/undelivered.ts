import type { Handlers } from "@aftercall/contract/api.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import type { undeliveredRoutes } from "@aftercall/contract/routes/undelivered.ts";
import {
  type Held,
  type Undelivered,
  undeliveredReasons,
  type WhyUndelivered,
} from "@aftercall/contract/undelivered.ts";

import { readPage } from "#/db/page.ts";
import type { Db } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { Invalid } from "#/kernel/errors.ts";
import { limits } from "#/kernel/limits.ts";
import { pageOf } from "#/kernel/page.ts";

import { csvOf } from "./csv.ts";
import { type HeldRow, listHeld } from "./held-store.ts";
import { countUndelivered, listUndelivered, type UndeliveredFilter, type UndeliveredRow } from "./undelivered-store.ts";

type UndeliveredRoutes = Pick<
  typeof undeliveredRoutes,
  "listUndelivered" | "countUndelivered" | "exportUndelivered" | "listHeld"
>;

/** The promise in the form of a list: what did not arrive stands here with its reason, what waits with its cause. */
export function undeliveredListHandlers({
  db,
  clock,
}: {
  readonly db: Db;
  readonly clock: Clock;
}): Handlers<UndeliveredRoutes> {
  return {
    async listUndelivered({ tenant, query }) {
      const [before, filter] = [cursorOf(query.cursor), filterOf(query)];
      const rows = await db.inTransaction([tenant], (tx) =>
        readPage(tx, query, before, (probe, page) => listUndelivered(probe, tenant, filter, page)),
      );
      return pageOf(rows, query.limit, showUndelivered, idOf);
    },

    async countUndelivered({ tenant, query }) {
      const rows = await db.inTransaction([tenant], (tx) => countUndelivered(tx, tenant, filterOf(query)));
      const oldest = rows.map((row) => row.oldest_at.getTime()).reduce((a, b) => Math.min(a, b), Infinity);
      const isEmpty = rows.length === 0;
      return {
        total: rows.reduce((sum, { count }) => sum + count, 0),
        oldest_at: isEmpty ? null : new Date(oldest).toISOString(),
        oldest_age_seconds: isEmpty ? null : Math.max(Math.round((clock.now() - oldest) / 1000), 0),
        reasons: rows.map(({ reason, count, oldest_at: oldestAt }) => ({
          reason,
          count,
          oldest_at: oldestAt.toISOString(),
          meaning: undeliveredReasons[reason],
        })),
      };
    },

    async exportUndelivered({ tenant, query }) {
      const page = { before: null, limit: limits.csvRowsMax };
      const rows = await db.inTransaction([tenant], (tx) => listUndelivered(tx, tenant, filterOf(query), page));
      return csvOf(csvColumns, rows.map(showUndelivered));
    },

    async listHeld({ tenant, query }) {
      const before = cursorOf(query.cursor);
      const filter = { endpointId: query.endpoint_id ?? null, cause: query.cause ?? null };
      const rows = await db.inTransaction([tenant], (tx) =>
        readPage(tx, query, before, (probe, page) => listHeld(probe, tenant, filter, page)),
      );
      return pageOf(rows, query.limit, showHeld, (row) => toPublicId("delivery", row.id));
    },
  };
}

const csvColumns = [
  "id",
  "reason",
  "message_id",
  "endpoint_id",
  "type",
  "call_id",
  "attempt_count",
  "accepted_at",
  "undelivered_at",
  "is_resendable",
] as const satisfies readonly (keyof Undelivered)[];

type Query = {
  readonly reason?: WhyUndelivered | undefined;
  readonly endpoint_id?: string | undefined;
  readonly type?: string | undefined;
  readonly call_id?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
};

function filterOf(query: Query): UndeliveredFilter {
  return {
    reasons: query.reason === undefined ? null : [query.reason],
    endpointId: query.endpoint_id ?? null,
    types: query.type === undefined ? null : [query.type],
    callIds: query.call_id === undefined ? null : [query.call_id],
    since: query.since ?? null,
    until: query.until ?? null,
    deliveryIds: null,
    messageIds: null,
  };
}

/** A row of either kind names the place in the list. */
function cursorOf(cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  const id = fromPublicId("delivery", cursor) ?? fromPublicId("message", cursor);
  if (id === null)
    throw new Invalid("The cursor is not one of this list", [{ pointer: "?cursor", detail: "Send next_cursor" }]);
  return id;
}

function idOf(row: UndeliveredRow): string {
  return toPublicId(row.is_delivery ? "delivery" : "message", row.id);
}

function showUndelivered(row: UndeliveredRow): Undelivered {
  return {
    id: idOf(row),
    reason: row.reason,
    message_id: toPublicId("message", row.message_id),
    endpoint_id: row.endpoint_id && toPublicId("endpoint", row.endpoint_id),
    type: row.type,
    call_id: row.call_id && toPublicId("call", row.call_id),
    attempt_count: row.attempt_count,
    accepted_at: row.accepted_at.toISOString(),
    undelivered_at: row.undelivered_at.toISOString(),
    is_resendable: row.is_resendable,
  };
}

function showHeld(row: HeldRow): Held {
  return {
    delivery_id: toPublicId("delivery", row.id),
    message_id: toPublicId("message", row.message_id),
    endpoint_id: toPublicId("endpoint", row.endpoint_id),
    type: row.type,
    call_id: row.call_id && toPublicId("call", row.call_id),
    cause: row.cause,
    blocked_by: row.blocked_by && toPublicId("delivery", row.blocked_by),
    attempt_count: row.attempt_count,
    accepted_at: row.accepted_at.toISOString(),
    age_seconds: row.age_seconds,
    next_attempt_at: row.next_attempt_at?.toISOString() ?? null,
  };
}
