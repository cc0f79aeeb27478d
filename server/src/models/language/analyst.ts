import { createHash, createHmac } from "node:crypto";

import type { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import type { PromptVersion } from "@aftercall/contract/analysis/prompt.ts";
import type { CriterionResult } from "@aftercall/contract/analysis/run.ts";

import type { GuardedHttp } from "#/kernel/net/http.ts";
import type { Tracing } from "#/kernel/tracing.ts";

import type { PriceUsage } from "../cost.ts";
import { withSpent } from "../failure.ts";
import type {
  Analysis,
  Analyst,
  AnalystAnswer,
  LanguageSection,
  SectionAnswer,
  SectionValues,
  VerifyQuote,
} from "./answer.ts";
import type { Part } from "./ask.ts";
import { bounded, scoreCeiling } from "./bound.ts";
import type { LanguageEngine } from "./engine.ts";
import { createWitness } from "./evidence.ts";
import { createGenerate, type Generate } from "./generate.ts";
import { turnsToGrader } from "./injection.ts";
import { judgedTwice } from "./judged-twice.ts";
import { keepingBooks } from "./ledger.ts";
import { instructionsFor } from "./prompts/instructions.ts";
import { notesInstructions } from "./prompts/notes.ts";
import { read, type Reading } from "./read.ts";
import { askedCriteria, askedFields, asksForTopics } from "./schema.ts";
import { coachingOf } from "./sections/coaching.ts";
import { criteriaOf } from "./sections/evaluation.ts";
import { fieldsOf } from "./sections/extraction.ts";
import { sentimentOf } from "./sections/sentiment.ts";
import { summaryOf } from "./sections/summary.ts";
import { topicsOf } from "./sections/topics.ts";
import { traced } from "./traced.ts";

export type AnalystOptions = {
  readonly http: GuardedHttp;
  readonly price: PriceUsage;
  readonly verifyQuote: VerifyQuote;
  /** Makes the marks that frame the data of each call: a caller cannot know them, and the same call has the same. */
  readonly markKey: Buffer;
  readonly tracing?: Tracing | null;
};

/**
 * Reads calls with a language model. A model has no tools and no memory: all it can do is fill in the sections that it is asked
 * for, and each of its claims counts for the words of the call that stand behind it.
 */
export function createAnalyst(engine: LanguageEngine, options: AnalystOptions): Analyst {
  const untraced = createGenerate(engine, options.http);
  const { tracing, price } = options;
  const bare = tracing ? traced(untraced, engine, tracing, price) : untraced;
  const refOf: Analyst["refOf"] = (plan, sections) => {
    const version = versionFor(plan, engine);
    const shape = { version, mark: "", language: plan.summary.language ?? engine.settings.language };
    const prompt = [
      instructionsFor(plan, sections, { ...shape, source: "call" }),
      instructionsFor(plan, sections, { ...shape, source: "notes" }),
      notesInstructions(plan, sections, { mark: "", pointsMax: 0 }),
    ];
    return {
      kind: "llm",
      provider: engine.provider,
      model: engine.model,
      version,
      prompt_sha256: createHash("sha256").update(JSON.stringify(prompt)).digest("hex"),
    };
  };
  return {
    refOf,
    async analyse(analysis) {
      const books = keepingBooks(bare, engine, options.price, analysis.answers);
      try {
        const answered = await analyse(books.generate, readingOf(engine, options, analysis));
        const { flags } = answered;
        return {
          ...answered,
          engine: refOf(analysis.plan, analysis.sections),
          flags: books.seemsCut() ? [...flags, "prompt_seems_cut"] : flags,
          ...books.spent(),
        };
      } catch (error) {
        throw withSpent(error, books.spent());
      }
    },
  };
}

function readingOf(engine: LanguageEngine, { markKey, verifyQuote }: AnalystOptions, analysis: Analysis): Reading {
  const { transcript, plan, sections, facts, metrics, signal } = analysis;
  const key = createHmac("sha256", markKey).update(JSON.stringify(transcript.turns)).digest("hex");
  return {
    turns: transcript.turns,
    withheld: new Set(),
    plan,
    sections: sections.filter((name) => !isEmpty(name, analysis)),
    facts,
    metrics,
    version: versionFor(plan, engine),
    language: plan.summary.language ?? engine.settings.language ?? transcript.language,
    mark: `DATA-${key.slice(0, 24)}`,
    settings: engine.settings,
    verifyQuote,
    signal,
  };
}

/** The plan's own wording, else the one that is set with the engine. */
function versionFor(
  { engine: { prompt_version: chosen } }: PlanDefinition,
  { settings }: LanguageEngine,
): PromptVersion {
  return chosen ?? settings.promptVersion;
}

/** Nothing is asked where the plan has nothing that only a model can say. */
function isEmpty(name: LanguageSection, { plan }: Pick<Analysis, "plan">): boolean {
  if (name === "extraction") return askedFields(plan).length === 0;
  if (name === "topics") return !asksForTopics(plan);
  return name === "evaluation" && askedCriteria(plan).length === 0;
}

async function analyse(generate: Generate, reading: Reading): Promise<Pick<AnalystAnswer, "sections" | "flags">> {
  const { turns, plan, verifyQuote } = reading;
  const witness = createWitness(turns, verifyQuote, new Set());
  const suspicious = turnsToGrader(turns);
  const flags = new Set(suspicious.size > 0 ? ["addresses_grader"] : []);
  const parts = reading.sections.length > 0 ? await read(generate, reading) : {};

  let evaluation = sectionOf(parts.evaluation, (value) => criteriaOf(value, askedCriteria(plan), witness));
  if (evaluation?.ok && suspicious.size > 0) {
    evaluation = await judgedTwice(generate, reading, evaluation.value, suspicious, flags);
  }
  if (evaluation?.ok) evaluation = { ok: true, value: believed(evaluation.value, reading, flags) };
  const sections = {
    summary: sectionOf(parts.summary, (value) => summaryOf(value, witness, reading.language)),
    extraction: sectionOf(parts.extraction, (value) => fieldsOf(value, askedFields(plan), witness, suspicious)),
    topics: sectionOf(parts.topics, (value) => topicsOf(value, plan, witness, suspicious)),
    sentiment: sectionOf(parts.sentiment, (value) => sentimentOf(value, turns, witness, suspicious)),
    evaluation,
    coaching: sectionOf(parts.coaching, (value) => coachingOf(value, plan.rubric, witness)),
  };
  return { sections: known(sections), flags: [...flags] };
}

/** Verdicts as far as the facts of the call allow them. */
function believed(results: CriterionResult[], reading: Reading, flags: Set<string>) {
  const within = bounded(results, scoreCeiling(reading));
  if (within === null) return results;
  flags.add("score_bounded").add("needs_review");
  return within;
}

function sectionOf<Value>(part: Part | undefined, make: (value: unknown) => Value): SectionAnswer<Value> | undefined {
  return part?.ok ? { ok: true, value: make(part.value) } : part;
}

type Sections = { readonly [Name in LanguageSection]: SectionAnswer<SectionValues[Name]> | undefined };

function known(sections: Sections): AnalystAnswer["sections"] {
  return Object.fromEntries(Object.entries(sections).filter(([, answer]) => answer !== undefined));
}
