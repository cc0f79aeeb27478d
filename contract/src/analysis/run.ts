import { z } from "zod";

import { TurnRole } from "../call.ts";
import { CostLine, EngineRef, Usage } from "./engine.ts";
import { StepReason, StepState } from "./step.ts";

/**
 * Words of the call that a claim rests on, found there by code. `turn` is the index of the turn in the transcript;
 * offsets are UTF-16 code units of its text. `failed`: the quote is not in the call, and the claim counts for nothing.
 */
export const Evidence = z.object({
  turn: z.number().int().nullable(),
  start_char: z.number().int().nullable(),
  end_char: z.number().int().nullable(),
  quote: z.string(),
  role: TurnRole.nullable(),
  start_ms: z.number().int().nullable(),
  end_ms: z.number().int().nullable(),
  verification: z.enum(["exact", "normalized", "failed"]),
});
export type Evidence = z.infer<typeof Evidence>;

export const Summary = z.object({
  title: z.string().nullable(),
  /** Markdown: `###` headings, bullets, line breaks. To be shown as text, never as HTML. */
  text: z.string(),
  language: z.string().nullable(),
  bullets: z.array(z.string()),
  next_steps: z.array(
    z.object({ text: z.string(), owner: TurnRole.nullable(), due: z.string().nullable(), evidence: z.array(Evidence) }),
  ),
  /** `extractive`: sentences of the call itself, chosen by code. */
  method: z.enum(["extractive", "llm", "provider"]),
  evidence: z.array(Evidence),
});
export type Summary = z.infer<typeof Summary>;

export const ExtractedField = z.object({
  name: z.string(),
  value: z.unknown().nullable(),
  /** `failed`: the model that the plan names for it gave nothing; `rationale` says why. */
  state: z.enum(["found", "not_mentioned", "ambiguous", "invalid", "skipped", "failed"]),
  confidence: z.number().nullable(),
  rationale: z.string().nullable(),
  candidates: z.array(z.unknown()),
  evidence: z.array(Evidence),
  method: z.enum(["regex", "gazetteer", "parser", "llm", "provider", "human"]),
  /** Where the plan names a model for this field: that one. */
  model: z.string().optional(),
});
export type ExtractedField = z.infer<typeof ExtractedField>;

export const TrackerHit = z.object({
  id: z.string(),
  name: z.string(),
  /** Of the tracker; absent where it has none. */
  topic: z.string().optional(),
  hit: z.boolean(),
  negated: z.boolean(),
  evidence: z.array(Evidence),
  /** Of an absence: the part of the call that was searched. */
  searched: z.object({ from_turn: z.number().int(), to_turn: z.number().int() }).nullable(),
  alert: z.boolean(),
});
export type TrackerHit = z.infer<typeof TrackerHit>;

/** Something that the call is about. */
export const Topic = z.object({
  name: z.string(),
  /** Who says so: trackers that name it, a language model with quotes that were found in the call, or both. */
  methods: z.array(z.enum(["tracker", "llm"])),
  /** How often it came up: the places in the call, and 1 for a hit that has none, as of a number. */
  count: z.number().int(),
  evidence: z.array(Evidence),
});
export type Topic = z.infer<typeof Topic>;

const feeling = z.number().min(-5).max(5).nullable();

/** How one side of the call felt, by its own words: −5 very bad, 0 neither, 5 very good. Null is "not known" and says why. */
export const RoleSentiment = z.object({
  role: z.enum(["agent", "customer"]),
  /** Over the whole call. */
  value: feeling,
  /** `said_nothing`, `unclear`, `no_evidence`, `quote_not_found`, `wrong_speaker`, `addresses_grader`; of a quarter also `elsewhere`. */
  null_reason: z.string().nullable(),
  first_quarter: feeling,
  last_quarter: feeling,
  /** The last quarter of the call minus its first. */
  trend: z.number().min(-10).max(10).nullable(),
  trend_null_reason: z.string().nullable(),
  evidence: z.array(Evidence),
});
export type RoleSentiment = z.infer<typeof RoleSentiment>;

export const Sentiment = z.object({ roles: z.array(RoleSentiment) });
export type Sentiment = z.infer<typeof Sentiment>;

export const Verdict = z.enum(["met", "partial", "not_met", "unknown", "not_applicable"]);
export type Verdict = z.infer<typeof Verdict>;

export const CriterionResult = z.object({
  criterion_id: z.string(),
  name: z.string(),
  verdict: Verdict,
  /** `needs_llm`, `quote_not_found`, `not_measurable`, … */
  unknown_reason: z.string().nullable(),
  points: z.number().nullable(),
  max_points: z.number(),
  weight: z.number(),
  auto_fail: z.boolean(),
  rationale: z.string().nullable(),
  missing: z.string().nullable(),
  evidence: z.array(Evidence),
  confidence: z.number().nullable(),
  checks: z.array(z.object({ id: z.string(), verdict: Verdict, evidence: z.array(Evidence) })),
});
export type CriterionResult = z.infer<typeof CriterionResult>;

/** A scorecard filled in. Unknown never counts as zero; `coverage` is the share of the rubric, by weight, that is known. */
export const Evaluation = z.object({
  result: z.enum(["pass", "fail", "unknown"]),
  /** 0 to 100 over what is known; null when nothing is. */
  score: z.number().nullable(),
  coverage: z.number(),
  results: z.array(CriterionResult),
  /** Something in the call tried to influence its grading; a person should look. */
  needs_review: z.boolean(),
  flags: z.array(z.string()),
});
export type Evaluation = z.infer<typeof Evaluation>;

export const Coaching = z.object({
  strengths: z.array(z.string()),
  improvements: z.array(
    z.object({
      text: z.string(),
      why: z.string(),
      say_instead: z.string().nullable(),
      criterion_id: z.string().nullable(),
      evidence: z.array(Evidence),
    }),
  ),
  /** What to go on doing, to begin with and to leave: short lines to take along, one for each thing. */
  keep: z.array(z.string()),
  start: z.array(z.string()),
  stop: z.array(z.string()),
  highlights: z.array(
    z.object({ label: z.string(), kind: z.enum(["positive", "negative", "key_moment"]), evidence: Evidence }),
  ),
});
export type Coaching = z.infer<typeof Coaching>;

export const SectionName = z.enum([
  "summary",
  "extraction",
  "tracking",
  "topics",
  "sentiment",
  "evaluation",
  "coaching",
]);
export type SectionName = z.infer<typeof SectionName>;

/** How one part of a run came out, and who made it. */
export const Section = z.object({
  state: StepState,
  reason: StepReason.nullable(),
  detail: z.string().nullable(),
  engine: EngineRef.nullable(),
});
export type Section = z.infer<typeof Section>;

export const RunStatus = z.enum(["queued", "running", "succeeded", "partial", "failed", "skipped"]);

/** What was made of one call by one version of a plan. A run never changes; doing it again is a new run. */
export const AnalysisRun = z.object({
  id: z.string(),
  call_id: z.string(),
  plan: z.object({ id: z.string(), version: z.number().int(), name: z.string() }),
  trigger: z.enum(["pipeline", "rerun", "bulk", "preview", "training", "provider"]),
  status: RunStatus,
  /** What the call shows. */
  is_current: z.boolean(),
  /** Made of words that a person has put right since: it stays, and says so. */
  is_stale: z.boolean(),
  /** Who made most of it; each section names its own. `provider`: the provider of the call. Null when every section was skipped. */
  engine: EngineRef.nullable(),
  sections: z.partialRecord(SectionName, Section),
  summary: Summary.nullable(),
  fields: z.array(ExtractedField),
  trackers: z.array(TrackerHit),
  /** Those that came up, the most frequent first. */
  topics: z.array(Topic),
  sentiment: Sentiment.nullable(),
  evaluation: Evaluation.nullable(),
  coaching: Coaching.nullable(),
  usage: Usage.nullable(),
  cost: z.array(CostLine),
  created_at: z.string(),
  finished_at: z.string().nullable(),
});
export type AnalysisRun = z.infer<typeof AnalysisRun>;

/** For each part of the analysis, which run counts: the one that the call shows, or another where it made nothing of this part. */
export const CurrentSections = z.partialRecord(SectionName, z.string());
export type CurrentSections = z.infer<typeof CurrentSections>;

/** What the provider made of the call itself. It is the provider's word: nothing in it rests on quotes that were checked. */
export const ProviderResult = z.object({
  run_id: z.string(),
  engine: EngineRef.nullable(),
  sections: z.partialRecord(SectionName, Section),
  summary: Summary.nullable(),
  fields: z.array(ExtractedField),
  evaluation: Evaluation.nullable(),
});
export type ProviderResult = z.infer<typeof ProviderResult>;

/** What a call shows, and beside it what its provider made of it. */
export const ShownAnalysis = AnalysisRun.extend({
  current: CurrentSections,
  provider: ProviderResult.nullable(),
});
export type ShownAnalysis = z.infer<typeof ShownAnalysis>;
