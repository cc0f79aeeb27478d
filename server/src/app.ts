import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import type { FastifyInstance } from "fastify";

import { composeAlarms } from "#/app/alarms.ts";
import { analysisSweep, composeAnalyse, workOnAnalyses } from "#/app/analysis.ts";
import { composeEngines } from "#/app/engines.ts";
import { composeEraser, erasableCalls } from "#/app/erasure.ts";
import { composeHttp } from "#/app/http.ts";
import { composeIntake } from "#/app/intake.ts";
import { pipelineSweep, workOnCalls } from "#/app/pipeline.ts";
import { composeReactions } from "#/app/reactions.ts";
import { composeRecordings } from "#/app/recordings.ts";
import { composeReplayFinished } from "#/app/replay-finished.ts";
import { runSweeps } from "#/app/sweeps.ts";
import { composeTools } from "#/app/tools.ts";
import { composeTracing } from "#/app/tracing.ts";
import { workOnTraining } from "#/app/training.ts";
import { upkeepSweeps, workOnUpkeep } from "#/app/upkeep.ts";
import { enqueuePullsWith, work } from "#/app/work.ts";
import { createBell } from "#/db/bell.ts";
import { checkDurability } from "#/db/durability.ts";
import type { OpenDatabase } from "#/db/open.ts";
import { findsTrigrams, noTrigrams } from "#/db/trigrams.ts";
import { createEndpointBook } from "#/delivery/endpoints/book.ts";
import { sweepPublishedIds } from "#/delivery/messages/publish.ts";
import { createDeliveryWorker } from "#/delivery/worker.ts";
import { sweepIdempotencyKeys } from "#/http/idempotency.ts";
import { closeServer } from "#/http/server.ts";
import { pullLimits } from "#/inbox/pull/limits.ts";
import { pullSource } from "#/inbox/pull/run.ts";
import { queuePulls } from "#/inbox/pull/schedule.ts";
import { runReplay } from "#/inbox/run-replay.ts";
import { sealLogs } from "#/inbox/seal.ts";
import { settleCall } from "#/inbox/settle.ts";
import { sweepUnmatched } from "#/inbox/sweep.ts";
import { startJobs } from "#/jobs/jobs.ts";
import type { Clock } from "#/kernel/clock.ts";
import type { LoadedConfig } from "#/kernel/config.ts";
import { createIds } from "#/kernel/ids.ts";
import { limits } from "#/kernel/limits.ts";
import type { Log } from "#/kernel/log.ts";
import { createMetrics } from "#/kernel/metrics.ts";
import { createGuardedHttp } from "#/kernel/net/http.ts";
import type { Random } from "#/kernel/random.ts";
import { createSecretBox } from "#/kernel/secrets.ts";
import { announceDeliveries } from "#/live/follow.ts";
import { liveLimits } from "#/live/limits.ts";
import { sweepChanges } from "#/live/sweep.ts";
import { recipe } from "#/pipeline/recipe.ts";
import { providers } from "#/providers/index.ts";
import { sweepErasures } from "#/retention/sweep-erasures.ts";
import { createSources } from "#/sources/active.ts";
import { ensureDefaultSources } from "#/sources/defaults.ts";
import { bootstrap } from "#/tenants/bootstrap.ts";
import { createAwaitFeedback } from "#/training/await-feedback.ts";

export type AppOptions = {
  readonly loaded: LoadedConfig;
  readonly database: OpenDatabase;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  /** Names this process in the record of attempts. */
  readonly node?: string;
};

export type App = {
  readonly server: FastifyInstance;
  /** Where it listens: `http://127.0.0.1:4400`. */
  readonly url: string;
  /** Stops accepting, finishes what is open, hands back what is claimed. The database stays open. */
  stop(): Promise<void>;
};

/** The one place where things are constructed and handed to each other. */
export async function startApp({ loaded, database, log, clock, random, node = "aftercall" }: AppOptions): Promise<App> {
  const { config } = loaded;
  const { db, wake } = database;
  const isWorker = config.role !== "api";
  const version = await readVersion();
  const ids = createIds(clock, random);
  const box = createSecretBox(config.secret, random);
  const metrics = createMetrics({ process: true });
  const http = createGuardedHttp({
    // Private networks are open to single tenants only: each request says for whom it is.
    privateTargets: [],
    allowHttp: !config.httpsOnly,
    clock,
    ...(config.httpsProxy !== null && { proxy: { url: config.httpsProxy, noProxy: config.noProxy } }),
  });

  const engines = composeEngines({ config, box, ids, clock, http });

  const durability = await checkDurability(database.appPool);
  if (durability.state === "degraded") {
    log.error({ durability: "degraded", reasons: durability.reasons }, "THE DATABASE MAY LOSE WHAT WAS ACKNOWLEDGED");
    if (config.mode === "production" && !config.allowDegradedDurability) {
      throw new Error(`${durability.reasons.join("; ")} (or set AFTERCALL_ALLOW_DEGRADED_DURABILITY=true)`);
    }
  }

  if (!(await findsTrigrams(database.appPool))) log.error({ search: "degraded", reason: noTrigrams }, "SEARCH IS SLOW");

  const strangers = config.unsignedSources.filter((name) => !providers.some((provider) => provider.name === name));
  if (strangers.length > 0) {
    const known = providers.map((provider) => provider.name).join(", ");
    throw new Error(`AFTERCALL_UNSIGNED_SOURCES names no provider: ${strangers.join(", ")} → use names of: ${known}`);
  }

  const withDevUser = config.mode === "development";
  const { privateTargets, apiKey } = config;
  const { tenantId } = await bootstrap({ db, ids, clock, apiKey, withDevUser, privateTargets });
  await ensureDefaultSources({
    db,
    box,
    ids,
    clock,
    log,
    providers,
    tenantId,
    valueOf: loaded.valueOf,
    unsigned: config.unsignedSources,
    setups: { wonderful: config.wonderfulApiBaseUrl ? { api: { base_url: config.wonderfulApiBaseUrl } } : {} },
  });
  const sources = createSources({ db, box, clock, log, providers, wake });
  const recordings = await composeRecordings({ config, db, http, sources, box, clock, ids, random });
  const definitions = Object.values(work);
  const jobs = await startJobs({ connection: database.connection, definitions, isWorker, log, clock });

  const book = createEndpointBook({ clock, box });
  wake.on("endpoints", (tenant) => book.forget(tenant || null));
  const ring = createBell(db, "changes");
  const delivery = createDeliveryWorker({
    db,
    http,
    clock,
    ids,
    random,
    log,
    metrics,
    book,
    followers: { tell: announceDeliveries, ring },
    onWake: (woken) => wake.on("deliveries", woken),
    onEndpoints: (changed) => wake.on("endpoints", (tenant) => changed(tenant || null)),
    node,
    userAgent: `aftercall/${version}`,
  });
  const react = composeReactions({
    ids,
    clock,
    log,
    jobs,
    book,
    delivery,
    isWorker,
    ring,
    config,
  });
  const stopping = new AbortController();
  const tracing = composeTracing({ config, version, node, clock, log });
  const tools = composeTools({ config, db, clock, engines, recordings: recordings.deps, tracing });
  const deadlineMs = config.trainingAnswerSeconds * 1000;
  const awaitFeedback = createAwaitFeedback({ db, clock, wake, deadlineMs, stopping: stopping.signal });
  const alarms = composeAlarms({ db, clock, ids, book, config });
  const intake = composeIntake({
    db,
    box,
    ids,
    clock,
    log,
    metrics,
    sources,
    react,
    isAnalysing: config.analysis === "on",
    awaitFeedback,
    recordings,
    observe: alarms.observe,
  });

  if (isWorker) {
    await jobs.work(work.settle, async (data) => {
      const after = await db.inTransaction([data.tenantId], (tx) => settleCall(tx, intake.context, data));
      for (const run of after) run();
    });
    const finished = composeReplayFinished({ ids, book });
    await jobs.work(work.replay, (data, { signal }) => runReplay(db, intake.context, data, { signal, finished }));
    const pulling = { db, http, clock, log, sources, batcher: intake.batcher, context: intake.context };
    await jobs.work(work.pull, (data, { signal }) => pullSource(pulling, data, signal));
    await workOnUpkeep({ config, db, jobs, book, clock, ids, log, metrics });
    await workOnCalls({ config, db, jobs, clock, ids, log, react, tools });
    const analysing = { db, ids, clock, log, jobs, recipe, ...tools };
    await workOnAnalyses(analysing);
    await workOnTraining({
      ...{ db, clock, log, random, ids, http, sources, jobs, context: intake.context },
      analyse: composeAnalyse(analysing),
      enginesOf: tools.enginesOf,
      isAnalysing: config.analysis === "on",
      operator: {
        tenantId,
        baseUrl: config.wonderfulApiBaseUrl,
        http: engines.engines.httpFor({ origin: "installation" }),
      },
    });
    delivery.start();
  }
  const sweeps = [
    { name: "waiting events", everyMs: limits.unmatchedSweepMs, run: () => sweepUnmatched(db, intake.context) },
    { name: "pulls", everyMs: pullLimits.sweepMs, run: () => queuePulls(db, clock, enqueuePullsWith(jobs, clock)) },
    { name: "seals", everyMs: limits.sealEveryMs, run: () => sealLogs(db) },
    {
      name: "erasures",
      everyMs: limits.erasureSweepMs,
      run: () =>
        sweepErasures({
          db,
          ...composeEraser({ ids, clock, react }),
          ...erasableCalls,
          removeBlob: recordings.deps.blobs.remove,
        }),
    },
    { name: "live changes", everyMs: liveLimits.sweepMs, run: () => sweepChanges(db) },
    { name: "ids of messages", everyMs: limits.keptSweepMs, run: () => sweepPublishedIds(db, clock) },
    { name: "idempotency keys", everyMs: limits.keptSweepMs, run: () => sweepIdempotencyKeys(db) },
    alarms.watching,
    ...upkeepSweeps({ db, jobs, clock }),
    pipelineSweep({ db, jobs, clock }),
    analysisSweep({ db, jobs }),
  ];
  const sweeping = runSweeps(isWorker ? [alarms.counting, ...sweeps] : [alarms.counting], {
    clock,
    log,
    signal: stopping.signal,
  });
  const server = await composeHttp({
    config,
    version,
    database,
    durability,
    log,
    clock,
    ids,
    random,
    box,
    metrics,
    http,
    sources,
    recordings,
    operatorTenantId: tenantId,
    jobs,
    book,
    engines,
    delivery: isWorker ? delivery : null,
    intake,
    isAccepting: () => !stopping.signal.aborted,
  });
  const stop = async (): Promise<void> => {
    stopping.abort();
    await closeServer(server, clock, limits.drainMs - 5_000);
    await intake.batcher.idle();
    await Promise.all([delivery.stop(limits.drainMs - 10_000), jobs.stop(), sweeping]);
    await alarms.counting.run().catch(() => {});
    await Promise.all([http.close(), engines.close(), recordings.close(), tracing?.close()]);
  };
  const url = await server.listen({ port: config.port, host: config.host }).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { server, url, stop };
}

async function readVersion(): Promise<string> {
  const file = fileURLToPath(new URL("../package.json", import.meta.url));
  const manifest: unknown = JSON.parse(await readFile(file, "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest ? String(manifest.version) : "0";
}
