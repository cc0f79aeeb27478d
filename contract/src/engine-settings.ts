import { z } from "zod";

import { newestPrompt, PromptVersion } from "./analysis/prompt.ts";
import { Money } from "./call.ts";
import { LanguageCode } from "./language-code.ts";
import { idOf } from "./list.ts";

export const LanguageVendor = z.enum(["openai_compatible", "anthropic"]);
export const SpeechVendor = z.enum(["openai_compatible", "deepgram", "elevenlabs", "assemblyai"]);

/** Where each vendor is reached when nothing else is said. */
export const vendorUrls = {
  language: { openai_compatible: "https://api.openai.com/v1", anthropic: "https://api.anthropic.com/v1" },
  speech: {
    openai_compatible: "https://api.openai.com/v1",
    deepgram: "https://api.deepgram.com",
    elevenlabs: "https://api.elevenlabs.io",
    assemblyai: "https://api.assemblyai.com",
  },
} as const;

const decimal = z.string().regex(/^\d{1,9}(?:\.\d{1,9})?$/, "A decimal number as text: 12.50");
const currency = z.string().regex(/^[A-Z]{3}$/, "ISO 4217, as USD");

const BaseUrl = z.string().min(1).max(2048).meta({
  description: "Without the path of the route: `https://api.openai.com/v1`, `http://10.1.0.7:11434/v1`.",
});
const Model = z.string().trim().min(1).max(200);
const ApiKey = z
  .string()
  .trim()
  .min(1)
  .max(4096)
  .regex(/^[\x20-\x7e]+$/, "Letters, digits and signs that a header can carry")
  .nullable()
  .optional()
  .meta({ description: "Absent: the key stays as it is, as long as the host does. Null: none." });
const Budget = z
  .strictObject({ amount: decimal, currency })
  .nullable()
  .default(null)
  .meta({ description: "Money per calendar month (UTC). Work past it is skipped with the reason `cost_limit`." });

/** What a language model costs, where it is not in the table of prices or has another price. */
export const LanguagePrice = z.strictObject({
  currency: currency.default("USD"),
  input_per_million: decimal,
  cached_input_per_million: decimal.nullable().default(null),
  output_per_million: decimal,
});
export type LanguagePrice = z.infer<typeof LanguagePrice>;

export const SpeechPrice = z.strictObject({ currency: currency.default("USD"), per_minute: decimal });
export type SpeechPrice = z.infer<typeof SpeechPrice>;

export const LanguageEngineSettings = z.strictObject({
  context_tokens: z.number().int().min(2_000).max(10_000_000).default(128_000).meta({
    description: "What one request and its answer hold together. A longer call is read in parts.",
  }),
  output_tokens_max: z.number().int().min(256).max(200_000).default(8_000),
  response_format: z.enum(["schema", "json", "none"]).default("schema").meta({
    description:
      "What the server takes as `response_format`: a JSON Schema, `json_object`, or nothing. The schema is in the prompt in any case.",
  }),
  temperature: z.number().min(0).max(2).nullable().optional().meta({
    description: "Null: not sent. Absent: 0, and not sent to models that are known to refuse it.",
  }),
  timeout_ms: z.number().int().min(5_000).max(600_000).default(120_000),
  prompt_version: PromptVersion.default(newestPrompt).meta({
    description:
      "The wording that the model is asked in where a plan does not say. What is set stays, also when there is a newer one.",
  }),
  language: LanguageCode.nullable().default(null).meta({
    description: "What the model writes in where a plan does not say. Null: the language of the call.",
  }),
});

export const SpeechEngineSettings = z.strictObject({
  diarise: z.boolean().default(true).meta({
    description:
      "Ask who speaks, where a recording has one channel. Channels of a stereo recording are told apart anyway.",
  }),
  language: LanguageCode.nullable().default(null).meta({
    description: "What is spoken where neither a plan nor the provider says. Null: the engine finds out.",
  }),
  upload_bytes_max: z.number().int().min(1_000_000).max(5_000_000_000).optional().meta({
    description: "The largest file the engine takes; by default what the vendor says.",
  }),
});

export const PutLanguageEngine = z.strictObject({
  vendor: LanguageVendor.default("openai_compatible"),
  base_url: BaseUrl.optional(),
  model: Model,
  api_key: ApiKey,
  settings: LanguageEngineSettings.prefault({}),
  price: LanguagePrice.nullable().default(null),
  budget: Budget,
});
export type PutLanguageEngine = z.infer<typeof PutLanguageEngine>;

export const PutSpeechEngine = z.strictObject({
  vendor: SpeechVendor.default("openai_compatible"),
  base_url: BaseUrl.optional(),
  model: Model,
  api_key: ApiKey,
  settings: SpeechEngineSettings.prefault({}),
  price: SpeechPrice.nullable().default(null),
  budget: Budget,
});
export type PutSpeechEngine = z.infer<typeof PutSpeechEngine>;

/** Which model does the tenant's work. `none`: the built-in analyzer, and no speech-to-text. */
export const EngineView = z.object({
  kind: z.enum(["language", "speech"]),
  /** Set up by the tenant, or by the operator for everybody who has none of their own. */
  origin: z.enum(["tenant", "installation", "none"]),
  vendor: z.string().nullable(),
  provider: z.string().nullable(),
  /** Null where it is the operator's. */
  base_url: z.string().nullable(),
  model: z.string().nullable(),
  /** Whether there is a key; never the key. */
  api_key: z.object({ hint: z.string() }).nullable(),
  settings: z.record(z.string(), z.unknown()).nullable(),
  price: z.record(z.string(), z.unknown()).nullable(),
  budget: Money.nullable(),
  /** What was spent in this calendar month (UTC), as far as prices are known. */
  spent: z.array(Money),
  updated_at: z.string().nullable(),
});
export type EngineView = z.infer<typeof EngineView>;

/** What came back of one tiny request. */
export const EngineTest = z.object({
  ok: z.boolean(),
  /** In words, what to do about it where it failed. */
  detail: z.string(),
  reason: z.string().nullable(),
  model: z.string().nullable(),
  latency_ms: z.number().int(),
});
export type EngineTest = z.infer<typeof EngineTest>;

const day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/, "A day: 2026-11-21");

export const CostsQuery = z.strictObject({
  from: day.optional().meta({ description: "The first day (UTC); by default the first of this month." }),
  to: day.optional().meta({ description: "The last day (UTC); by default today." }),
  call_id: idOf("call").optional().meta({ description: "Only what was consumed for this call." }),
  campaign_id: idOf("campaign")
    .optional()
    .meta({ description: "Only what was consumed for the calls of this campaign." }),
});

/** What engines consumed on one day, for one step, with one model. */
export const CostRow = z.object({
  day: z.string(),
  step: z.string(),
  provider: z.string(),
  model: z.string().nullable(),
  unit: z.string(),
  quantity: z.string(),
  /** Null where no price is known. */
  money: Money.nullable(),
});

export const Costs = z.object({
  from: z.string(),
  to: z.string(),
  data: z.array(CostRow),
  /** The sum of what has a price, per currency. */
  total: z.array(Money),
});
