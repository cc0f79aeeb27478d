import type { MetricSet } from "@aftercall/contract/analysis/metrics.ts";
import type { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import type { PromptVersion } from "@aftercall/contract/analysis/prompt.ts";
import type { Turn } from "@aftercall/contract/call.ts";

import { GiveUp } from "../failure.ts";
import type { CallFacts, LanguageSection, VerifyQuote } from "./answer.ts";
import { ask, type Part } from "./ask.ts";
import type { LanguageSettings } from "./engine.ts";
import type { Generate } from "./generate.ts";
import { notesOf } from "./notes.ts";
import { factsFor, framed, instructionsFor } from "./prompts/instructions.ts";
import { quartersOf } from "./quarters.ts";
import { sectionSchema } from "./schema.ts";
import { estimateTokens } from "./tokens.ts";
import { linesOf, renderLines } from "./turns.ts";

export type Reading = {
  readonly turns: readonly Turn[];
  /** Turns whose words are withheld. */
  readonly withheld: ReadonlySet<number>;
  readonly plan: PlanDefinition;
  readonly version: PromptVersion;
  readonly sections: readonly LanguageSection[];
  readonly facts: CallFacts;
  readonly metrics: readonly MetricSet[];
  /** The language to write in; null for the call's own. */
  readonly language: string | null;
  /** Frames the data; no caller knows it. */
  readonly mark: string;
  readonly settings: LanguageSettings;
  readonly verifyQuote: VerifyQuote;
  readonly signal: AbortSignal;
};

export type Parts = Partial<Record<LanguageSection, Part>>;

/**
 * Has a model read a call and answer some sections: in one request where the call fits into its context, else from notes of its
 * parts. Sections that were cut because all of them together were too long are asked again, each alone.
 * @throws Retry, GiveUp
 */
export async function read(generate: Generate, reading: Reading): Promise<Parts> {
  const data = await dataFor(generate, reading);
  const together = await askFor(generate, reading, reading.sections, data);
  const cut = reading.sections.filter((name) => isCut(together[name]));
  if (cut.length === 0 || reading.sections.length === 1) return together;
  const alone = await Promise.all(cut.map((name) => askFor(generate, reading, [name], data)));
  return Object.assign(together, ...alone);
}

type Data = { readonly source: "call" | "notes"; readonly text: string };

async function dataFor(generate: Generate, reading: Reading): Promise<Data> {
  const lines = linesOf(reading.turns, reading.withheld);
  const text = renderLines(lines);
  const { contextTokens, outputTokensMax } = reading.settings;
  const room = contextTokens - outputTokensMax - spareTokens;
  const roomForData = room - estimateTokens(instructionsOf(reading, reading.sections, "notes"));
  if (estimateTokens(text) <= roomForData) return { source: "call", text };
  if (roomForData < roomMin) {
    throw new GiveUp("engine_rejected", {
      detail: `The plan is too long for a context of ${contextTokens} tokens; set context_tokens, or ask for fewer fields`,
    });
  }
  return { source: "notes", text: await notesOf(generate, reading, lines, { room, roomForData }) };
}

function askFor(
  generate: Generate,
  reading: Reading,
  sections: readonly LanguageSection[],
  { source, text }: Data,
): Promise<Parts> {
  const { plan, facts, metrics, turns, mark, signal } = reading;
  const quarters = sections.includes("sentiment") ? quartersOf(turns) : null;
  return ask(generate, {
    instructions: instructionsOf(reading, sections, source),
    prompt: `${factsFor(facts, metrics, quarters)}\n\n${framed(mark, text)}`,
    parts: Object.fromEntries(sections.map((name) => [name, sectionSchema(plan, name)])),
    signal,
  });
}

function instructionsOf(reading: Reading, sections: readonly LanguageSection[], source: Data["source"]): string {
  const { plan, version, mark, language } = reading;
  return instructionsFor(plan, sections, { version, mark, language, source });
}

function isCut(part: Part | undefined): boolean {
  return part?.ok === false && part.reason === "output_truncated";
}

/** For the facts, the marks and what the estimate misses. */
const spareTokens = 300;
const roomMin = 400;
