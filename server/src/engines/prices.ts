/**
 * What models cost, in US dollars, as their makers publish it: platform.openai.com/docs/pricing, anthropic.com/pricing,
 * groq.com/pricing, deepgram.com/pricing, elevenlabs.io/pricing/api, assemblyai.com/pricing. Prices change without notice: the
 * version says as of when these are, a tenant can set its own with its engine, and a model that is not here has no price.
 */
export const prices: PriceTable = {
  version: "2025-09-30",
  currency: "USD",
  /** Per million tokens. A name also stands for its dated versions: `gpt-4o-mini` for `gpt-4o-mini-2024-07-18`. */
  language: {
    openai: {
      "gpt-5": { input: "1.25", cached: "0.125", output: "10" },
      "gpt-5-mini": { input: "0.25", cached: "0.025", output: "2" },
      "gpt-5-nano": { input: "0.05", cached: "0.005", output: "0.4" },
      "gpt-4.1": { input: "2", cached: "0.5", output: "8" },
      "gpt-4.1-mini": { input: "0.4", cached: "0.1", output: "1.6" },
      "gpt-4.1-nano": { input: "0.1", cached: "0.025", output: "0.4" },
      "gpt-4o": { input: "2.5", cached: "1.25", output: "10" },
      "gpt-4o-mini": { input: "0.15", cached: "0.075", output: "0.6" },
    },
    anthropic: {
      "claude-opus-4-1": { input: "15", cached: "1.5", output: "75" },
      "claude-sonnet-4-5": { input: "3", cached: "0.3", output: "15" },
      "claude-sonnet-4": { input: "3", cached: "0.3", output: "15" },
      "claude-3-5-haiku": { input: "0.8", cached: "0.08", output: "4" },
    },
    groq: {
      "llama-3.3-70b-versatile": { input: "0.59", cached: null, output: "0.79" },
      "llama-3.1-8b-instant": { input: "0.05", cached: null, output: "0.08" },
    },
  },
  /** Per minute of sound. */
  speech: {
    openai: { "whisper-1": "0.006", "gpt-4o-transcribe": "0.006", "gpt-4o-mini-transcribe": "0.003" },
    groq: { "whisper-large-v3": "0.00185", "whisper-large-v3-turbo": "0.000667" },
    deepgram: { "nova-3": "0.0043", "nova-2": "0.0043" },
    elevenlabs: { scribe_v1: "0.006667" },
    assemblyai: { universal: "0.0025" },
  },
};

export type TokenPrice = { readonly input: string; readonly cached: string | null; readonly output: string };
export type PriceTable = {
  readonly version: string;
  readonly currency: string;
  readonly language: Readonly<Record<string, Readonly<Record<string, TokenPrice>>>>;
  readonly speech: Readonly<Record<string, Readonly<Record<string, string>>>>;
};

/** The price of a model by its name or by the name without its date; undefined where it has none. */
export function priceOf<Price>(models: Readonly<Record<string, Price>> | undefined, model: string): Price | undefined {
  if (models === undefined) return undefined;
  const undated = model.replace(/-(?:\d{8}|\d{4}-\d{2}-\d{2}|latest)$/, "");
  return Object.entries(models).find(([name]) => name === model || name === undated)?.[1];
}
