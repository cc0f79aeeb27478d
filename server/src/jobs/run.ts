import type { Job as Given, JobResult } from "pg-boss";

import type { Clock } from "#/kernel/clock.ts";
import { messageOf } from "#/kernel/errors.ts";
import type { Log } from "#/kernel/log.ts";

import { GiveUp, type Job } from "./define.ts";
import type { Taken } from "./jobs.ts";

/** Runs jobs together, says in one log line what became of each, and tells the queue: done, try again, or give up. */
export async function runJobs<Data>(
  job: Job<Data>,
  given: readonly Given<unknown>[],
  handler: (batch: readonly Taken<Data>[]) => Promise<readonly unknown[]>,
  { log, clock }: { log: Log; clock: Clock },
): Promise<JobResult[]> {
  const started = clock.monotonic();
  const failures = new Map<string, unknown>();
  const batch: Taken<Data>[] = [];
  for (const { id, data, retryCount, signal } of given) {
    const parsed = job.data.safeParse(data);
    if (parsed.success) batch.push({ data: parsed.data, running: { id, tries: retryCount + 1, signal } });
    else failures.set(id, new GiveUp("The data of this job is from another version", parsed.error));
  }
  const results = batch.length === 0 ? [] : await attempt();
  for (const [at, { running }] of batch.entries()) if (results[at] != null) failures.set(running.id, results[at]);
  const ms = Math.round(clock.monotonic() - started);
  return given.map(({ id, retryCount }) => {
    const result = resultOf(id, failures.get(id));
    const line = { job: job.name, id, tries: retryCount + 1, ms, result: result.status };
    if (failures.has(id)) log.warn({ ...line, err: failures.get(id) }, "job");
    else log.info(line, "job");
    return result;
  });

  async function attempt(): Promise<readonly unknown[]> {
    try {
      return await handler(batch);
    } catch (error) {
      return batch.map(() => error);
    }
  }
}

/** `deadletter` ends a job whatever retries it has left. */
function resultOf(id: string, failure: unknown): JobResult {
  if (failure == null) return { id, status: "completed" };
  const status = failure instanceof GiveUp ? "deadletter" : "failed";
  return { id, status, output: { message: messageOf(failure) } };
}
