import { createHash } from "node:crypto";

import type { z } from "zod";

import { limits } from "#/kernel/limits.ts";

/** A kind of background work. */
export type Job<Data = unknown> = {
  /** `<folder>.<verb>`: `inbox.replay`. */
  readonly name: string;
  /** What a job carries: ids, the tenant's among them; never content, which would outlive its deletion here. */
  readonly data: z.ZodType<Data>;
  /** How many run at once in one process; where they are done together, how many batches. */
  readonly concurrency: number;
  /** How many are done together at most. */
  readonly batch: number;
  /** A run that takes longer is given up and tried again, in seconds. */
  readonly expireSeconds: number;
  /** Tries after the first; between them 1, 2, 4 … seconds with jitter, up to an hour. */
  readonly retriesMax: number;
};

/** Describes a kind of work once, for those who queue it and those who do it. */
export function defineJob<Data>(
  job: Pick<Job<Data>, "name" | "data"> & Partial<Pick<Job, "concurrency" | "batch" | "expireSeconds" | "retriesMax">>,
): Job<Data> {
  return { concurrency: 2, batch: 1, expireSeconds: 900, retriesMax: limits.jobRetriesMax, ...job };
}

/** The same parts make the same id, and a job with an id that is there already is not queued again. */
export function jobId(...parts: readonly string[]): string {
  const bytes = createHash("sha256").update(JSON.stringify(parts)).digest().subarray(0, 16);
  bytes[6] = 0x80 | ((bytes[6] ?? 0) & 0x0f); // Version 8: made as we please (RFC 9562).
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Thrown by a handler for what trying again will never mend. The job fails at once, with the reason. */
export class GiveUp extends Error {
  constructor(reason: string, cause?: unknown) {
    super(reason, { cause });
    this.name = "GiveUp";
  }
}
