import type { Usage } from "@aftercall/contract/analysis/engine.ts";

/** Nothing is known of what was consumed. */
export const unknownUsage: Usage = {
  input_tokens: null,
  cached_input_tokens: null,
  output_tokens: null,
  reasoning_tokens: null,
  audio_ms: null,
};

/** Sums what is known; what nobody told stays null. */
export function sumUsage(all: readonly Usage[]): Usage {
  return {
    input_tokens: sum(all.map((one) => one.input_tokens)),
    cached_input_tokens: sum(all.map((one) => one.cached_input_tokens)),
    output_tokens: sum(all.map((one) => one.output_tokens)),
    reasoning_tokens: sum(all.map((one) => one.reasoning_tokens)),
    audio_ms: sum(all.map((one) => one.audio_ms)),
  };
}

function sum(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
}
