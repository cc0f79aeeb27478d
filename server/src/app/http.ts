import { fileURLToPath } from "node:url";

import { routes } from "@aftercall/contract/routes.ts";
import type { FastifyInstance } from "fastify";

import { auditHandlers } from "#/audit/routes.ts";
import { transcriptExportHandlers } from "#/calls/export/routes.ts";
import { findCallForUser } from "#/calls/find-for-user.ts";
import { findInCallHandlers } from "#/calls/find-in-call.ts";
import { callHandlers } from "#/calls/routes.ts";
import { timelineHandlers } from "#/calls/timeline.ts";
import { campaignHandlers } from "#/campaigns/routes.ts";
import { registerOutcome } from "#/compat/outcome.ts";
import { compareMigrations } from "#/db/durability.ts";
import type { Durability } from "#/db/durability.ts";
import type { OpenDatabase } from "#/db/open.ts";
import type { Db } from "#/db/transaction.ts";
import { findsTrigrams, noTrigrams } from "#/db/trigrams.ts";
import { notify } from "#/db/wake.ts";
import type { EndpointBook } from "#/delivery/endpoints/book.ts";
import { closeEndpointsOf } from "#/delivery/endpoints/close.ts";
import { eventTypeHandlers } from "#/delivery/messages/event-types.ts";
import { publishHandlers } from "#/delivery/messages/publish.ts";
import { deliveryHandlers, senderOf } from "#/delivery/routes.ts";
import { undeliveredHandlers } from "#/delivery/undelivered.ts";
import type { DeliveryWorker } from "#/delivery/worker.ts";
import { engineHandlers } from "#/engines/routes.ts";
import { registerApi } from "#/http/api.ts";
import { createAuth } from "#/http/auth.ts";
import { registerCors } from "#/http/cors.ts";
import { createCursors } from "#/http/cursors.ts";
import { registerDocs } from "#/http/docs.ts";
import { guardGuesses } from "#/http/guesses.ts";
import { registerHealth } from "#/http/health.ts";
import type { Check } from "#/http/health.ts";
import { createIdempotency } from "#/http/idempotency.ts";
import { registerIntake } from "#/http/intake.ts";
import { registerOpenApi } from "#/http/openapi.ts";
import { registerPages } from "#/http/pages.ts";
import { createRate } from "#/http/rate.ts";
import { createRates } from "#/http/rates.ts";
import { registerRecordingAudio } from "#/http/recording-audio.ts";
import { createServer } from "#/http/server.ts";
import { registerVersions } from "#/http/versions.ts";
import { importHandlers } from "#/inbox/import/routes.ts";
import { registerCallHandlers } from "#/inbox/register-call.ts";
import { createReplayQuarantined } from "#/inbox/replay-quarantined.ts";
import { inboxHandlers } from "#/inbox/routes.ts";
import { sealHandlers } from "#/inbox/seal-routes.ts";
import { updateCallHandler } from "#/inbox/update-call.ts";
import { wakeSession } from "#/inbox/wake-session.ts";
import { jobId } from "#/jobs/define.ts";
import type { Jobs } from "#/jobs/jobs.ts";
import type { Clock } from "#/kernel/clock.ts";
import type { Config } from "#/kernel/config.ts";
import type { Ids } from "#/kernel/ids.ts";
import { limits } from "#/kernel/limits.ts";
import type { Log } from "#/kernel/log.ts";
import type { Metrics } from "#/kernel/metrics.ts";
import type { GuardedHttp } from "#/kernel/net/http.ts";
import type { Random } from "#/kernel/random.ts";
import { deriveKey, type SecretBox } from "#/kernel/secrets.ts";
import { correctionHandlers } from "#/pipeline/corrections.ts";
import { pipelineHandlers } from "#/pipeline/routes.ts";
import { providers } from "#/providers/index.ts";
import { openRecording } from "#/recordings/read.ts";
import { recordingHandlers } from "#/recordings/routes.ts";
import { findRecording } from "#/recordings/store.ts";
import { erasureHandlers } from "#/retention/erasure-routes.ts";
import { exportHandlers } from "#/retention/export-routes.ts";
import { daysAhead } from "#/retention/store.ts";
import { type Sources, sourcesChanged } from "#/sources/active.ts";
import { sourceHandlers } from "#/sources/routes.ts";
import { disableSourcesOf } from "#/sources/store.ts";
import { createEmbedHandler, createEmbedTokens, type EmbedTokens } from "#/tenants/embed.ts";
import { issuerHandlers } from "#/tenants/issuer-routes.ts";
import { createIssuers } from "#/tenants/issuers.ts";
import { createCredentials } from "#/tenants/keys.ts";
import { memberHandlers } from "#/tenants/members.ts";
import { tenantHandlers } from "#/tenants/routes.ts";
import { usageHandlers } from "#/tenants/usage.ts";
import { trainingHandlers } from "#/training/routes.ts";

import { analysisHandlers, planFor } from "./analysis.ts";
import { composeBridge } from "./bridge.ts";
import type { EngineParts } from "./engines.ts";
import { composeEraser, erasableCalls } from "./erasure.ts";
import type { Intake } from "./intake.ts";
import { composeLive } from "./live.ts";
import type { Recordings } from "./recordings.ts";
import { composeReplayFinished } from "./replay-finished.ts";
import { enqueueCallsWith, enqueueFeedbackWith, enqueueResendWith, work } from "./work.ts";

export type HttpParts = {
  readonly config: Config;
  readonly version: string;
  readonly database: OpenDatabase;
  readonly durability: Durability;
  readonly log: Log;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  readonly box: SecretBox;
  readonly metrics: Metrics;
  readonly http: GuardedHttp;
  readonly sources: Sources;
  readonly recordings: Recordings;
  /** The tenant whose owners run this server. */
  readonly operatorTenantId: string;
  readonly jobs: Jobs;
  readonly book: EndpointBook;
  readonly engines: EngineParts;
  /** Null in a process that does not deliver. */
  readonly delivery: DeliveryWorker | null;
  readonly intake: Intake;
  readonly isAccepting: () => boolean;
};

/** Everything that answers HTTP in this process: health in every role; webhooks, /v1 and pages where the role has them. */
export async function composeHttp(parts: HttpParts): Promise<FastifyInstance> {
  const { config, version, log, clock, ids, metrics } = parts;
  const { publicUrl, trustedProxies } = config;
  const server = createServer({ publicUrl, trustedProxies, log, clock, ids, metrics });
  registerHealth(server, { version, clock, log, metrics, checks: checksOf(parts), isAccepting: parts.isAccepting });
  if (config.role === "worker") return server;
  const allowedOrigins = new Set(config.allowedOrigins.map((origin) => origin.replace(/\/+$/, "")));
  registerCors(server, allowedOrigins);
  registerVersions(server);

  const credentials = createCredentials({ db: parts.database.db, clock });
  const issuers = createIssuers({ db: parts.database.db, clock, http: parts.http });
  const embedKey = deriveKey(config.secret, "embed tokens");
  const embedTokens = createEmbedTokens({ key: embedKey, clock, isAlive: credentials.isAlive });
  const unguarded = createAuth({ clock, jwtSecret: config.jwtSecret, issuers, embedTokens, ...credentials });
  const auth = guardGuesses(unguarded, { clock, perMinute: config.authFailuresPerMinute });
  await registerPages(server, { version, dashboardDir: folder("../../../dashboard/src") });
  await registerDocs(server, { docsDir: folder("../../../docs"), publicUrl, version });
  registerOpenApi(server, { version });
  registerIntake(server, {
    providers,
    receive: parts.intake.receive,
    receiveLarge: parts.intake.receiveLarge,
    providerOf: async (slug) => (await parts.sources.bySlug(slug))?.provider ?? null,
    publicUrl,
  });
  registerOutcome(server, {
    auth,
    findCallForUser: (wanted) => findCallForUser(parts.database.db, wanted),
    rate: createRate({ perMinute: 1_000, clock }),
    clock,
    log,
  });
  const { recordings } = parts;
  const rates = createRates(config, clock);
  registerRecordingAudio(server, {
    auth,
    rates,
    links: recordings.links,
    find: (wanted) => findRecording(recordings.deps.db, wanted),
    open: (row, range) => openRecording(recordings.deps, row, range),
  });
  const sockets = [composeBridge(server, parts)];
  await composeLive(server, {
    ...{ config, allowedOrigins, version, database: parts.database, auth, rates },
    ...{ box: parts.box, ids, clock, log, sockets },
  });
  const idempotency = createIdempotency({ db: parts.database.db, box: parts.box, ids, clock, log });
  const handlers = handlersOf(parts, idempotency.db, { forgetKeys: credentials.forget, embedTokens });
  const cursors = createCursors(deriveKey(config.secret, "cursors"));
  registerApi(server, { routes, auth, handlers, idempotency, cursors, rates });
  return server;
}

type Credentials = { readonly forgetKeys: () => void; readonly embedTokens: EmbedTokens };

function handlersOf(parts: HttpParts, db: Db, { forgetKeys, embedTokens }: Credentials) {
  const { config, clock, ids, random, box, sources, jobs, intake, book, http } = parts;
  const { context, batcher, vault } = intake;
  const keyKind = config.mode === "production" ? ("live" as const) : ("dev" as const);
  return {
    ...tenantHandlers({
      db,
      ids,
      clock,
      random,
      keyKind,
      forgetKeys,
      operatorTenantId: parts.operatorTenantId,
      async closeTenant(tx, tenant) {
        await disableSourcesOf(tx, tenant);
        await notify(tx, sourcesChanged);
        await closeEndpointsOf(tx, tenant);
      },
      forgetTenant(tenant) {
        book.forget(tenant);
        sources.forget();
      },
    }),
    ...memberHandlers({ db, ids, clock, forgetKeys }),
    ...issuerHandlers({ db, ids, http }),
    createEmbedToken: createEmbedHandler({ db, ids, clock, embedTokens }),
    ...auditHandlers({ db }),
    ...sourceHandlers({
      db,
      box,
      ids,
      clock,
      random,
      providers,
      publicUrl: config.publicUrl,
      forgetSources: sources.forget,
      enqueuePull: (tx, data) => jobs.enqueue(tx, work.pull, data),
    }),
    ...callHandlers({ db }),
    ...findInCallHandlers({ db }),
    ...transcriptExportHandlers({ db }),
    ...sealHandlers({ db }),
    ...importHandlers({ db, importing: { db: parts.database.db, ids, clock, sources, batcher } }),
    ...exportHandlers({ db, ids }),
    ...erasureHandlers({ db, ...composeEraser({ ids, clock, react: context.hooks.react }), ...erasableCalls }),
    ...timelineHandlers({ db }),
    ...registerCallHandlers({ db, ids, context }),
    updateCall: updateCallHandler({ db, ids, context }),
    ...inboxHandlers({
      db,
      ids,
      context,
      replayQuarantined: createReplayQuarantined({ db, sources, batcher, vault }),
      enqueueReplay: (tx, data) => jobs.enqueue(tx, work.replay, data, { id: jobId("replay", data.replayId) }),
      replayFinished: composeReplayFinished({ ids, book }),
    }),
    ...campaignHandlers({ db, ids, forgetEndpoints: book.forget }),
    ...usageHandlers({ db, clock }),
    ...trainingHandlers({
      db,
      ids,
      wakeSession: (tx, tenant, session) => wakeSession(tx, context, tenant, session),
      planFor,
      enqueueFeedback: enqueueFeedbackWith(jobs),
    }),
    ...pipelineHandlers({ db, ids, enqueueCalls: enqueueCallsWith(jobs), isOn: config.analysis === "on" }),
    ...correctionHandlers({ db, ids, enqueueCalls: enqueueCallsWith(jobs) }),
    ...analysisHandlers({ db, ids, clock, jobs, react: context.hooks.react, engines: parts.engines.engines }),
    ...engineHandlers({ db, box, ids, clock, ...parts.engines }),
    ...recordingHandlers({ ...parts.recordings.deps, db, links: parts.recordings.links, publicUrl: config.publicUrl }),
    ...eventTypeHandlers({ db, ids }),
    ...publishHandlers({ db, ids, clock, book, worker: parts.delivery }),
    ...deliveryHandlers({ db, box, ids, random, http, book, clock, ...senderOf(config, parts.version) }),
    ...undeliveredHandlers({
      db,
      ids,
      clock,
      book,
      enqueueResend: enqueueResendWith(jobs),
      messageBodiesDays: config.messageBodiesDays,
    }),
  };
}

function checksOf({ database, durability, delivery }: HttpParts): Record<string, Check> {
  return {
    database: async () => {
      await database.appPool.query("select 1");
      return ok;
    },
    migrations: async () => {
      const { pending, newer } = await compareMigrations(database.appPool);
      if (pending.length > 0) {
        return { status: "failed", reason: `${pending.length} migrations are not applied: npm run db:migrate` };
      }
      if (newer.length === 0) return ok;
      return {
        status: "degraded",
        reason: `A newer version has migrated the database (${newer.at(-1)}): replace this one`,
      };
    },
    workers: async () => {
      return !delivery || delivery.isRunning() ? ok : { status: "failed", reason: "Delivery is not running" };
    },
    retention: async () => {
      const days = await database.db.inTransaction([], daysAhead);
      return days >= limits.attemptDaysAheadMin
        ? ok
        : { status: "degraded", reason: `Attempts have partitions for ${days} more days only: retention does not run` };
    },
    search: async () => {
      return (await findsTrigrams(database.appPool)) ? ok : { status: "degraded", reason: noTrigrams };
    },
    durability: async () => {
      return durability.state === "full" ? ok : { status: "degraded", reason: durability.reasons.join("; ") };
    },
  };
}

const ok = { status: "ok", reason: null } as const;

function folder(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
