import type { Clock } from "#/kernel/clock.ts";
import type { GuardedHttp } from "#/kernel/net/http.ts";
import type { Tracing } from "#/kernel/tracing.ts";

import type { PriceUsage } from "../cost.ts";
import { withSpent } from "../failure.ts";
import type { SplitChannels, Transcriber, Transcription } from "./answer.ts";
import { assemble, type Channel } from "./assemble.ts";
import type { SpeechEngine } from "./engine.ts";
import { assemblyaiRecognise } from "./engines/assemblyai.ts";
import { deepgramRecognise } from "./engines/deepgram.ts";
import { elevenlabsRecognise } from "./engines/elevenlabs.ts";
import { openaiRecognise } from "./engines/openai.ts";
import { keepingBooks } from "./keeping-books.ts";
import type { Heard, Recognise } from "./recognise.ts";
import { isKnownForm, partsOf, type Sound, soundOfFile } from "./sound.ts";
import { traced } from "./traced.ts";

export type TranscriberOptions = {
  readonly http: GuardedHttp;
  readonly clock: Clock;
  readonly price: PriceUsage;
  readonly splitChannels: SplitChannels;
  readonly tracing?: Tracing | null;
};

/**
 * Turns recordings into text with a speech engine. Each channel of a stereo recording is heard alone, which is the best way to
 * tell who speaks; a channel in which nobody speaks is not sent at all.
 */
export function createTranscriber(engine: SpeechEngine, options: TranscriberOptions): Transcriber {
  const untraced = recogniseWith(engine, options);
  const { tracing, price } = options;
  const bare = tracing ? traced(untraced, engine, tracing, price) : untraced;
  const { provider, model } = engine;
  const ref = { kind: "stt", provider, model, version: rulesVersion, prompt_sha256: null } as const;
  return {
    engine: ref,
    async transcribe(transcription) {
      const books = keepingBooks(bare, engine, options.price, transcription.answers);
      try {
        const channels = await hearChannels(books.recognise, engine, options.splitChannels, transcription);
        return { ...assemble(channels, transcription), engine: ref, ...books.spent() };
      } catch (error) {
        throw withSpent(error, books.spent());
      }
    },
  };
}

/** Of what is made of an engine's answer: the guard, the roles, the turns. */
const rulesVersion = "1";
/** An engine has half the length of what it hears, and never less. */
const timeoutMsMin = 60_000;

export function recogniseWith(
  engine: SpeechEngine,
  { http, clock }: Pick<TranscriberOptions, "http" | "clock">,
): Recognise {
  switch (engine.vendor) {
    case "openai_compatible":
      return openaiRecognise(engine, http);
    case "deepgram":
      return deepgramRecognise(engine, http);
    case "elevenlabs":
      return elevenlabsRecognise(engine, http);
    case "assemblyai":
      return assemblyaiRecognise(engine, http, clock);
  }
}

async function hearChannels(
  recognise: Recognise,
  engine: SpeechEngine,
  splitChannels: SplitChannels,
  transcription: Transcription,
): Promise<Channel[]> {
  const { audio, signal } = transcription;
  const { uploadBytesMax, diarise } = engine.settings;
  const speechOn = (channel: number) => audio.speech?.[channel] ?? null;
  const isSilent = (channel: number) => speechOn(channel)?.length === 0;
  if (audio.channels === 1) {
    if (isSilent(0)) return [];
    if (audio.bytes <= uploadBytesMax && isKnownForm(audio.mime)) {
      const heard = await hear(recognise, [soundOfFile(audio)], diarise, transcription);
      return [{ channel: null, heard, speech: speechOn(0) }];
    }
  }
  if (audio.speech?.every((speech) => speech.length === 0)) return [];
  const { files, remove } = await splitChannels(audio, signal);
  try {
    const channels: Channel[] = [];
    for (const file of files.filter(({ channel }) => !isSilent(channel))) {
      const speech = speechOn(file.channel);
      const isOnly = audio.channels === 1;
      const parts = partsOf(file, speech, uploadBytesMax);
      // oxlint-disable-next-line no-await-in-loop -- One upload at a time: engines limit how many there may be.
      const heard = await hear(recognise, parts, isOnly && diarise, transcription);
      channels.push({ channel: isOnly ? null : file.channel, heard, speech });
    }
    return channels;
  } finally {
    await remove();
  }
}

/** What is heard in the sounds of one channel, in their order. */
async function hear(
  recognise: Recognise,
  sounds: readonly Sound[],
  diarise: boolean,
  { language, hints, signal }: Transcription,
): Promise<Heard[]> {
  const heard: Heard[] = [];
  for (const [part, sound] of sounds.entries()) {
    const timeoutMs = Math.max(timeoutMsMin, sound.durationMs / 2);
    // oxlint-disable-next-line no-await-in-loop -- As above.
    const one = await recognise({ sound, language, hints, diarise, timeoutMs, signal });
    // Speakers are named anew in every part: the first of one need not be the first of another.
    const nameOf = (speaker: string | null) => (speaker === null || part === 0 ? speaker : `${part}/${speaker}`);
    heard.push({ ...one, segments: one.segments.map((each) => ({ ...each, speaker: nameOf(each.speaker) })) });
  }
  return heard;
}
