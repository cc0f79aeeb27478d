import type { ClientConfig } from "pg";
import { type ConstructorOptions, type JobInsert, PgBoss } from "pg-boss";

import { appRole, withSettings } from "#/db/connect.ts";
import type { Tx } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { limits } from "#/kernel/limits.ts";
import type { Log } from "#/kernel/log.ts";

import type { Job } from "./define.ts";
import { jobsSchema } from "./install.ts";
import { runJobs } from "./run.ts";

export type Queued<Data> = {
  readonly data: Data;
  /** From {@link jobId}: what is queued already, or was done within the last week, is not queued again. */
  readonly id?: string;
  readonly startAfterSeconds?: number;
};

/** What a handler knows about the job besides its data. */
export type Running = {
  readonly id: string;
  /** 1 for the first. */
  readonly tries: number;
  /** Aborts when the process stops or another one has taken the job over: what is done from then on does not count. */
  readonly signal: AbortSignal;
};

/** One job of several that are done together. */
export type Taken<Data> = { readonly data: Data; readonly running: Running };

export type Jobs = {
  /** Queues work that starts when this transaction commits, and never if it does not. */
  enqueue<Data>(tx: Tx, job: Job<Data>, data: Data, options?: Omit<Queued<Data>, "data">): Promise<void>;
  /** The same for many in one statement: thirty times cheaper than one by one. */
  enqueueAll<Data>(tx: Tx, job: Job<Data>, queued: readonly Queued<Data>[]): Promise<void>;
  /** Does work of this kind from now on. It may be done twice: after a crash, or when it took longer than it may. */
  work<Data>(job: Job<Data>, handler: (data: Data, running: Running) => Promise<void>): Promise<void>;
  /**
   * The same, several at a time: what takes one statement for many is done in one. The handler gives, in the same order, what
   * each job failed with, or null; what it throws is the failure of all of them.
   */
  workTogether<Data>(
    job: Job<Data>,
    handler: (batch: readonly Taken<Data>[]) => Promise<readonly unknown[]>,
  ): Promise<void>;
  /** Takes no more jobs and waits for those that run. What does not end in time is given back. */
  stop(): Promise<void>;
};

export type JobsOptions = {
  /** Same database as the transactions of `enqueue`; the tables are there since it was migrated. */
  readonly connection: ClientConfig;
  /** Every kind of work this version knows: their queues are made and brought up to date here. */
  readonly definitions: readonly Job[];
  /** Whether this process looks after the queues: finds jobs of dead workers, deletes old ones. */
  readonly isWorker: boolean;
  readonly log: Log;
  readonly clock: Clock;
};

/** Background work in the same database as everything else, so that a change and what follows from it commit together. */
export async function startJobs({ connection, definitions, isWorker, log, clock }: JobsOptions): Promise<Jobs> {
  const boss = new PgBoss({
    ...poolSettings(connection),
    application_name: "aftercall jobs",
    schema: jobsSchema,
    max: 4,
    // The owner does these when it migrates; the application's role could not.
    migrate: false,
    createSchema: false,
    reindex: false,
    schedule: false,
    supervise: isWorker,
    monitorVacuum: false,
    // A killed worker's jobs start again within the heartbeat and two of these (12 s measured); the defaults take minutes.
    superviseIntervalSeconds: 2,
    monitorIntervalSeconds: 2,
    useListenNotify: isWorker,
  });
  boss.on("error", (error) => log.warn({ err: error }, "job queue"));
  boss.on("warning", (warning) => log.warn({ warning: warning.message }, "job queue"));
  await boss.start();
  for (const job of definitions) await ensureQueue(boss, job);

  const jobs: Jobs = {
    enqueue: (tx, job, data, options = {}) => jobs.enqueueAll(tx, job, [{ ...options, data }]),
    async enqueueAll(tx, job, queued) {
      if (queued.length === 0) return;
      const db = { executeSql: async (text: string, values?: unknown[]) => ({ rows: await tx.rows(text, values) }) };
      await boss.insert(
        job.name,
        withoutRepeats(queued).map((each) => insertOf(job, each)),
        { db },
      );
    },
    work: (job, handler) =>
      jobs.workTogether(job, (batch) =>
        Promise.all(
          batch.map(({ data, running }) =>
            handler(data, running).then(
              () => null,
              (error: unknown) => error,
            ),
          ),
        ),
      ),
    async workTogether(job, handler) {
      const options = {
        batchSize: job.batch,
        perJobResults: true,
        // New jobs announce themselves; retries and the jobs of the dead do not, and are found by looking.
        pollingIntervalSeconds: 2,
        notifyPollingIntervalSeconds: 2,
      } as const;
      for (let i = 0; i < job.concurrency; i++) {
        const worker = boss.work<unknown, unknown, typeof options>(job.name, options, async (batch) => {
          const results = await runJobs(job, batch, handler, { log, clock });
          // Where one job was there may be more: pg-boss would wait for the next announcement or look.
          boss.notifyWorker(await worker);
          return results;
        });
        await worker;
      }
    },
    stop: () => boss.stop({ graceful: true, timeout: limits.drainMs - 5_000 }),
  };
  return jobs;
}

/**
 * pg-boss opens a pg pool with whatever it is given; its own type names only some of pg's settings. What it writes here, that a job
 * was taken or is done, need not be on disk before the job begins or the next one is taken: after a crash of the database the
 * job is done again. Queueing is part of somebody's transaction and as durable as that.
 */
function poolSettings(connection: ClientConfig): ConstructorOptions {
  return withSettings(connection, { role: appRole, synchronous_commit: "off" }) as ConstructorOptions;
}

/** Creating does nothing to a queue that is there, so what changed in this version is written over it. */
async function ensureQueue(boss: PgBoss, job: Job): Promise<void> {
  const options = {
    retryLimit: job.retriesMax,
    retryDelay: 1,
    retryBackoff: true,
    retryDelayMax: limits.jobRetryDelaySecondsMax,
    expireInSeconds: job.expireSeconds,
    heartbeatSeconds: limits.jobHeartbeatSeconds,
    notify: true,
  };
  await boss.createQueue(job.name, options);
  await boss.updateQueue(job.name, options);
}

function insertOf<Data>(job: Job<Data>, { data, id, startAfterSeconds }: Queued<Data>): JobInsert {
  return {
    data: job.data.parse(data) as object,
    ...(id !== undefined && { id }),
    ...(startAfterSeconds !== undefined && { startAfter: startAfterSeconds }),
  };
}

/** pg-boss refuses a batch that names an id twice. */
function withoutRepeats<Data>(queued: readonly Queued<Data>[]): Queued<Data>[] {
  const seen = new Set<string>();
  return queued.filter(({ id }) => id === undefined || (!seen.has(id) && seen.add(id)));
}
