import { z } from "zod";

import type { Clock } from "#/kernel/clock.ts";
import type { GuardedHttp } from "#/kernel/net/http.ts";
import { GiveUp, Retry } from "#/models/failure.ts";
import { unknownUsage } from "#/models/usage.ts";

import type { SpeechEngine } from "../engine.ts";
import { languageCode, primaryLanguage } from "../language-code.ts";
import type { Heard, Recognise, Segment } from "../recognise.ts";
import { untold } from "../recognise.ts";
import { request } from "../request.ts";

/** AssemblyAI (assemblyai.com/docs): upload, start a job, ask until it is done. The time for all of it is bounded. */
export function assemblyaiRecognise(engine: SpeechEngine, http: GuardedHttp, clock: Clock): Recognise {
  const using = { http, engine };
  const key: Record<string, string> = engine.apiKey === null ? {} : { authorization: engine.apiKey };
  return async ({ sound, language, hints, diarise, timeoutMs, signal }) => {
    const deadline = clock.monotonic() + timeoutMs;
    const asked = (method: "GET" | "POST", body: string | null) => ({
      method,
      headers: { ...key, ...(body !== null && { "content-type": "application/json" }) },
      body: body === null ? null : Buffer.from(body),
      timeoutMs: Math.max(1_000, deadline - clock.monotonic()),
      signal,
    });
    const uploaded = await request(
      using,
      "/v2/upload",
      {
        ...asked("POST", null),
        headers: { ...key, "content-type": "application/octet-stream", "content-length": String(sound.bytes) },
        body: sound.open,
      },
      z.object({ upload_url: z.string() }),
    );
    const wanted = {
      audio_url: uploaded.upload_url,
      speech_model: engine.model,
      speaker_labels: diarise,
      punctuate: true,
      ...(language === null ? { language_detection: true } : { language_code: primaryLanguage(language) }),
      ...(hints.length > 0 && { word_boost: hints }),
    };
    const { id } = await request(using, "/v2/transcript", asked("POST", JSON.stringify(wanted)), Job);
    for (let waitMs = pollMs; ; waitMs = Math.min(waitMs * 1.5, pollMsMax)) {
      // oxlint-disable-next-line no-await-in-loop -- One question after the other.
      const job = await request(using, `/v2/transcript/${id}`, asked("GET", null), Job);
      if (job.status === "completed") return heardIn(job, sound);
      if (job.status === "error") throw new GiveUp("engine_rejected", { detail: failedWith(job.error) });
      if (clock.monotonic() + waitMs > deadline) {
        throw new Retry(null, "engine_timeout", { detail: "The speech engine did not finish in time" });
      }
      // oxlint-disable-next-line no-await-in-loop -- As above.
      await clock.sleep(waitMs, signal);
      if (signal.aborted) throw new Retry(0, "engine_unavailable", { detail: "Stopped by this server" });
    }
  };
}

const pollMs = 1_000;
const pollMsMax = 10_000;

const WordForm = z.object({ text: z.string(), start: z.number(), end: z.number(), confidence: z.number().nullish() });
const Spoken = z.object({
  text: z.string(),
  start: z.number(),
  end: z.number(),
  confidence: z.number().nullish(),
  speaker: z.string().nullish(),
  words: z.array(WordForm).nullish(),
});
const Job = z.object({
  // It becomes part of a path.
  id: z.string().regex(/^[\w-]{1,100}$/),
  status: z.string(),
  error: z.string().nullish(),
  text: z.string().nullish(),
  language_code: z.string().nullish(),
  audio_duration: z.number().nullish(),
  words: z.array(WordForm).nullish(),
  utterances: z.array(Spoken).nullish(),
});

function failedWith(error: string | null | undefined): string {
  return `The speech engine failed: ${(error ?? "no reason given").replace(/[\p{Cc}\p{Cf}]/gu, " ").slice(0, 300)}`;
}

function heardIn(job: z.output<typeof Job>, { offsetMs, durationMs }: { offsetMs: number; durationMs: number }): Heard {
  const text = job.text?.trim() ?? "";
  const [first, last] = [job.words?.[0], job.words?.at(-1)];
  const told: readonly z.output<typeof Spoken>[] =
    job.utterances ?? (first && last ? [{ text, start: first.start, end: last.end, words: job.words }] : []);
  const segments = told.map((one): Segment => ({
    ...untold,
    startMs: Math.round(one.start) + offsetMs,
    endMs: Math.round(one.end) + offsetMs,
    text: one.text,
    speaker: one.speaker ?? null,
    confidence: one.confidence ?? null,
    words:
      one.words?.map((word) => ({
        text: word.text,
        start_ms: Math.round(word.start) + offsetMs,
        end_ms: Math.round(word.end) + offsetMs,
        confidence: word.confidence ?? null,
      })) ?? null,
  }));
  return {
    segments: segments.length > 0 || text === "" ? segments : [{ ...untold, startMs: null, endMs: null, text }],
    language: languageCode(job.language_code),
    usage: {
      ...unknownUsage,
      audio_ms: job.audio_duration == null ? durationMs : Math.round(job.audio_duration * 1000),
    },
  };
}
