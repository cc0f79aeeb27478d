import { z } from "zod";

import type { GuardedHttp } from "#/kernel/net/http.ts";
import { unknownUsage } from "#/models/usage.ts";

import type { SpeechEngine } from "../engine.ts";
import { languageCode } from "../language-code.ts";
import type { Recognise, Segment } from "../recognise.ts";
import { untold } from "../recognise.ts";
import { request } from "../request.ts";

/** Deepgram's `/v1/listen` (developers.deepgram.com): the sound is the body, what is wanted stands in the query. */
export function deepgramRecognise(engine: SpeechEngine, http: GuardedHttp): Recognise {
  return async ({ sound, language, hints, diarise, timeoutMs, signal }) => {
    const query = new URLSearchParams({
      model: engine.model,
      punctuate: "true",
      utterances: "true",
      ...(diarise && { diarize: "true" }),
      ...(language === null ? { detect_language: "true" } : { language }),
    });
    // Key terms came with nova-3; models before it take keywords.
    const hintName = engine.model.startsWith("nova-3") ? "keyterm" : "keywords";
    for (const hint of hints) {
      if (query.toString().length + encodeURIComponent(hint).length > queryCharsMax) break;
      query.append(hintName, hint);
    }
    const headers = {
      "content-type": sound.mime,
      "content-length": String(sound.bytes),
      ...(engine.apiKey !== null && { authorization: `Token ${engine.apiKey}` }),
    };
    const asked = { method: "POST", headers, body: sound.open, timeoutMs, signal } as const;
    const answer = await request({ http, engine }, `/v1/listen?${query.toString()}`, asked, Answer);

    const at = (seconds: number) => Math.round(seconds * 1000) + sound.offsetMs;
    const channel = answer.results.channels[0];
    const utterances = answer.results.utterances ?? [];
    const segments = utterances.map((one): Segment => ({
      ...untold,
      startMs: at(one.start),
      endMs: at(one.end),
      text: one.transcript,
      speaker: one.speaker == null ? null : String(one.speaker),
      confidence: one.confidence ?? null,
      words: one.words.map((word) => ({
        text: word.punctuated_word ?? word.word,
        start_ms: at(word.start),
        end_ms: at(word.end),
        confidence: word.confidence ?? null,
      })),
    }));
    const text = channel?.alternatives[0]?.transcript.trim() ?? "";
    const audioMs = answer.metadata?.duration == null ? sound.durationMs : answer.metadata.duration * 1000;
    return {
      segments: segments.length > 0 || text === "" ? segments : [{ ...untold, startMs: null, endMs: null, text }],
      language: languageCode(channel?.detected_language ?? language),
      usage: { ...unknownUsage, audio_ms: Math.round(audioMs) },
    };
  };
}

/** With the address it must stay below what a URL may be long; the first hints count. */
const queryCharsMax = 1_500;

const WordForm = z.object({
  word: z.string(),
  punctuated_word: z.string().nullish(),
  start: z.number(),
  end: z.number(),
  confidence: z.number().nullish(),
});
const Answer = z.object({
  metadata: z.object({ duration: z.number().nullish() }).nullish(),
  results: z.object({
    channels: z.array(
      z.object({
        detected_language: z.string().nullish(),
        alternatives: z.array(z.object({ transcript: z.string() })),
      }),
    ),
    utterances: z
      .array(
        z.object({
          start: z.number(),
          end: z.number(),
          transcript: z.string(),
          confidence: z.number().nullish(),
          speaker: z.number().nullish(),
          words: z.array(WordForm),
        }),
      )
      .nullish(),
  }),
});
