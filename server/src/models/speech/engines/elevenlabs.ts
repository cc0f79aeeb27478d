import { z } from "zod";

import type { GuardedHttp } from "#/kernel/net/http.ts";
import { unknownUsage } from "#/models/usage.ts";

import type { SpeechEngine } from "../engine.ts";
import { languageCode, primaryLanguage } from "../language-code.ts";
import { multipart } from "../multipart.ts";
import type { Recognise, Segment } from "../recognise.ts";
import { untold } from "../recognise.ts";
import { request } from "../request.ts";

/** ElevenLabs Scribe, `/v1/speech-to-text` (elevenlabs.io/docs/api-reference): words with times and speakers, no segments. */
export function elevenlabsRecognise(engine: SpeechEngine, http: GuardedHttp): Recognise {
  return async ({ sound, language, diarise, timeoutMs, signal }) => {
    const { headers, body } = multipart(
      [
        ["model_id", engine.model],
        ["timestamps_granularity", "word"],
        ["diarize", String(diarise)],
        ["tag_audio_events", "false"],
        ...(language === null ? [] : [["language_code", primaryLanguage(language)] as const]),
      ],
      sound,
    );
    const key = engine.apiKey === null ? {} : { "xi-api-key": engine.apiKey };
    const asked = { method: "POST", headers: { ...headers, ...key }, body, timeoutMs, signal } as const;
    const answer = await request({ http, engine }, "/v1/speech-to-text", asked, Answer);
    return {
      segments: segmentsOf(answer.words ?? [], answer.text, sound.offsetMs),
      language: languageCode(answer.language_code),
      usage: { ...unknownUsage, audio_ms: sound.durationMs },
    };
  };
}

const WordForm = z.object({
  text: z.string(),
  type: z.string().nullish(),
  start: z.number().nullish(),
  end: z.number().nullish(),
  speaker_id: z.string().nullish(),
  logprob: z.number().nullish(),
});
const Answer = z.object({
  text: z.string(),
  language_code: z.string().nullish(),
  words: z.array(WordForm).nullish(),
});

/** A pause this long, or another speaker, begins a new segment. */
const pauseMs = 800;

function segmentsOf(told: readonly z.output<typeof WordForm>[], text: string, offsetMs: number): Segment[] {
  const segments: { startMs: number; endMs: number; speaker: string | null; words: Segment["words"] & object }[] = [];
  for (const { text: spoken, type, start, end, speaker_id: speaker = null, logprob } of told) {
    if ((type ?? "word") !== "word" || start == null || end == null) continue;
    const [startMs, endMs] = [Math.round(start * 1000) + offsetMs, Math.round(end * 1000) + offsetMs];
    const confidence = logprob == null ? null : Math.exp(Math.min(0, logprob));
    const word = { text: spoken, start_ms: startMs, end_ms: endMs, confidence };
    const last = segments.at(-1);
    if (last && last.speaker === speaker && startMs - last.endMs < pauseMs) {
      last.endMs = endMs;
      last.words = [...last.words, word];
    } else segments.push({ startMs, endMs, speaker, words: [word] });
  }
  if (segments.length === 0) {
    return text.trim() === "" ? [] : [{ ...untold, startMs: null, endMs: null, text: text.trim() }];
  }
  return segments.map((one) => {
    const sure = one.words.flatMap(({ confidence }) => (confidence === null ? [] : [confidence]));
    const confidence = sure.length === 0 ? null : sure.reduce((sum, each) => sum + each, 0) / sure.length;
    return { ...untold, ...one, text: one.words.map((word) => word.text).join(" "), confidence };
  });
}
