import type { Actor } from "@aftercall/contract/api.ts";
import { toPublicId } from "@aftercall/contract/id.ts";

import { record } from "#/audit/record.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { messageOf } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { cleanText, jsonbText } from "#/kernel/jsonb.ts";
import { limits } from "#/kernel/limits.ts";
import type { Log } from "#/kernel/log.ts";

import type { Attempted } from "./attempt.ts";
import type { Next } from "./decide.ts";
import { closeDisabled, disableGone, type EndpointRef, type ResultRow, settleDeliveries } from "./queue/store.ts";
import type { HandOff } from "./target.ts";

/** An attempt that was made and what follows from it. */
export type Result = { readonly item: HandOff; readonly attempted: Attempted; readonly next: Next };

export type Settler = {
  /** Resolves when the result is committed, whoever owned the claim by then. */
  add(result: Result): Promise<void>;
  /** Results that are not committed yet. */
  readonly size: number;
};

export type SettlerOptions = {
  readonly db: Db;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly node: string;
  /** Called with each result after its commit. `held`: its claim still held, so it counts. */
  readonly settled: (result: Result, held: boolean) => void;
  /** Called when endpoints were disabled because their receivers are gone. */
  readonly disabled: (endpoints: readonly EndpointRef[]) => void;
};

/**
 * Commits results in groups: one transaction for up to some hundred attempts instead of one for each. While the database
 * cannot be reached results are kept and tried again; their claims are renewed meanwhile, or run out and are sent once more.
 */
export function createSettler(options: SettlerOptions): Settler {
  const { db, clock, log } = options;
  const queue: { readonly result: Result; readonly done: () => void }[] = [];
  let committing = 0;
  let running = false;

  return {
    add(result) {
      return new Promise((done) => {
        queue.push({ result, done });
        if (!running) void run();
      });
    },
    get size() {
      return queue.length + committing;
    },
  };

  async function run(): Promise<void> {
    running = true;
    while (queue.length > 0) {
      if (queue.length < limits.deliveryResultsMax) await clock.sleep(limits.deliveryResultWaitMs);
      const batch = queue.splice(0, limits.deliveryResultsMax);
      committing = batch.length;
      const held = await commitUntilDone(batch.map(({ result }) => result));
      committing = 0;
      for (const { result, done } of batch) {
        options.settled(result, held.has(result.item.deliveryId));
        done();
      }
    }
    running = false;
  }

  async function commitUntilDone(results: readonly Result[]): Promise<Set<string>> {
    for (let failures = 0; ; failures++) {
      try {
        return await commit(results);
      } catch (error) {
        log.error(
          { reason: messageOf(error), results: results.length },
          "results of deliveries not stored, trying again",
        );
        if (isRefusedData(error) && results.length > 1) return commitOneByOne(results);
        if (isRefusedData(error)) return new Set();
        await clock.sleep(Math.min(100 * 2 ** failures, 5_000));
      }
    }
  }

  async function commitOneByOne(results: readonly Result[]): Promise<Set<string>> {
    const held = new Set<string>();
    for (const result of results) for (const id of await commitUntilDone([result])) held.add(id);
    return held;
  }

  async function commit(results: readonly Result[]): Promise<Set<string>> {
    const tenants = [...new Set(results.map(({ item }) => item.tenantId))];
    const rows = results.map(rowOf).toSorted((a, b) => (a.deliveryId < b.deliveryId ? -1 : 1));
    const outcome = await db.inTransaction(tenants, async (tx) => {
      const held = await settleDeliveries(tx, rows, options.node);
      const gone = results.filter(
        ({ item, next }) => next.kind === "undelivered" && next.reason === "gone" && held.has(item.deliveryId),
      );
      return { held, disabled: gone.length > 0 ? await disable(tx, gone) : [] };
    });
    if (outcome.disabled.length > 0) options.disabled(outcome.disabled);
    return outcome.held;
  }

  async function disable(tx: Tx, gone: readonly Result[]): Promise<EndpointRef[]> {
    const disabled = await disableGone(
      tx,
      gone.map(({ item }) => ({ tenantId: item.tenantId, endpointId: item.target.id })),
    );
    for (const { tenantId, endpointId } of disabled) {
      const subject = toPublicId("endpoint", endpointId);
      await record(tx, options.ids, {
        tenant: tenantId,
        actor: system,
        action: "endpoint.disabled",
        subject,
        detail: { reason: "gone" },
      });
    }
    await closeDisabled(tx, [...new Set(disabled.map(({ tenantId }) => tenantId))]);
    return disabled;
  }
}

const system: Actor = { kind: "system", id: "delivery", role: "owner" };

/** SQLSTATE classes 21, 22 and 23: the data itself is refused, trying again changes nothing. */
function isRefusedData(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return /^2[123]/.test(code);
}

function rowOf({ item, attempted, next }: Result): ResultRow {
  return {
    tenantId: item.tenantId,
    deliveryId: item.deliveryId,
    claimId: item.claimId,
    state: next.kind === "retry" || next.kind === "resume" ? "due" : next.kind,
    delayMs: next.kind === "retry" ? next.delayMs : null,
    reason: next.kind === "undelivered" ? next.reason : null,
    isManual: item.isManual,
    number: item.attemptCount + 1,
    startedAtMs: attempted.startedAtMs,
    durationMs: attempted.durationMs,
    status: attempted.status,
    class: attempted.class,
    error: attempted.error === null ? null : cleanText(attempted.error).slice(0, 500),
    responseHeaders: attempted.headers === null ? null : jsonbText(attempted.headers),
    responseBody: attempted.body,
  };
}
