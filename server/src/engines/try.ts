import { Readable } from "node:stream";

import type { CostLine, Usage } from "@aftercall/contract/analysis/engine.ts";
import type { EngineTest } from "@aftercall/contract/engine-settings.ts";

import { monoHeader } from "#/audio/wav/header.ts";
import type { Clock } from "#/kernel/clock.ts";
import { GiveUp, Retry } from "#/models/failure.ts";
import { readObject } from "#/models/language/clean.ts";
import type { LanguageEngine } from "#/models/language/engine.ts";
import { createGenerate } from "#/models/language/generate.ts";
import type { SpeechEngine } from "#/models/speech/engine.ts";
import { recogniseWith } from "#/models/speech/transcriber.ts";

import type { Engines } from "./engines.ts";
import { pricing } from "./price.ts";

type Tried = { readonly answer: EngineTest; readonly cost: readonly CostLine[] };
type Means = { readonly clock: Clock; readonly httpFor: Engines["httpFor"] };

/** Makes one tiny request to a language model and says what came back. */
export async function tryLanguage(engine: LanguageEngine | null, means: Means): Promise<Tried> {
  if (!engine) return nothingSet("No language model is set: the built-in analyzer does the work");
  const settings = { ...engine.settings, outputTokensMax: 256, timeoutMs: tryMs };
  return tried(engine, means, "llm", async () => {
    const generate = createGenerate({ ...engine, settings }, means.httpFor(engine));
    const { text, usage } = await generate({
      instructions: 'Answer with the JSON object {"ok": true} and nothing else.',
      messages: [{ role: "user", content: "Is everything in order?" }],
      schema: {
        type: "object",
        properties: { ok: { type: "boolean" } },
        required: ["ok"],
        additionalProperties: false,
      },
      signal: new AbortController().signal,
    });
    const isRight = typeof readObject(text)?.["ok"] === "boolean";
    const detail = isRight
      ? "The model answered as it was asked"
      : "The model answered, but not with JSON: set response_format, or choose another model";
    return { isRight, detail, usage };
  });
}

/** Has a speech engine transcribe one second of a soft tone, and says what came back. */
export async function trySpeech(engine: SpeechEngine | null, means: Means): Promise<Tried> {
  if (!engine) return nothingSet("No speech engine is set: only transcripts that providers send are used");
  return tried(engine, means, "stt", async () => {
    const recognise = recogniseWith(engine, { http: means.httpFor(engine), clock: means.clock });
    const wav = oneSecondOfSound();
    const { usage } = await recognise({
      sound: {
        open: () => Readable.from([wav]),
        bytes: wav.length,
        mime: "audio/wav",
        name: "recording.wav",
        channel: null,
        offsetMs: 0,
        durationMs: 1_000,
      },
      language: "en",
      hints: [],
      diarise: false,
      timeoutMs: tryMs,
      signal: new AbortController().signal,
    });
    return { isRight: true, detail: "The engine took the sound and answered with a transcript", usage };
  });
}

/** Somebody waits for the answer. */
const tryMs = 20_000;

async function tried(
  engine: LanguageEngine | SpeechEngine,
  { clock }: Means,
  component: "llm" | "stt",
  work: () => Promise<{ isRight: boolean; detail: string; usage: Usage }>,
): Promise<Tried> {
  const startedAt = clock.monotonic();
  const latency = () => Math.round(clock.monotonic() - startedAt);
  try {
    const { isRight, detail, usage } = await work();
    const { provider, model } = engine;
    return {
      answer: { ok: isRight, detail, reason: isRight ? null : "invalid_output", model, latency_ms: latency() },
      cost: pricing(engine.price)({ component, provider, model, usage }),
    };
  } catch (error) {
    if (!(error instanceof Retry || error instanceof GiveUp)) throw error;
    const { message: detail, reason } = error;
    return { answer: { ok: false, detail, reason, model: engine.model, latency_ms: latency() }, cost: [] };
  }
}

function nothingSet(detail: string): Tried {
  return { answer: { ok: false, detail, reason: "no_engine", model: null, latency_ms: 0 }, cost: [] };
}

function oneSecondOfSound(): Buffer {
  const rate = 16_000;
  const samples = Buffer.alloc(rate * 2);
  for (let i = 0; i < rate; i++)
    samples.writeInt16LE(Math.round(1_000 * Math.sin((2 * Math.PI * 440 * i) / rate)), i * 2);
  return Buffer.concat([monoHeader(rate, samples.length), samples]);
}
