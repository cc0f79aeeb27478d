import type { Handlers } from "@aftercall/contract/api.ts";
import type { Call } from "@aftercall/contract/call.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import type { Erasure, erasureRoutes } from "@aftercall/contract/routes/erasure.ts";

import { record } from "#/audit/record.ts";
import { readPage } from "#/db/page.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import { Conflict, NotFound } from "#/kernel/errors.ts";
import { pageOf } from "#/kernel/page.ts";

import { eraseCall } from "./erase.ts";
import type { Eraser } from "./erase.ts";
import { listErasures, loadErasure, loadPolicy, savePolicy } from "./erasure-store.ts";
import type { ErasureRow } from "./erasure-store.ts";

export type ErasureDeps = Eraser & {
  readonly db: Db;
  /** A call and its doubles, the call first; null when there is none. */
  readonly callWithDoubles: (tx: Tx, tenantId: string, callId: string) => Promise<string[] | null>;
  readonly holdReason: (tx: Tx, tenantId: string, callId: string) => Promise<string | null>;
  readonly setHold: (tx: Tx, tenantId: string, callId: string, reason: string | null) => Promise<void>;
  readonly showCall: (tx: Tx, tenantId: string, callId: string) => Promise<Call>;
};

/** Erasing calls, and how long they are kept. */
export function erasureHandlers(deps: ErasureDeps): Handlers<typeof erasureRoutes> {
  const { db, ids } = deps;
  return {
    async eraseCall({ tenant, actor, params, query }) {
      const { erasure, afterCommit } = await db.inTransaction([tenant], async (tx) => {
        const [callId, ...doubles] = await found(tx, tenant, params.id);
        const hold = await deps.holdReason(tx, tenant, callId);
        if (hold !== null) {
          throw new Conflict(`This call must be kept: ${hold}. Lift it with PUT /v1/calls/{id}/hold {"reason": null}`);
        }
        const erased = await eraseCall(tx, deps, {
          tenantId: tenant,
          callIds: [callId, ...doubles],
          cause: "request",
          actor: `${actor.kind}:${actor.id}`,
          reason: query.reason ?? null,
        });
        const row = await loadErasure(tx, tenant, erased.id);
        if (!row) throw new NotFound("Erasure");
        const after = show(row);
        const subject = toPublicId("call", callId);
        const detail = { reason: query.reason ?? null };
        await record(tx, ids, { tenant, actor, action: "call.erased", subject, after, detail });
        return { erasure: after, afterCommit: erased.afterCommit };
      });
      for (const run of afterCommit) run();
      return erasure;
    },

    async holdCall({ tenant, actor, params, body }) {
      return db.inTransaction([tenant], async (tx) => {
        const [callId] = await found(tx, tenant, params.id);
        const before = { hold: await deps.holdReason(tx, tenant, callId) };
        await deps.setHold(tx, tenant, callId, body.reason);
        const subject = toPublicId("call", callId);
        const after = { hold: body.reason };
        await record(tx, ids, { tenant, actor, action: "call.hold_changed", subject, before, after });
        return deps.showCall(tx, tenant, callId);
      });
    },

    async listErasures({ tenant, query }) {
      const before = query.cursor === undefined ? null : fromPublicId("erasure", query.cursor);
      const rows = await db.inTransaction([tenant], (tx) =>
        readPage(tx, query, before, (probe, page) => listErasures(probe, tenant, page)),
      );
      return pageOf(rows, query.limit, show, (row) => toPublicId("erasure", row.id));
    },

    getRetention: ({ tenant }) => db.inTransaction([tenant], (tx) => loadPolicy(tx, tenant)),

    setRetention: ({ tenant, actor, body }) =>
      db.inTransaction([tenant], async (tx) => {
        const before = await loadPolicy(tx, tenant);
        await savePolicy(tx, tenant, body);
        const subject = toPublicId("tenant", tenant);
        await record(tx, ids, { tenant, actor, action: "retention.changed", subject, before, after: body });
        return body;
      }),
  };

  async function found(tx: Tx, tenant: string, id: string): Promise<[string, ...string[]]> {
    const [call, ...doubles] = (await deps.callWithDoubles(tx, tenant, id)) ?? [];
    if (call === undefined) throw new NotFound("Call");
    return [call, ...doubles];
  }
}

function show(row: ErasureRow): Erasure {
  return {
    id: toPublicId("erasure", row.id),
    call_id: toPublicId("call", row.call_id),
    cause: row.cause,
    actor: row.actor,
    reason: row.reason,
    counts: { ...row.counts },
    erased_at: row.erased_at.toISOString(),
    finished_at: row.finished_at?.toISOString() ?? null,
  };
}
