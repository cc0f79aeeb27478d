import type { Word } from "@aftercall/contract/call.ts";
import { z } from "zod";

import type { GuardedHttp } from "#/kernel/net/http.ts";
import { unknownUsage } from "#/models/usage.ts";

import type { SpeechEngine } from "../engine.ts";
import { languageCode, primaryLanguage } from "../language-code.ts";
import { multipart } from "../multipart.ts";
import type { Heard, Recognise, Segment } from "../recognise.ts";
import { untold } from "../recognise.ts";
import { request } from "../request.ts";

/**
 * `/v1/audio/transcriptions` as OpenAI defines it and Groq, speaches, faster-whisper-server, LocalAI and others speak it. Servers
 * differ in what they leave out and in what they ignore, so everything but the text is optional.
 */
export function openaiRecognise(engine: SpeechEngine, http: GuardedHttp): Recognise {
  return async ({ sound, language, hints, diarise, timeoutMs, signal }) => {
    const form = formOf(engine.model, diarise);
    const { headers, body } = multipart(
      [
        ["model", engine.model],
        ...form.fields,
        ...(language === null ? [] : [["language", primaryLanguage(language)] as const]),
        ...(hints.length > 0 && form.takesPrompt ? [["prompt", promptOf(hints)] as const] : []),
      ],
      sound,
    );
    const authorization = engine.apiKey === null ? {} : { authorization: `Bearer ${engine.apiKey}` };
    const asked = { method: "POST", headers: { ...headers, ...authorization }, body, timeoutMs, signal } as const;
    return heardIn(await request({ http, engine }, "/audio/transcriptions", asked, Answer), sound);
  };
}

type Form = { readonly fields: readonly (readonly [string, string])[]; readonly takesPrompt: boolean };

/** What a model gives most with. OpenAI's newer models refuse `verbose_json`; all others are asked for it. */
function formOf(model: string, diarise: boolean): Form {
  if (/diarize/.test(model)) {
    const format = diarise ? "diarized_json" : "json";
    return {
      fields: [
        ["response_format", format],
        ["chunking_strategy", "auto"],
      ],
      takesPrompt: false,
    };
  }
  if (/^gpt-4o(?:-mini)?-transcribe/.test(model)) return { fields: [["response_format", "json"]], takesPrompt: true };
  return {
    fields: [
      ["response_format", "verbose_json"],
      ["timestamp_granularities[]", "word"],
      ["timestamp_granularities[]", "segment"],
      ["temperature", "0"],
    ],
    takesPrompt: true,
  };
}

/** Whisper reads the last 224 tokens of it. */
function promptOf(hints: readonly string[]): string {
  return hints.join(", ").slice(0, 600);
}

const seconds = z.number().nullish();
const WordForm = z.object({ word: z.string(), start: z.number(), end: z.number(), probability: z.number().nullish() });
const Answer = z.object({
  text: z.string(),
  language: z.string().nullish(),
  duration: z.coerce.number().nullish(),
  segments: z
    .array(
      z.object({
        start: seconds,
        end: seconds,
        text: z.string(),
        speaker: z.string().nullish(),
        avg_logprob: z.number().nullish(),
        no_speech_prob: z.number().nullish(),
        compression_ratio: z.number().nullish(),
        words: z.array(WordForm).nullish(),
      }),
    )
    .nullish(),
  words: z.array(WordForm).nullish(),
  usage: z
    .object({
      type: z.string().nullish(),
      seconds: z.number().nullish(),
      input_tokens: z.number().int().nullish(),
      output_tokens: z.number().int().nullish(),
    })
    .nullish(),
});

function heardIn(
  answer: z.output<typeof Answer>,
  { offsetMs, durationMs }: { offsetMs: number; durationMs: number },
): Heard {
  const at = (value: number | null | undefined) => (value == null ? null : Math.round(value * 1000) + offsetMs);
  const wordsOf = (words: readonly z.output<typeof WordForm>[]): Word[] =>
    words.map(({ word, start, end, probability }) => ({
      text: word.trim(),
      start_ms: at(start) ?? offsetMs,
      end_ms: at(end) ?? offsetMs,
      confidence: probability ?? null,
    }));
  const { usage } = answer;
  const told = (answer.segments ?? []).map((one): Segment => ({
    startMs: at(one.start),
    endMs: at(one.end),
    text: one.text.trim(),
    speaker: one.speaker ?? null,
    confidence: one.avg_logprob == null ? null : Math.exp(Math.min(0, one.avg_logprob)),
    avgLogprob: one.avg_logprob ?? null,
    noSpeechProb: one.no_speech_prob ?? null,
    compressionRatio: one.compression_ratio ?? null,
    words: one.words ? wordsOf(one.words) : null,
  }));
  return {
    segments: told.length > 0 ? withWords(told, wordsOf(answer.words ?? [])) : whole(answer.text),
    language: languageCode(answer.language),
    usage: {
      ...unknownUsage,
      input_tokens: usage?.input_tokens ?? null,
      output_tokens: usage?.output_tokens ?? null,
      audio_ms: Math.round((usage?.seconds ?? answer.duration ?? durationMs / 1000) * 1000),
    },
  };
}

/** OpenAI gives the words beside the segments; each belongs where its middle lies. */
function withWords(segments: readonly Segment[], words: readonly Word[]): Segment[] {
  if (words.length === 0) return [...segments];
  return segments.map((segment, i) => {
    if (segment.words !== null || segment.startMs === null) return segment;
    const until = segments[i + 1]?.startMs ?? Number.POSITIVE_INFINITY;
    const from = i === 0 ? Number.NEGATIVE_INFINITY : segment.startMs;
    const own = words.filter(({ start_ms: start, end_ms: end }) => {
      const middle = (start + end) / 2;
      return middle >= from && middle < until;
    });
    return { ...segment, words: own.length > 0 ? own : null };
  });
}

/** A server that tells nothing but the text. */
function whole(text: string): Segment[] {
  return text.trim() === "" ? [] : [{ ...untold, startMs: null, endMs: null, text: text.trim() }];
}
