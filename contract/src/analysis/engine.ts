import { z } from "zod";

import { Money } from "../call.ts";

/** Who made a result: `builtin` is aftercall's own code, without a model; `provider` is what the provider of the call sent. */
export const EngineRef = z.object({
  kind: z.enum(["builtin", "llm", "stt", "provider", "human"]),
  provider: z.string().nullable(),
  model: z.string().nullable(),
  /** Of our own code: the version of its rules. Of a model: of the prompt. */
  version: z.string().nullable(),
  prompt_sha256: z.string().nullable(),
});
export type EngineRef = z.infer<typeof EngineRef>;

/** What an engine consumed. Null where it does not say: never zero. */
export const Usage = z.object({
  input_tokens: z.number().int().nullable(),
  cached_input_tokens: z.number().int().nullable(),
  output_tokens: z.number().int().nullable(),
  reasoning_tokens: z.number().int().nullable(),
  audio_ms: z.number().int().nullable(),
});
export type Usage = z.infer<typeof Usage>;

/**
 * One line of what something cost. `quantity` is decimal text; `money` is null where no price is known. Where one price pays for
 * several quantities it stands on a line of one `call`, and the quantities on lines without money.
 */
export const CostLine = z.object({
  component: z.enum(["transport", "stt", "llm", "tts", "platform", "analysis", "storage", "other"]),
  provider: z.string(),
  model: z.string().nullable(),
  quantity: z.string(),
  unit: z.enum(["ms", "input_token", "cached_input_token", "output_token", "char", "call", "credit", "byte"]),
  money: Money.nullable(),
  source: z.enum(["provider", "estimated"]),
  price_version: z.string().nullable(),
});
export type CostLine = z.infer<typeof CostLine>;

/** What a call cost: what its provider says (`source: "provider"`), then what our engines came to (`estimated`). */
export const CallCosts = z.object({
  data: z.array(CostLine),
  /** Per currency, as far as prices are known: what the provider charges for the whole call, and what our engines came to. */
  total: z.array(Money),
});
export type CallCosts = z.infer<typeof CallCosts>;
