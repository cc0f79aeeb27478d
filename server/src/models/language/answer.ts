import type { CostLine, EngineRef, Usage } from "@aftercall/contract/analysis/engine.ts";
import type { MetricSet } from "@aftercall/contract/analysis/metrics.ts";
import type { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import type {
  Coaching,
  CriterionResult,
  Evidence,
  ExtractedField,
  Sentiment,
  Summary,
} from "@aftercall/contract/analysis/run.ts";
import type { FailureReason } from "@aftercall/contract/analysis/step.ts";
import type { CallDirection, CallOutcome, Transcript, Turn, TurnRole } from "@aftercall/contract/call.ts";

/** What a language model can be asked for. Trackers are decided by code. */
export type LanguageSection = "summary" | "extraction" | "topics" | "sentiment" | "evaluation" | "coaching";

/** What each section is when it came out well. */
export type SectionValues = {
  readonly summary: Summary;
  /** Only the fields of kind `ai`, all of them. */
  readonly extraction: ExtractedField[];
  readonly topics: NamedTopics;
  readonly sentiment: Sentiment;
  /** Only the criteria of kind `check` and `scale`, all of them. */
  readonly evaluation: CriterionResult[];
  readonly coaching: Coaching;
};

/** What a model says the call is about, each with words of the call behind it. */
export type NamedTopics = {
  readonly topics: readonly NamedTopic[];
  /** What it named as well, without a quote that is in the call. */
  readonly unproven: readonly string[];
};

export type NamedTopic = { readonly topic: string; readonly evidence: readonly Evidence[] };

/** One section: good, or why not with what the model said. A bad one does not spoil the others. */
export type SectionAnswer<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly reason: FailureReason; readonly detail: string; readonly raw: string | null };

/** What is known of the call without any model; what a caller says cannot change it. */
export type CallFacts = {
  readonly outcome: CallOutcome | null;
  readonly direction: CallDirection | null;
  readonly durationMs: number | null;
  readonly startedAtMs: number | null;
  /** IANA name, to tell what "tomorrow" is. */
  readonly timeZone: string;
};

export type Analysis = {
  readonly transcript: Transcript;
  readonly plan: PlanDefinition;
  readonly sections: readonly LanguageSection[];
  readonly metrics: readonly MetricSet[];
  readonly facts: CallFacts;
  readonly signal: AbortSignal;
  /** Where answers are kept as soon as they came, so that an analysis that is begun again pays for none of them twice. */
  readonly answers?: KeptAnswers;
};

/** What a model answered to one request, as text. */
export type Generated = {
  readonly text: string;
  readonly ended: "stop" | "length" | "content_filter" | "other";
  readonly usage: Usage;
  /** Which one answered, by its own word; answers that were kept by an earlier version do not say. */
  readonly model?: string;
};

/** Answers of one call, under the SHA-256 of what was asked. */
export type KeptAnswers = {
  find(hash: Buffer): Promise<Generated | null>;
  keep(hash: Buffer, answer: Generated, cost: readonly CostLine[]): Promise<void>;
};

export type AnalystAnswer = {
  readonly sections: { readonly [Name in LanguageSection]?: SectionAnswer<SectionValues[Name]> };
  readonly engine: EngineRef;
  /** Of all requests that were made now, those that failed too; a kept answer costs nothing again. */
  readonly usage: Usage;
  readonly cost: readonly CostLine[];
  /** For `evaluate` and for people: `addresses_grader`, `needs_review`, `score_bounded`, `prompt_seems_cut`, … */
  readonly flags: readonly string[];
};

/** Finds a quote in the call: in the cited turn, else in another turn of the same role. `failed` where it is not. */
export type VerifyQuote = (
  claim: { readonly quote: string; readonly turn: number | null; readonly role?: TurnRole },
  turns: readonly Turn[],
) => Evidence;

export interface Analyst {
  /** Who will answer, for the hash of what a result was made from: the prompt and the schema are part of it. */
  refOf(plan: PlanDefinition, sections: readonly LanguageSection[]): EngineRef;
  /**
   * Asks for all sections, in one request where the call fits into the model's context.
   * @throws Retry, GiveUp when the request as a whole failed; a section that failed alone is in the answer.
   */
  analyse(analysis: Analysis): Promise<AnalystAnswer>;
}
