import { z } from "zod";

import { CallDirection, CallOutcome, Money, TurnRole } from "../call.ts";
import { LanguageCode } from "../language-code.ts";
import { PromptVersion } from "./prompt.ts";

// An analysis plan says what is made of a call. A published version never changes; a change is a new version.

const name = z.string().min(1).max(100);
const identifier = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,63}$/, "lower case letters, digits and _, as in service_category");

/** A metric held against a number. `between` takes two. */
export const MetricTest = z.strictObject({
  key: z.string().max(64),
  role: TurnRole.nullable().default(null),
  op: z.enum(["<", "<=", ">", ">=", "between"]),
  value: z.union([z.number(), z.tuple([z.number(), z.number()])]),
});
export type MetricTest = z.infer<typeof MetricTest>;

/** Looks for phrases, or for their absence, in a part of the call. */
export const Tracker = z.strictObject({
  id: identifier,
  name,
  topic: name
    .nullable()
    .default(null)
    .meta({ description: "What the call is about where it hits; several trackers may name one." }),
  any_of: z.array(z.string().min(1).max(200)).max(100).default([]),
  role: TurnRole.nullable().default(null),
  /** True: a hit is that none of the phrases was said in the range. */
  negate: z.boolean().default(false),
  range: z
    .strictObject({ from: z.number(), to: z.number(), unit: z.enum(["ms", "share", "turns"]) })
    .nullable()
    .default(null)
    .meta({ description: "Part of the call; negative numbers count from its end." }),
  metric: MetricTest.nullable().default(null),
  alert: z.boolean().default(false),
});
export type Tracker = z.infer<typeof Tracker>;

/** One entry of a list that values are recognised by. */
export const GazetteerEntry = z.strictObject({
  value: z.string().min(1).max(200),
  aliases: z.array(z.string().min(1).max(200)).max(50).default([]),
});

/** One thing to find out about the call. */
export const FieldDef = z.strictObject({
  name: identifier,
  description: z.string().max(1000).default(""),
  /** `ai` needs a language model; the others are found by code. */
  kind: z.enum(["ai", "regex", "gazetteer", "parser"]),
  /** JSON Schema (draft-07) of the value. */
  schema: z.record(z.string(), z.unknown()).default({ type: "string" }),
  regex: z.string().max(500).nullable().default(null),
  entries: z.array(GazetteerEntry).max(5000).default([]),
  parser: z.enum(["phone", "email", "date", "money", "order_id"]).nullable().default(null),
  source_roles: z.array(TurnRole).default([]).meta({ description: "Whose words count; empty for everybody's." }),
  required: z.boolean().default(false),
  when: z
    .strictObject({
      min_turns: z.number().int().min(0).max(1000).nullable().default(null),
      min_duration_ms: z.number().int().min(0).nullable().default(null),
      directions: z.array(CallDirection).default([]),
      outcomes: z.array(CallOutcome).default([]),
    })
    .prefault({})
    .meta({
      description: "In which calls it is looked for; in others it is `skipped`, with the reason. Empty: in all.",
    }),
  languages: z.array(LanguageCode).max(50).default([]).meta({
    description:
      "In calls of which languages it is looked for; in others it is `skipped`, with the reason. Empty: in all. A call whose language nobody knows is looked through.",
  }),
  /** Examples of values, shown to a model. */
  examples: z.array(z.unknown()).max(10).default([]),
  llm_override: z.string().trim().min(1).max(200).nullable().default(null).meta({
    description:
      "Of `ai`: another model of the same engine, at the same address and with the same key, that finds this field. Fields with the same one share a request.",
  }),
});
export type FieldDef = z.infer<typeof FieldDef>;

/** One line of the scorecard. `check` and `scale` need a language model; the others are decided by code. */
export const Criterion = z.strictObject({
  id: identifier,
  section: z.string().max(100).default(""),
  name,
  description: z.string().max(2000).default(""),
  kind: z.enum(["check", "scale", "metric", "extraction", "phrase"]),
  weight: z.number().positive().max(1000).default(1),
  max_points: z.number().positive().max(1000).default(1),
  auto_fail: z.boolean().default(false),
  applies_to: TurnRole.default("agent"),
  checks: z
    .array(
      z.strictObject({
        id: identifier,
        text: z.string().max(500),
        polarity: z.enum(["must", "must_not"]).default("must"),
      }),
    )
    .max(20)
    .default([]),
  metric: MetricTest.nullable().default(null),
  phrase: Tracker.nullable().default(null),
  field: identifier.nullable().default(null),
  anchors: z
    .array(z.strictObject({ score: z.number(), description: z.string().max(500) }))
    .max(10)
    .default([]),
  evidence_required: z.boolean().default(true),
  not_applicable_when: z.string().max(500).nullable().default(null).meta({
    description: "Of `check` and `scale`: when it does not count at all, in words for a language model.",
  }),
});
export type Criterion = z.infer<typeof Criterion>;

export const Rubric = z.strictObject({
  pass_threshold: z.number().min(0).max(100).default(70),
  min_coverage: z.number().min(0).max(1).default(0.6),
  criteria: z.array(Criterion).min(1).max(100),
});
export type Rubric = z.infer<typeof Rubric>;

/** Which calls a plan is for; empty for all. */
export const Applies = z.strictObject({
  providers: z.array(z.string().max(64)).default([]),
  directions: z.array(CallDirection).default([]),
  campaigns: z.array(z.string().max(64)).default([]),
  agents: z.array(z.string().max(200)).default([]),
  languages: z.array(LanguageCode).default([]),
  purposes: z.array(z.enum(["production", "training"])).default([]),
});
export type Applies = z.infer<typeof Applies>;

/** What a call must be for the steps of its analysis to run. A gate never removes a step: it is shown as skipped, with the reason. */
export const Gates = z.strictObject({
  min_turns: z.number().int().min(0).max(1000).default(2),
  min_customer_words: z.number().int().min(0).max(10_000).default(3),
  sample_rate: z.number().min(0).max(1).default(1),
  max_cost: Money.nullable().default(null).meta({
    description:
      "What engines may cost for one call, or for one re-run of it. Before each one is asked, what it would cost is estimated; what would go beyond is left out with the reason `cost_limit`.",
  }),
  languages: z.array(LanguageCode).default([]),
});

export const Redaction = z.strictObject({
  mode: z.enum(["off", "mask_outbound", "mask_before_llm", "mask_at_rest"]).default("off"),
  types: z
    .array(z.enum(["phone", "email", "card", "iban", "il_id", "birth_date", "address", "name"]))
    .default(["phone", "email", "card", "iban", "il_id"]),
  names: z.array(z.string().min(1).max(200)).max(5000).default([]),
  audio: z.boolean().default(false),
  erase_events: z.boolean().default(false).meta({
    description:
      "With `mask_at_rest`: what the provider sent is erased from the log of events once the call is settled.",
  }),
});
export type Redaction = z.infer<typeof Redaction>;

/** What a plan says. Every part has a default, so `{}` is a plan: metrics and an extractive summary. */
export const PlanDefinition = z.strictObject({
  applies_when: Applies.prefault({}),
  gates: Gates.prefault({}),
  recording: z.strictObject({ fetch: z.boolean().default(true) }).prefault({}),
  transcription: z
    .strictObject({
      prefer: z.enum(["provider", "stt"]).default("provider"),
      language: LanguageCode.nullable().default(null),
      hints: z.array(z.string().max(200)).max(100).default([]),
      /** Who speaks on which channel of a stereo recording, the first channel first; empty: by provider and direction. */
      channel_map: z.array(TurnRole).max(8).default([]),
    })
    .prefault({}),
  redaction: Redaction.prefault({}),
  summary: z
    .strictObject({
      enabled: z.boolean().default(true),
      instructions: z.string().max(4000).default(""),
      language: LanguageCode.nullable().default(null).meta({
        description:
          "Of the summary, and of what the built-in analyzer says in scorecards and coaching. Null: of what a language model writes, the language set with the engine; else the language of the call.",
      }),
      sentences_max: z.number().int().min(1).max(20).default(5),
    })
    .prefault({}),
  fields: z.array(FieldDef).max(100).default([]),
  trackers: z.array(Tracker).max(100).default([]),
  topics: z
    .strictObject({
      /** What a language model looks for, beside the topics of the trackers. */
      list: z
        .array(z.strictObject({ name, description: z.string().max(500).default("") }))
        .max(100)
        .default([]),
      free: z.boolean().default(false).meta({
        description: "Whether a language model may name topics that neither the list nor a tracker has.",
      }),
    })
    .prefault({}),
  sentiment: z
    .strictObject({
      enabled: z.boolean().default(false).meta({
        description:
          "Whether a language model says how the sides felt. No list of words can: without a model it stays unknown.",
      }),
    })
    .prefault({}),
  rubric: Rubric.nullable().default(null),
  coaching: z.strictObject({ enabled: z.boolean().default(true) }).prefault({}),
  provider: z
    .strictObject({
      /** Which run a call shows where its provider made one as well. `ours` shows the provider's where nothing came of ours. */
      show: z.enum(["ours", "provider"]).default("ours"),
    })
    .prefault({}),
  engine: z
    .strictObject({
      /** `auto`: the tenant's language model where one is set, the built-in analyzer otherwise. */
      use: z.enum(["auto", "builtin", "llm"]).default("auto"),
      /** What a section does when the model failed for good. */
      fallback: z.enum(["builtin", "none"]).default("builtin"),
      prompt_version: PromptVersion.nullable().default(null).meta({
        description:
          "The wording that a language model is asked in. Null: the one that is set with the engine. The run says which it was.",
      }),
    })
    .prefault({}),
});
export type PlanDefinition = z.infer<typeof PlanDefinition>;

export const PlanStatus = z.enum(["draft", "published", "archived"]);

/** One version of a plan. */
export const AnalysisPlan = z.object({
  id: z.string(),
  version: z.number().int(),
  name,
  status: PlanStatus,
  definition: PlanDefinition,
  created_at: z.string(),
  published_at: z.string().nullable(),
});
export type AnalysisPlan = z.infer<typeof AnalysisPlan>;
