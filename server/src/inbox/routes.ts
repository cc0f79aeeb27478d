import type { Handlers } from "@aftercall/contract/api.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import type { eventRoutes } from "@aftercall/contract/routes/events.ts";

import { record as recordAudit } from "#/audit/record.ts";
import { project } from "#/calls/project.ts";
import type { CallRecord } from "#/calls/record.ts";
import { readPage } from "#/db/page.ts";
import type { Db } from "#/db/transaction.ts";
import type { Tx } from "#/db/transaction.ts";
import { Conflict, Invalid, NotFound } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { pageOf } from "#/kernel/page.ts";

import type { Applied } from "./apply-events.ts";
import { applicationsOf, readEvent, readLog } from "./log-store.ts";
import type { LogPosition } from "./log-store.ts";
import { listQuarantined, loadQuarantined, openQuarantine } from "./quarantine-store.ts";
import type { ReplayQuarantined } from "./replay-quarantined.ts";
import { cancelReplay, countEvents, insertReplay, loadReplay, type ReplayFinished } from "./replay-store.ts";
import { replayEvents } from "./replay.ts";
import { showEvent, showEventDetail, showQuarantined, showReplay } from "./show.ts";
import type { BatchContext } from "./store-batch.ts";
import { loadEvent } from "./store.ts";

export type InboxRouteDeps = {
  readonly db: Db;
  readonly ids: Ids;
  readonly context: BatchContext;
  /** Queues the work of a replay in the transaction that makes it. */
  readonly enqueueReplay: (tx: Tx, work: { tenantId: string; replayId: string }) => Promise<void>;
  readonly replayQuarantined: ReplayQuarantined;
  readonly replayFinished: ReplayFinished;
};

/** The event log, its replays, and the quarantine under /v1. */
export function inboxHandlers({
  db,
  ids,
  context,
  enqueueReplay,
  replayQuarantined,
  replayFinished,
}: InboxRouteDeps): Handlers<typeof eventRoutes> {
  return {
    async listEvents({ tenant, query }) {
      const filter = {
        order: query.order,
        provider: query.provider ?? null,
        type: query.type ?? null,
        callId: query.call ?? null,
        effect: query.effect ?? null,
        isWaiting: query.waiting ?? null,
      };
      const after = query.cursor === undefined ? null : positionOf(query.cursor);
      const found = await db.inTransaction([tenant], (tx) =>
        readPage(tx, query, after, (probe, { before, limit }) =>
          readLog(probe, tenant, { ...filter, after: before, limit }),
        ),
      );
      const page = pageOf(found, query.limit, showEvent, cursorOf);
      const last = found.rows.at(-1);
      // The oldest-first log never ends: its last page has a cursor as well, to go on from when more has been written.
      const next = query.order === "oldest" && !page.has_more && last ? cursorOf(last) : page.next_cursor;
      return { ...page, next_cursor: next };
    },

    async getEvent({ tenant, params }) {
      return db.inTransaction([tenant], async (tx) => {
        const row = await readEvent(tx, tenant, params.id);
        if (!row) throw new NotFound("Event");
        return showEventDetail(row, await applicationsOf(tx, tenant, params.id));
      });
    },

    async replayEvent({ tenant, actor, params }) {
      const { one, afterCommit } = await db.inTransaction([tenant], async (tx) => {
        const stored = await loadEvent(tx, tenant, params.id);
        if (!stored) throw new NotFound("Event");
        const result = await replayEvents(tx, context, [stored]);
        const [one] = result.replayed;
        await recordAudit(tx, ids, {
          tenant,
          actor,
          action: "event.replayed",
          subject: toPublicId("event", stored.id),
          ...sidesOf(one?.applied ?? null),
          detail: { result: one?.result ?? "none" },
        });
        return { one, afterCommit: result.afterCommit };
      });
      for (const run of afterCommit) run();
      const record = one?.applied?.record;
      const seen = record && project(record.state);
      return {
        event_id: toPublicId("event", params.id),
        call_id: record ? toPublicId("call", record.id) : null,
        result: one?.result ?? "none",
        status: seen?.status ?? null,
        outcome: seen?.outcome ?? null,
        problem: one?.problem ?? null,
      };
    },

    async replayEvents({ tenant, actor, body }) {
      const { dry_run: isDryRun, ...filter } = body;
      return db.inTransaction([tenant], async (tx) => {
        const count = await countEvents(tx, tenant, filter);
        if (isDryRun) return { count, replay: null };
        const id = ids.next();
        const row = await insertReplay(tx, { tenantId: tenant, id, filter, actor: `${actor.kind}:${actor.id}` });
        if (!row) throw new NotFound("Replay");
        await enqueueReplay(tx, { tenantId: tenant, replayId: id });
        const subject = toPublicId("replay", id);
        const after = showReplay(row);
        const detail = { count, ...filter };
        await recordAudit(tx, ids, { tenant, actor, action: "replay.created", subject, after, detail });
        return { count, replay: after };
      });
    },

    async getReplay({ tenant, params }) {
      const row = await db.inTransaction([tenant], (tx) => loadReplay(tx, tenant, params.id));
      if (!row) throw new NotFound("Replay");
      return showReplay(row);
    },

    async cancelReplay({ tenant, actor, params }) {
      return db.inTransaction([tenant], async (tx) => {
        if (!(await loadReplay(tx, tenant, params.id))) throw new NotFound("Replay");
        if (!(await cancelReplay(tx, tenant, params.id))) throw new Conflict("The replay is not running any more");
        await recordAudit(tx, ids, {
          tenant,
          actor,
          action: "replay.canceled",
          subject: toPublicId("replay", params.id),
          before: { state: "running" },
          after: { state: "canceled" },
        });
        const row = await loadReplay(tx, tenant, params.id);
        if (!row) throw new NotFound("Replay");
        await replayFinished(tx, row);
        return showReplay(row);
      });
    },

    async listQuarantine({ tenant, query }) {
      const before = query.cursor === undefined ? null : fromPublicId("quarantined", query.cursor);
      const rows = await db.inTransaction([tenant], (tx) =>
        readPage(tx, query, before, (probe, page) =>
          listQuarantined(probe, tenant, { sourceId: query.source ?? null, ...page }),
        ),
      );
      return pageOf(rows, query.limit, showQuarantined, (row) => toPublicId("quarantined", row.id));
    },

    async replayQuarantined({ tenant, actor, params }) {
      const load = (tx: Tx) => loadQuarantined(tx, tenant, params.id);
      const before = await db.inTransaction([tenant], load);
      await replayQuarantined(tenant, params.id);
      return db.inTransaction([tenant], async (tx) => {
        const row = await load(tx);
        if (!before || !row) throw new NotFound("Refused request");
        const subject = toPublicId("quarantined", params.id);
        const sides = { before: showQuarantined(before), after: showQuarantined(row) };
        await recordAudit(tx, ids, { tenant, actor, action: "quarantine.replayed", subject, ...sides });
        return sides.after;
      });
    },

    async replayQuarantine({ tenant, actor, body }) {
      const waiting = await db.inTransaction([tenant], (tx) => openQuarantine(tx, tenant, body.source, body.limit));
      let accepted = 0;
      for (const id of waiting) if (await replayQuarantined(tenant, id)) accepted++;
      const subject = toPublicId("source", body.source);
      const after = { accepted, refused: waiting.length - accepted };
      const sides = { before: { waiting: waiting.length }, after };
      await db.inTransaction([tenant], (tx) =>
        recordAudit(tx, ids, { tenant, actor, action: "quarantine.replayed", subject, ...sides }),
      );
      return after;
    },
  };
}

/** How the call of a replayed event stood before and after; what is known of people in it stays in the call. */
function sidesOf(applied: Applied | null) {
  const sideOf = ({ state, version }: CallRecord) => {
    const { status, outcome } = project(state);
    return { status, outcome, version };
  };
  const known = applied?.work.known ?? null;
  return { before: known && sideOf(known), after: applied ? sideOf(applied.record) : { status: null } };
}

function cursorOf(row: { readonly xid: string; readonly seq: number }): string {
  return Buffer.from(`${row.xid}.${row.seq}`).toString("base64url");
}

function positionOf(cursor: string): LogPosition {
  const form = /^(\d{1,20})\.(\d{1,19})$/.exec(Buffer.from(cursor, "base64url").toString("latin1"));
  if (!form?.[1] || !form[2]) {
    throw new Invalid("The cursor is not one of ours", [
      { pointer: "?cursor", detail: "Use the next_cursor of an answer, unchanged" },
    ]);
  }
  return { xid: form[1], seq: form[2] };
}
