import type { Actor, Handlers } from "@aftercall/contract/api.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import { type ResendRefusals, resendLimits } from "@aftercall/contract/resend.ts";
import type { undeliveredRoutes } from "@aftercall/contract/routes/undelivered.ts";

import { type Deed, record } from "#/audit/record.ts";
import { readPage } from "#/db/page.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { Conflict, Invalid, NotFound } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { pageOf } from "#/kernel/page.ts";

import type { EndpointBook } from "../endpoints/book.ts";
import { countFailed, nextFailed } from "./failed-store.ts";
import { countMissing } from "./missing.ts";
import { readRequest } from "./request.ts";
import type { EnqueueResend } from "./run.ts";
import type { Candidate, Selection } from "./selection.ts";
import { showFilter, showItem, showResend } from "./show.ts";
import * as store from "./store.ts";
import { tellResendFinished } from "./tell.ts";

export type ResendDeps = {
  readonly db: Db;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly book: EndpointBook;
  readonly enqueueResend: EnqueueResend;
  /** How long the bytes of messages are kept. */
  readonly messageBodiesDays: number;
};

type ResendRoutes = Pick<
  typeof undeliveredRoutes,
  "createResend" | "listResends" | "getResend" | "pauseResend" | "resumeResend" | "cancelResend"
>;

/** Many messages once more: counted first, then sent at a rate, held, continued and ended at will. */
export function resendHandlers(deps: ResendDeps): Handlers<ResendRoutes> {
  const { db, ids, clock, book, enqueueResend } = deps;
  return {
    async createResend({ tenant, actor, body }) {
      const keptSince = new Date(clock.now() - deps.messageBodiesDays * 86_400_000);
      return db.inTransaction([tenant], async (tx) => {
        const { mode, filter, toEndpointId } = await readRequest(tx, tenant, body, keptSince);
        const upperAt = await store.transactionTime(tx);
        const selection = { tenantId: tenant, mode, filter, upperAt, toEndpointId, isForced: body.force };
        const { count, refused, sample } = await countOf(tx, book, selection);
        const counted = { count, refused, sample: sample.map(showItem) };
        if (body.dry_run || count === 0) return { ...counted, resend: null };
        const row = await store.insertResend(tx, {
          tenant_id: tenant,
          id: ids.next(),
          mode,
          filter,
          endpoint_id: toEndpointId,
          is_forced: body.force,
          rate_per_second: body.rate_per_second,
          total_count: count,
          actor: `${actor.kind}:${actor.id}`,
        });
        await enqueueResend(tx, { tenantId: tenant, resendId: row.id, run: row.run_count });
        const detail = { mode, count, ...showFilter(filter, filter.endpointId ?? toEndpointId), force: body.force };
        await audit(tx, { tenant, actor }, "resend.created", row, { detail, after: showResend(row, undefined) });
        return { ...counted, resend: showResend(row, undefined) };
      });
    },

    async listResends({ tenant, query }) {
      const before = query.cursor === undefined ? null : fromPublicId("resend", query.cursor);
      if (query.cursor !== undefined && before === null) {
        throw new Invalid("The cursor is not one of this list", [{ pointer: "?cursor", detail: "Send next_cursor" }]);
      }
      return db.inTransaction([tenant], async (tx) => {
        const state = query.state ?? null;
        const found = await readPage(tx, query, before, (probe, page) =>
          store.listResends(probe, tenant, { state, ...page }),
        );
        const outcomes = await store.outcomesOf(
          tx,
          tenant,
          found.rows.map(({ id }) => id),
        );
        return pageOf(
          found,
          query.limit,
          (row) => showResend(row, outcomes.get(row.id)),
          (row) => toPublicId("resend", row.id),
        );
      });
    },

    async getResend({ tenant, params }) {
      return db.inTransaction([tenant], async (tx) => {
        const row = await store.findResend(tx, tenant, params.id);
        if (!row) throw new NotFound("Resend");
        return shown(tx, row);
      });
    },

    pauseResend: ({ tenant, actor, params }) =>
      changing(tenant, params.id, async (tx, row) => {
        if (row.state !== "running") throw new Conflict(`The resend is not running: it is ${row.state}`);
        await store.holdUnsent(tx, row);
        const paused = await store.setState(tx, row, "paused");
        await audit(tx, { tenant, actor }, "resend.paused", row, statesOf(row, paused));
        return paused;
      }),

    resumeResend: ({ tenant, actor, params }) =>
      changing(tenant, params.id, async (tx, row) => {
        if (row.state !== "paused") throw new Conflict(`The resend is not paused: it is ${row.state}`);
        await store.releaseHeld(tx, row);
        const running = await store.setState(tx, row, "running");
        await enqueueResend(tx, { tenantId: tenant, resendId: row.id, run: running.run_count });
        await audit(tx, { tenant, actor }, "resend.resumed", row, statesOf(row, running));
        return running;
      }),

    cancelResend: ({ tenant, actor, params }) =>
      changing(tenant, params.id, async (tx, row) => {
        const waiting = (await store.outcomesOf(tx, tenant, [row.id])).get(row.id)?.waiting ?? 0;
        if (row.state === "canceled") throw new Conflict("The resend was canceled before");
        if (row.state === "done" && waiting === 0)
          throw new Conflict("The resend is over: nothing of it waits any more");
        const canceled = await store.cancelWaiting(tx, row);
        const ended = await store.setState(tx, row, "canceled");
        const sides = statesOf(row, ended);
        await audit(tx, { tenant, actor }, "resend.canceled", row, { ...sides, detail: { canceled } });
        // One that was through, and whose deliveries still waited, was told before.
        if (row.finished_at === null) await tellResendFinished(tx, { ids, book }, tenant, row.id);
        return ended;
      }),
  };

  async function changing(
    tenant: string,
    id: string,
    work: (tx: Tx, row: store.ResendRow) => Promise<store.ResendRow>,
  ) {
    return db.inTransaction([tenant], async (tx) => {
      const row = await store.lockResend(tx, tenant, id);
      if (!row) throw new NotFound("Resend");
      return shown(tx, await work(tx, row));
    });
  }

  async function audit(
    tx: Tx,
    { tenant, actor }: { tenant: string; actor: Actor },
    action: string,
    row: store.ResendRow,
    what: Pick<Deed, "before" | "after" | "detail">,
  ): Promise<void> {
    await record(tx, ids, { tenant, actor, action, subject: toPublicId("resend", row.id), ...what });
  }
}

function statesOf(before: store.ResendRow, after: store.ResendRow) {
  return { before: { state: before.state }, after: { state: after.state } };
}

async function shown(tx: Tx, row: store.ResendRow) {
  return showResend(row, (await store.outcomesOf(tx, row.tenant_id, [row.id])).get(row.id));
}

async function countOf(
  tx: Tx,
  book: EndpointBook,
  selection: Selection,
): Promise<{ count: number; refused: ResendRefusals; sample: readonly Candidate[] }> {
  const refused = { payload_gone: 0, endpoint_disabled: 0, endpoint_deleted: 0, no_endpoint_named: 0 };
  if (selection.mode !== "failed") {
    return { ...(await countMissing(tx, book, selection, resendLimits.sampleMax)), refused };
  }
  const { ok = 0, ...others } = Object.fromEntries(await countFailed(tx, selection));
  const { picks } = await nextFailed(tx, selection, null, resendLimits.sampleMax);
  return { count: ok, refused: { ...refused, ...others }, sample: picks };
}
