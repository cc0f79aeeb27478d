import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { fileURLToPath } from "node:url";

import { routes } from "@aftercall/contract/routes.ts";
import type { FastifyInstance } from "fastify";

import { findCallForUser } from "#/calls/find-for-user.ts";
import { callHandlers } from "#/calls/routes.ts";
import { countForCampaigns, resolveCampaigns } from "#/campaigns/progress.ts";
import { campaignHandlers } from "#/campaigns/routes.ts";
import { registerOutcome } from "#/compat/outcome.ts";
import { checkDurability } from "#/db/durability.ts";
import type { OpenDatabase } from "#/db/open.ts";
import { messagesFor } from "#/delivery/announce.ts";
import { createEndpointBook } from "#/delivery/endpoints/book.ts";
import { deliveryHandlers } from "#/delivery/routes.ts";
import { createDeliveryWorker } from "#/delivery/worker.ts";
import { writeMessages } from "#/delivery/write.ts";
import { registerApi } from "#/http/api.ts";
import { createAuth } from "#/http/auth.ts";
import { registerDocs } from "#/http/docs.ts";
import { createFloodGate } from "#/http/flood.ts";
import { registerHealth } from "#/http/health.ts";
import { registerIntake } from "#/http/intake.ts";
import { registerPages } from "#/http/pages.ts";
import { createRate } from "#/http/rate.ts";
import { closeServer, createServer } from "#/http/server.ts";
import { createBatcher } from "#/inbox/batch.ts";
import { commitBatch } from "#/inbox/commit.ts";
import { createQuarantine } from "#/inbox/quarantine.ts";
import { createReceive } from "#/inbox/receive.ts";
import { registerCallHandler } from "#/inbox/register-call.ts";
import { createReplayQuarantined } from "#/inbox/replay-quarantined.ts";
import { createReread } from "#/inbox/reread.ts";
import { inboxHandlers } from "#/inbox/routes.ts";
import { runReplay } from "#/inbox/run-replay.ts";
import { settleCall } from "#/inbox/settle.ts";
import type { BatchContext } from "#/inbox/store-batch.ts";
import { sweepUnmatched } from "#/inbox/sweep.ts";
import { wakeSession } from "#/inbox/wake-session.ts";
import { jobId } from "#/jobs/define.ts";
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
import { providers } from "#/providers/index.ts";
import { createReact } from "#/reactions.ts";
import { createSources } from "#/sources/active.ts";
import { ensureDefaultSources } from "#/sources/defaults.ts";
import { sourceHandlers } from "#/sources/routes.ts";
import { bootstrap } from "#/tenants/bootstrap.ts";
import { createCredentials } from "#/tenants/keys.ts";
import { tenantHandlers } from "#/tenants/routes.ts";
import { claimSessions } from "#/training/claim.ts";
import { trainingHandlers } from "#/training/routes.ts";
import { attachCall } from "#/training/store.ts";

import { work } from "./jobs-list.ts";

export type AppOptions = {
  readonly loaded: LoadedConfig;
  readonly database: OpenDatabase;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
};

export type App = {
  readonly server: FastifyInstance;
  /** Where it listens: `http://127.0.0.1:4400`. */
  readonly url: string;
  /** Stops accepting, finishes what is open, hands back what is claimed. The database stays open. */
  stop(): Promise<void>;
};

/** The one place where things are constructed and handed to each other. */
export async function startApp({ loaded, database, log, clock, random }: AppOptions): Promise<App> {
  const { config } = loaded;
  const { db, wake } = database;
  const isApi = config.role !== "worker";
  const isWorker = config.role !== "api";
  const ids = createIds(clock, random);
  const box = createSecretBox(config.secret, random);
  const metrics = createMetrics({ process: true });
  const http = createGuardedHttp({
    privateTargets: config.privateTargets,
    allowHttp: true,
    clock,
  });

  const durability = await checkDurability(database.appPool);
  const { tenantId } = await bootstrap({
    db,
    ids,
    clock,
    apiKey: config.apiKey,
    withDevUser: config.mode === "development",
  });
  const setups = { wonderful: config.wonderfulApiBaseUrl ? { base_url: config.wonderfulApiBaseUrl } : {} };
  const { unsignedSources: unsigned } = config;
  await ensureDefaultSources({
    db,
    box,
    ids,
    clock,
    log,
    providers,
    tenantId,
    valueOf: loaded.valueOf,
    unsigned,
    setups,
  });
  const sources = createSources({ db, box, clock, log, providers, wake });
  const jobs = await startJobs({
    connection: database.connection,
    definitions: Object.values(work),
    isWorker,
    log,
    clock,
  });

  const book = createEndpointBook({ clock, box });
  const version = await readVersion();
  const delivery = createDeliveryWorker({
    db,
    http,
    clock,
    ids,
    random,
    log,
    metrics,
    book,
    onWake: (woken) => wake.on("deliveries", woken),
    node: `${hostname()}:${process.pid}`,
    userAgent: `aftercall/${version}`,
  });
  const react = createReact({
    countForCampaigns: async (tx, changes) => ({ changes: await countForCampaigns(tx, changes) }),
    async sendMessages(tx, changes) {
      const roomFor = isWorker ? delivery.roomFor : () => 0;
      const handOffs = await writeMessages(tx, messagesFor(changes), { ids, book, roomFor });
      return { afterCommit: [() => delivery.handOff(handOffs)] };
    },
    async settleLater(tx, changes) {
      const queued = changes.flatMap((change) =>
        change.type === "call.awaiting"
          ? [
              {
                id: jobId("settle", change.tenantId, change.after.id),
                data: { tenantId: change.tenantId, callId: change.after.id },
                startAfterSeconds: config.settleSeconds,
              },
            ]
          : [],
      );
      await jobs.enqueueAll(tx, work.settle, queued);
      return {};
    },
    async queueFeedback(tx, changes) {
      for (const change of changes) {
        if (change.type !== "training.requested") continue;
        const { tenantId: owner, sessionId, callId } = change;
        await attachCall(tx, owner, sessionId, callId);
        const id = jobId("feedback", owner, sessionId);
        await jobs.enqueue(tx, work.feedback, { tenantId: owner, sessionId }, { id });
      }
      return {};
    },
  });
  const context: BatchContext = {
    newId: () => ids.next(),
    now: () => clock.now(),
    reread: createReread(sources),
    hooks: {
      react,
      claimSessions,
      resolveCampaigns: (tx, names) => resolveCampaigns(tx, names, () => ids.next()),
    },
  };
  const batcher = createBatcher(
    (batch) => {
      metrics.intakeBatchSize.observe(batch.length);
      return commitBatch({ db, context, log }, batch);
    },
    {
      clock,
      limits: {
        lanes: limits.lanes,
        eventsMax: limits.batchEventsMax,
        bytesMax: limits.batchBytesMax,
        waitMs: limits.batchWaitMs,
        waitingRequestsMax: limits.waitingRequestsMax,
        waitingBytesMax: limits.waitingBytesMax,
        answerDeadlineMs: limits.answerDeadlineMs,
      },
    },
  );
  const place = (tenant: string, row: string) => ({ tenant, table: "quarantine", row, column: "sealed_headers" });
  const vault = {
    seal: (tenant: string, row: string, text: string) => box.seal(Buffer.from(text), place(tenant, row)),
    open: (tenant: string, row: string, sealed: Buffer) => box.open(sealed, place(tenant, row)).toString(),
  };
  const quarantine = createQuarantine(
    {
      db,
      vault,
      newId: context.newId,
      log,
      onDropped: (provider) => metrics.inboundTotal.inc({ provider, result: "not_kept" }),
    },
    { rowsPerSourceMax: limits.quarantineRowsMax, writesMax: 8, bodyBytesMax: limits.quarantineBodyBytesMax },
  );
  const receive = createReceive({
    sources,
    batcher,
    quarantine,
    clock,
    flood: createFloodGate({ clock }),
    observe(line) {
      metrics.inboundTotal.inc({ provider: line.provider, result: line.result });
      if (line.result === "stored") metrics.intakeSeconds.observe({ provider: line.provider }, line.duration_ms / 1000);
      log.info(line, "webhook");
    },
  });

  if (isWorker) {
    await jobs.work(work.settle, async (data) => {
      const after = await db.inTransaction([data.tenantId], (tx) => settleCall(tx, context, data));
      for (const run of after) run();
    });
    await jobs.work(work.replay, (data, { signal }) => runReplay(db, context, data, signal));
    delivery.start();
  }
  const stopping = new AbortController();
  const sweeping = isWorker ? sweepLoop() : Promise.resolve();

  const server = createServer({
    publicUrl: config.publicUrl,
    trustedProxies: config.trustedProxies,
    log,
    clock,
    ids,
    metrics,
  });
  const credentials = createCredentials({ db, clock });
  const auth = createAuth({ clock, jwtSecret: config.jwtSecret, ...credentials });
  const checks = {
    database: async () => {
      await database.appPool.query("select 1");
      return ok;
    },
    durability: async () =>
      ({
        status: durability.state === "full" ? "ok" : "degraded",
        reason: durability.reasons.join("; ") || null,
      }) as const,
    migrations: async () => ok,
  };
  registerHealth(server, { version, clock, log, metrics, checks, isAccepting: () => !stopping.signal.aborted });
  if (isApi) {
    await registerPages(server, { version, dashboardDir: folder("../../dashboard/src") });
    await registerDocs(server, { docsDir: folder("../../docs") });
    registerIntake(server, {
      providers,
      receive,
      providerOf: async (slug) => (await sources.bySlug(slug))?.provider ?? null,
      publicUrl: config.publicUrl,
    });
    registerOutcome(server, {
      auth,
      findCallForUser: (wanted) => findCallForUser(db, wanted),
      rate: createRate({ perMinute: 1_000, clock }),
      clock,
      log,
    });
    registerApi(server, {
      routes,
      auth,
      handlers: {
        ...tenantHandlers({
          db,
          ids,
          clock,
          random,
          keyKind: config.mode === "production" ? "live" : "dev",
          forgetKeys: credentials.forget,
        }),
        ...sourceHandlers({
          db,
          box,
          ids,
          clock,
          random,
          providers,
          publicUrl: config.publicUrl,
          forgetSources: sources.forget,
        }),
        ...callHandlers({ db }),
        registerCall: registerCallHandler({ db, ids, context }),
        ...inboxHandlers({
          db,
          ids,
          context,
          replayQuarantined: createReplayQuarantined({ db, sources, batcher, vault }),
          enqueueReplay: (tx, data) => jobs.enqueue(tx, work.replay, data, { id: jobId("replay", data.replayId) }),
        }),
        ...campaignHandlers({ db, ids }),
        ...trainingHandlers({ db, ids, wakeSession: (tx, owner, session) => wakeSession(tx, context, owner, session) }),
        ...deliveryHandlers({ db, box, ids, random, http, book }),
      },
    });
  }
  const url = await server.listen({ port: config.port, host: config.host });

  return {
    server,
    url,
    async stop() {
      stopping.abort();
      await closeServer(server, clock, limits.drainMs - 5_000);
      await batcher.idle();
      await Promise.all([delivery.stop(limits.drainMs - 10_000), jobs.stop(), sweeping]);
      await http.close();
    },
  };

  async function sweepLoop(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await sweepUnmatched(db, context);
      } catch (error) {
        log.warn({ err: error }, "sweep of waiting events failed");
      }
      await clock.sleep(limits.unmatchedSweepMs, stopping.signal);
    }
  }
}

const ok = { status: "ok", reason: null } as const;

function folder(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}

async function readVersion(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(folder("../package.json"), "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest
    ? String(manifest.version)
    : "0.0.0";
}
