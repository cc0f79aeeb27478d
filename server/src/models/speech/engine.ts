import type { SpeechPrice } from "@aftercall/contract/engine-settings.ts";

/** Whose wire protocol a speech-to-text engine speaks. OpenAI's is also spoken by Groq, speaches, faster-whisper-server and others. */
export type SpeechVendor = "openai_compatible" | "deepgram" | "elevenlabs" | "assemblyai";

/** A speech-to-text engine as somebody set it up. */
export type SpeechEngine = {
  readonly kind: "speech";
  readonly vendor: SpeechVendor;
  /** Whose engine it is, for prices and cost lines: `openai`, `deepgram`, or the host of the base URL. */
  readonly provider: string;
  /** Without the path of the route: `https://api.openai.com/v1`, `https://api.deepgram.com`. */
  readonly baseUrl: string;
  readonly model: string;
  /** A secret. Never logged, never part of an error. */
  readonly apiKey: string | null;
  readonly settings: SpeechSettings;
  /** What its owner said that it costs; null: by the table of prices. */
  readonly price: SpeechPrice | null;
  /** Set up by the operator for the whole installation, or by the tenant. */
  readonly origin: "installation" | "tenant";
  /** Address blocks that are open to it although they are not public. */
  readonly privateTargets: readonly string[];
};

export type SpeechSettings = {
  /** Ask the engine who speaks, where a recording has one channel. */
  readonly diarise: boolean;
  /** The largest file the engine takes. */
  readonly uploadBytesMax: number;
  /** What is spoken where nobody says; null: the engine finds out. */
  readonly language: string | null;
};
