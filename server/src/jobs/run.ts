import type { Job as Given, JobResult } from "pg-boss";

import type { Clock } from "#/kernel/clock.ts";
import { messageOf } from "#/kernel/errors.ts";
import type { Log } from "#/kernel/log.ts";

import { GiveUp, type Job } from "./define.ts";
import type { Running } from "./jobs.ts";

/** Runs one job, says in one log line what became of it, and tells the queue: done, try again, or give up. */
export async function runJob<Data>(
  job: Job<Data>,
  given: Given<unknown>,
  handler: (data: Data, running: Running) => Promise<void>,
  { log, clock }: { log: Log; clock: Clock },
): Promise<JobResult> {
  const started = clock.monotonic();
  const tries = given.retryCount + 1;
  const { result, failure } = await attempt();
  const line = {
    job: job.name,
    id: given.id,
    tries,
    ms: Math.round(clock.monotonic() - started),
    result: result.status,
  };
  if (failure === undefined) log.info(line, "job");
  else log.warn({ ...line, err: failure }, "job");
  return result;

  async function attempt(): Promise<{ result: JobResult; failure?: unknown }> {
    const parsed = job.data.safeParse(given.data);
    if (!parsed.success)
      return failed("deadletter", new GiveUp("The data of this job is from another version", parsed.error));
    try {
      await handler(parsed.data, { id: given.id, tries, signal: given.signal });
      return { result: { id: given.id, status: "completed" } };
    } catch (error) {
      return failed(error instanceof GiveUp ? "deadletter" : "failed", error);
    }
  }

  /** `deadletter` ends a job whatever retries it has left. */
  function failed(status: "failed" | "deadletter", error: unknown) {
    return { result: { id: given.id, status, output: { message: messageOf(error) } }, failure: error };
  }
}
