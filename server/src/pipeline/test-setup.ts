import type { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import { newestPrompt } from "@aftercall/contract/analysis/prompt.ts";
import type { Transcript, Turn } from "@aftercall/contract/call.ts";

import type { Change } from "#/calls/change.ts";
import { saveMoments } from "#/calls/moment-store.ts";
import { join, stateOf } from "#/calls/state.ts";
import { loadCall, saveCalls, saveTranscripts } from "#/calls/store.ts";
import type { Db } from "#/db/transaction.ts";
import { createEngines } from "#/engines/engines.ts";
import { pricing } from "#/engines/price.ts";
import { verifyQuote } from "#/evaluation/evidence.ts";
import { insertDraft, publishDraft } from "#/evaluation/plan-store.ts";
import { createIds } from "#/kernel/ids.ts";
import { createGuardedHttp } from "#/kernel/net/http.ts";
import { createSecretBox } from "#/kernel/secrets.ts";
import { createAnalyst } from "#/models/language/analyst.ts";
import type { LanguageEngine } from "#/models/language/engine.ts";
import type { SpeechEngine } from "#/models/speech/engine.ts";
import { createTranscriber } from "#/models/speech/transcriber.ts";
import type { Moment } from "#/providers/moment.ts";
import { callEvent, type Facts, type Heard } from "#/providers/provider.ts";
import { recordingSetup } from "#/recordings/test-setup.ts";

import { createFakeClock } from "../../test/harness/clock.ts";
import { startReceiver } from "../../test/harness/receiver.ts";
import { recipe } from "./recipe.ts";
import { type PipelineDeps, runAsking, runPipelines } from "./run.ts";
import { createToolsFor, enginesFor } from "./tools.ts";

/** A pipeline with everything real but the time and the model, which is a server of the test's own. */
export async function pipelineSetup() {
  const recordings = await recordingSetup();
  const { db } = recordings.deps;
  const clock = createFakeClock();
  const ids = createIds(clock);
  const model = await startReceiver();
  const http = createGuardedHttp({ privateTargets: ["127.0.0.0/8"], allowHttp: true, clock: recordings.deps.clock });
  const box = createSecretBox("root-key-of-this-test-0123456789abcdef");

  function engine(isThere: boolean, price: LanguageEngine["price"]): LanguageEngine | null {
    if (!isThere) return null;
    return {
      kind: "language",
      vendor: "openai_compatible",
      provider: "openai",
      baseUrl: `${model.url}v1`,
      model: "test-model",
      apiKey: "sk-test",
      price,
      origin: "installation",
      privateTargets: ["127.0.0.0/8"],
      settings: {
        contextTokens: 100_000,
        outputTokensMax: 4_000,
        responseFormat: "schema",
        temperature: 0,
        timeoutMs: 5_000,
        promptVersion: newestPrompt,
        language: null,
      },
    };
  }

  const speech: SpeechEngine = {
    kind: "speech",
    vendor: "openai_compatible",
    provider: "openai",
    baseUrl: `${model.url}v1`,
    model: "test-speech",
    apiKey: "sk-test",
    price: null,
    origin: "installation",
    privateTargets: ["127.0.0.0/8"],
    settings: { diarise: false, uploadBytesMax: 25_000_000, language: null },
  };

  return {
    db,
    clock,
    ids,
    model,
    recordings,
    async close() {
      await Promise.all([model.close(), http.close(), recordings.close()]);
    },

    /** The pipeline of one tenant's calls, with what it told, and what it queued for later. */
    bench(options: BenchOptions = {}) {
      const used = options.db ?? db;
      const changes: Change[] = [];
      const later: number[] = [];
      const bugs: unknown[] = [];
      let asked = 0;
      const engines = createEngines({
        box,
        ids,
        clock,
        defaults: {
          language: engine(options.withModel ?? false, options.languagePrice ?? null),
          speech: options.withSpeech ? { ...speech, price: options.speechPrice ?? null } : null,
          monthlyBudget: null,
        },
        http: { tenant: http, installation: http },
      });
      const deps: PipelineDeps = {
        db: used,
        clock,
        ids,
        log: { error: (line: object) => bugs.push(line) },
        react: async (_tx, seen) => {
          changes.push(...seen);
          return [];
        },
        recipe,
        limits: { reportMs: 120_000, recordingMs: 900_000, settleMs: 3_600_000 },
        enginesOf: enginesFor(engines, () => clock.now()),
        toolsFor: createToolsFor({
          db: used,
          engines,
          recordings: recordings.deps,
          analystOf: (one) =>
            createAnalyst(one, { http, price: pricing(one.price), verifyQuote, markKey: Buffer.from("marks") }),
          transcriberOf: (one) =>
            createTranscriber(one, {
              http,
              clock: recordings.deps.clock,
              price: pricing(one.price),
              splitChannels: () => Promise.reject(new Error("no recording of these tests has channels")),
            }),
          timeZone: "UTC",
          country: null,
        }),
        country: null,
        lookAgain: async (_tx, looks) => {
          later.push(...looks.map(({ at }) => at));
        },
        askLater: async (_tx, calls) => {
          asked += calls.length;
        },
      };
      return {
        deps,
        changes,
        later,
        bugs,
        told: () => changes.map(({ type }) => type),
        asked: () => asked,
        async run(data: { tenantId: string; callId: string }, { jobId = ids.next(), mayAsk = true } = {}) {
          const job = { data, jobId, signal: new AbortController().signal };
          if (mayAsk) return runAsking(deps, job);
          const [failure] = await runPipelines(deps, [job]);
          if (failure !== null) throw failure;
        },
        /** Many calls in jobs that were taken together; gives what each failed with. */
        runTogether: (calls: readonly { tenantId: string; callId: string }[]) =>
          runPipelines(
            deps,
            calls.map((data) => ({ data, jobId: ids.next(), signal: new AbortController().signal })),
          ),
      };
    },

    async publish(tenantId: string, definition: PlanDefinition): Promise<string> {
      const id = ids.next();
      await db.inTransaction([tenantId], async (tx) => {
        const draft = { tenantId, id, version: 1, name: "Plan of this test", definition, createdBy: "test" };
        await publishDraft(tx, await insertDraft(tx, draft));
      });
      return id;
    },

    makeTenant: recordings.makeTenant,

    /** A call that is over, as its provider told it. */
    async makeCall(tenantId: string, given: CallGiven = {}): Promise<{ tenantId: string; callId: string }> {
      const callId = ids.next();
      await db.inTransaction([tenantId], (tx) => tellOf(tx, tenantId, callId, given));
      return { tenantId, callId };
    },

    /** The same, told once more: what came meanwhile. */
    async retell({ tenantId, callId }: { tenantId: string; callId: string }, given: CallGiven): Promise<void> {
      await db.inTransaction([tenantId], async (tx) => {
        await tellOf(tx, tenantId, callId, given);
      });
    },
  };

  async function tellOf(
    tx: Parameters<Parameters<Db["inTransaction"]>[1]>[0],
    tenantId: string,
    id: string,
    given: CallGiven,
  ) {
    const eventId = ids.next();
    const at = clock.now();
    const transcript = given.turns ? transcriptOf(given.turns) : null;
    const event = callEvent({
      key: eventId,
      type: "test",
      occurredAt: at,
      heard: given.heard ?? { status: "ended", outcome: "completed" },
      facts: { direction: "inbound", started_at: at - 60_000, ended_at: at, duration_ms: 60_000, ...given.facts },
      transcript,
      moments: given.moments ?? [],
      isReport: given.isReport ?? false,
      awaitsReport: given.awaitsReport ?? false,
    });
    const told = stateOf({ event, eventId, by: `test:${eventId}`, receivedAt: at });
    const known = (await loadCall(tx, tenantId, id))?.state;
    const state = known && given.isAdded ? join(known, told) : told;
    const record = { tenantId, id, provider: "generic", providerCallId: id, state, announced: ["call.ended"] };
    const rest = {
      campaignId: null,
      userId: null,
      mergedInto: null,
      isErased: false,
      version: 1,
      createdAt: at,
      updatedAt: at,
    };
    await saveCalls(tx, [{ ...record, ...rest }]);
    await tx.run(
      "insert into call_aliases (tenant_id, kind, value, call_id) values ($1, 'generic', $2::text, $2::uuid) on conflict do nothing",
      [tenantId, id],
    );
    await saveMoments(tx, event.moments.length > 0 ? [{ tenantId, callId: id, eventId, moments: event.moments }] : []);
    if (!transcript) return;
    await saveTranscripts(tx, [{ ...transcript, id: eventId, tenantId, callId: id, eventId, origin: "generic" }]);
  }
}

type BenchOptions = {
  readonly withModel?: boolean;
  readonly languagePrice?: LanguageEngine["price"];
  readonly withSpeech?: boolean;
  readonly speechPrice?: SpeechEngine["price"];
  readonly db?: Db;
};

export type CallGiven = {
  readonly turns?: readonly Turn[];
  readonly facts?: Facts;
  readonly heard?: Heard;
  readonly isReport?: boolean;
  readonly awaitsReport?: boolean;
  readonly moments?: readonly Moment[];
  /** What was told before still holds. */
  readonly isAdded?: boolean;
};

function transcriptOf(turns: readonly Turn[]): Transcript {
  return { text: turns.map(({ text }) => text).join("\n"), turns: [...turns], language: null };
}

/** A database whose process dies at one of its commits: `before` loses the work, `after` keeps it and nobody hears of it. */
export function dyingDb(
  db: Db,
  at: number,
  when: "before" | "after",
): { readonly db: Db; readonly count: () => number } {
  let count = 0;
  return {
    count: () => count,
    db: {
      async inTransaction(tenants, work) {
        const number = ++count;
        if (number > at) throw new Died();
        const result = await db.inTransaction(tenants, async (tx) => {
          const made = await work(tx);
          if (number === at && when === "before") throw new Died();
          return made;
        });
        if (number === at) throw new Died();
        return result;
      },
    },
  };
}

export class Died extends Error {}
