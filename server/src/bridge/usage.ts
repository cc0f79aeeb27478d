import type { JsonObject } from "#/providers/json.ts";
import { numberOf, objectAt, objectOf } from "#/providers/read.ts";

/** What a call consumed. */
export type BridgeUsage = {
  readonly responses: number;
  readonly input_tokens: number;
  readonly cached_input_tokens: number;
  readonly output_tokens: number;
  /** Of turning the caller's words into text: tokens, or the length of the sound, as the model counts. */
  readonly transcription_input_tokens: number;
  readonly transcription_output_tokens: number;
  readonly transcription_ms: number;
};

/** Adds up what a model says that it consumed, response by response. */
export function createUsage() {
  const sum = {
    ...{ responses: 0, input_tokens: 0, cached_input_tokens: 0, output_tokens: 0 },
    ...{ transcription_input_tokens: 0, transcription_output_tokens: 0, transcription_ms: 0 },
  };
  return {
    response(usage: JsonObject | null): void {
      if (!usage) return;
      const details = objectAt(usage["input_token_details"]);
      sum.responses++;
      sum.input_tokens += countIn(usage["input_tokens"]);
      sum.cached_input_tokens += countIn(details["cached_tokens"]);
      sum.output_tokens += countIn(usage["output_tokens"]);
    },
    transcription(usage: JsonObject | null): void {
      if (!objectOf(usage)) return;
      sum.transcription_input_tokens += countIn(usage?.["input_tokens"]);
      sum.transcription_output_tokens += countIn(usage?.["output_tokens"]);
      sum.transcription_ms += Math.round(Math.max(0, numberOf(usage?.["seconds"]) ?? 0) * 1000);
    },
    total: (): BridgeUsage => ({ ...sum }),
  };
}

function countIn(value: unknown): number {
  return Math.max(0, Math.round(numberOf(value) ?? 0));
}
