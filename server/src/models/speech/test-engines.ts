import type { Received, Reply } from "../../../test/harness/receiver.ts";
import type { SpeechVendor } from "./engine.ts";

/** Something that an engine of a test heard: seconds, and words that are spread over them. */
export type Spoken = { readonly from: number; readonly to: number; readonly text: string; readonly speaker?: number };

/** How a vendor's server speaks: what it answers when it heard something, and where in a request things stand. */
export type Dialect = {
  readonly vendor: SpeechVendor;
  readonly model: string;
  /** The answer to a request, with a language in the vendor's own words. */
  answer(request: Received, spoken: readonly Spoken[], language: string): Reply;
  /** The request that carries the sound. */
  isUpload(request: Received): boolean;
  readonly languageSent: (request: Received) => string | null;
  readonly keySent: (request: Received) => string | undefined;
  readonly languages: { readonly he: string; readonly en: string };
};

export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Reply {
  return { status, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) };
}

function wordsOf({ from, to, text }: Spoken) {
  const words = text.split(" ");
  const each = (to - from) / words.length;
  return words.map((word, i) => ({ word, start: from + i * each, end: from + (i + 0.9) * each }));
}

const textOf = (spoken: readonly Spoken[]) => spoken.map(({ text }) => text).join(" ");
const fieldIn = ({ body }: Received, name: string) =>
  new RegExp(`name="${name}"\r\n\r\n([^\r]*)\r\n`).exec(body.toString("latin1"))?.[1] ?? null;

const openai: Dialect = {
  vendor: "openai_compatible",
  model: "Systran/faster-whisper-small",
  answer: (_request, spoken, language) =>
    json({
      task: "transcribe",
      language,
      duration: 4,
      text: textOf(spoken),
      words: spoken.flatMap(wordsOf),
      segments: spoken.map(({ from, to, text }, id) => ({
        id,
        seek: 0,
        start: from,
        end: to,
        text: ` ${text}`,
        tokens: [1, 2],
        temperature: 0,
        avg_logprob: -0.2,
        compression_ratio: 1.2,
        no_speech_prob: 0.01,
      })),
      usage: { type: "duration", seconds: 4 },
    }),
  isUpload: ({ path }) => path === "/v1/audio/transcriptions",
  languageSent: (request) => fieldIn(request, "language"),
  keySent: ({ headers }) => headers.authorization?.replace("Bearer ", ""),
  languages: { he: "hebrew", en: "english" },
};

const deepgram: Dialect = {
  vendor: "deepgram",
  model: "nova-3",
  answer: (_request, spoken, language) =>
    json({
      metadata: { request_id: "r", duration: 4, channels: 1, models: ["m"] },
      results: {
        channels: [
          { detected_language: language, alternatives: [{ transcript: textOf(spoken), confidence: 0.98, words: [] }] },
        ],
        utterances: spoken.map((one, id) => ({
          id: String(id),
          start: one.from,
          end: one.to,
          confidence: 0.98,
          channel: 0,
          transcript: one.text,
          ...(one.speaker !== undefined && { speaker: one.speaker }),
          words: wordsOf(one).map((word) => ({ ...word, confidence: 0.97, punctuated_word: word.word })),
        })),
      },
    }),
  isUpload: ({ path }) => path.startsWith("/v1/listen?"),
  languageSent: ({ path }) => new URL(path, "http://localhost").searchParams.get("language"),
  keySent: ({ headers }) => headers.authorization?.replace("Token ", ""),
  languages: { he: "he", en: "en" },
};

const elevenlabs: Dialect = {
  vendor: "elevenlabs",
  model: "scribe_v1",
  answer: (_request, spoken, language) =>
    json({
      language_code: language,
      language_probability: 0.99,
      text: textOf(spoken),
      words: spoken.flatMap((one) =>
        wordsOf(one).flatMap(({ word, start, end }) => [
          { text: word, start, end, type: "word", speaker_id: `speaker_${one.speaker ?? 0}`, logprob: -0.05 },
          { text: " ", start: end, end, type: "spacing", speaker_id: `speaker_${one.speaker ?? 0}`, logprob: 0 },
        ]),
      ),
    }),
  isUpload: ({ path }) => path === "/v1/speech-to-text",
  languageSent: (request) => fieldIn(request, "language_code"),
  keySent: ({ headers }) => headers["xi-api-key"]?.toString(),
  languages: { he: "heb", en: "eng" },
};

const assemblyai: Dialect = {
  vendor: "assemblyai",
  model: "universal",
  answer(request, spoken, language) {
    if (request.path === "/v2/upload") return json({ upload_url: "https://cdn.example.com/upload/1" });
    if (request.method === "POST") return json({ id: "job-1", status: "queued" });
    const ms = (seconds: number) => Math.round(seconds * 1000);
    const words = (one: Spoken) =>
      wordsOf(one).map(({ word, start, end }) => ({ text: word, start: ms(start), end: ms(end), confidence: 0.96 }));
    return json({
      id: "job-1",
      status: "completed",
      text: textOf(spoken),
      language_code: language,
      audio_duration: 4,
      words: spoken.flatMap(words),
      utterances: spoken.map((one) => ({
        speaker: String.fromCodePoint(65 + (one.speaker ?? 0)),
        text: one.text,
        start: ms(one.from),
        end: ms(one.to),
        confidence: 0.96,
        words: words(one),
      })),
    });
  },
  isUpload: ({ path }) => path === "/v2/upload",
  languageSent: ({ body }) => /"language_code":"(\w+)"/.exec(body.toString())?.[1] ?? null,
  keySent: ({ headers }) => headers.authorization,
  languages: { he: "he", en: "en" },
};

export const dialects: readonly Dialect[] = [openai, deepgram, elevenlabs, assemblyai];
