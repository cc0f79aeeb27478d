import type { Db } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { messageOf } from "#/kernel/errors.ts";
import { limits } from "#/kernel/limits.ts";
import type { Log } from "#/kernel/log.ts";

import { type CommitContext, commitResults, type Committed } from "./commit-results.ts";
import type { Result } from "./result.ts";

export type Settler = {
  /** Resolves when the result is committed, whoever owned the claim by then. */
  add(result: Result): Promise<void>;
  /** Results that are not committed yet. */
  readonly size: number;
};

export type SettlerOptions = {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly context: CommitContext;
  /** Called with each result after its commit. `held`: its claim still held, so it counts. */
  readonly settled: (result: Result, held: boolean) => void;
  /** Called with what a commit changed beside the results. */
  readonly committed: (committed: Committed) => void;
};

/**
 * Commits results in groups: one transaction for up to some hundred attempts instead of one for each. While the database
 * cannot be reached results are kept and tried again; their claims are renewed meanwhile, or run out and are sent once more.
 */
export function createSettler(options: SettlerOptions): Settler {
  const { db, clock, log, context } = options;
  const queue: { readonly result: Result; readonly done: () => void }[] = [];
  let committing = 0;
  let running = 0;

  return {
    add(result) {
      return new Promise((done) => {
        queue.push({ result, done });
        // A second group only when it is full: while one is being written, further results come together by themselves.
        const isFull = queue.length >= limits.deliveryResultsMax;
        if (running === 0 || (isFull && running < limits.deliverySettlesMax)) void run();
      });
    },
    get size() {
      return queue.length + committing;
    },
  };

  async function run(): Promise<void> {
    running++;
    while (queue.length > 0) {
      if (queue.length < limits.deliveryResultsMax) await clock.sleep(limits.deliveryResultWaitMs);
      const batch = queue.splice(0, limits.deliveryResultsMax);
      if (batch.length === 0) break;
      committing += batch.length;
      const held = await commitUntilDone(batch.map(({ result }) => result));
      committing -= batch.length;
      for (const { result, done } of batch) {
        options.settled(result, held.has(result.item.deliveryId));
        done();
      }
    }
    running--;
  }

  async function commitUntilDone(results: readonly Result[]): Promise<ReadonlySet<string>> {
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

  async function commitOneByOne(results: readonly Result[]): Promise<ReadonlySet<string>> {
    const held = new Set<string>();
    for (const result of results) for (const id of await commitUntilDone([result])) held.add(id);
    return held;
  }

  async function commit(results: readonly Result[]): Promise<ReadonlySet<string>> {
    const tenants = [...new Set(results.map(({ item }) => item.tenantId))];
    const committed = await db.inTransaction(tenants, (tx) => commitResults(tx, results, context));
    for (const endpoint of committed.quiet) context.tally.add(endpoint);
    context.tally.written(committed.counted);
    options.committed(committed);
    return committed.held;
  }
}

/** SQLSTATE classes 21, 22 and 23: the data itself is refused, trying again changes nothing. */
function isRefusedData(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return /^2[123]/.test(code);
}
