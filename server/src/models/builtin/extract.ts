import type { FieldDef } from "@aftercall/contract/analysis/plan.ts";
import type { ExtractedField } from "@aftercall/contract/analysis/run.ts";
import type { Transcript, Turn } from "@aftercall/contract/call.ts";

import { sentenceSpans } from "#/text/segments.ts";
import { speakersOf } from "#/text/sides.ts";
import { type TokensOfTurn, tokensOfTurns } from "#/text/tokens-of-turns.ts";
import { isSpeech, turnsOf } from "#/text/turns.ts";

import { asksForSomething } from "./asking.ts";
import { type Candidate, empty, settleField } from "./candidates.ts";
import { findEntries, gazetteerOf } from "./gazetteer.ts";
import { inForm, parsers } from "./parse.ts";
import type { Surroundings } from "./parsers/parser.ts";
import { compilePattern } from "./pattern/compile.ts";
import { PatternError } from "./pattern/parse.ts";
import { type Budget, search } from "./pattern/search.ts";

/**
 * The values of a plan's fields that code can find: by list, by pattern, by parser. Every value names the words it was read
 * from. Fields of the kind `ai` are `skipped`: they need a language model. Tenants' patterns run in time that is bounded by
 * steps, not by a clock, so the same call always gives the same answer.
 */
export function extractFields(
  transcript: Transcript,
  fields: readonly FieldDef[],
  around: Omit<Surroundings, "language" | "spend">,
): ExtractedField[] {
  const turns = turnsOf(transcript);
  const said = turns.flatMap((turn, index) => (isSpeech(turn) ? [{ turn, index }] : []));
  const call: Call = {
    turns,
    said,
    around: { ...around, language: transcript.language },
    looks: new Map(),
    tokens: tokensOfTurns(turns),
    isSaidBy: speakersOf(turns),
    steps: stepsOfCall,
  };
  return fields.map((field) => extract(field, call));
}

/** About 20 ns each on a small machine; a field's pattern takes a few steps for each character. */
const stepsOfField = 2_000_000;
const stepsOfCall = 10_000_000;
/** Characters with digits or names of days in them, in one call; an hour of people talking has half of it. */
const looksMax = 40_000;

type Said = { readonly turn: Turn; readonly index: number };
type Call = {
  readonly turns: readonly Turn[];
  readonly said: readonly Said[];
  readonly around: Omit<Surroundings, "spend">;
  /** Characters that each parser has looked at closely. */
  readonly looks: Map<string, number>;
  readonly tokens: TokensOfTurn;
  readonly isSaidBy: ReturnType<typeof speakersOf>;
  /** Steps that patterns may still take in this call. */
  steps: number;
};

function extract(field: FieldDef, call: Call): ExtractedField {
  const { source_roles: roles } = field;
  const said = call.said.filter(({ turn }) => roles.length === 0 || roles.some((role) => call.isSaidBy(turn, role)));
  switch (field.kind) {
    case "ai":
      return { ...empty(field.name, "llm"), state: "skipped", rationale: "Needs a language model." };
    case "gazetteer":
      return settleField(
        field,
        "gazetteer",
        said.flatMap((one) => listed(field, one, call)),
        call.turns,
      );
    case "parser":
      return settleField(
        field,
        "parser",
        said.flatMap((one) => parsed(field, one, call)),
        call.turns,
      );
    case "regex":
      return matched(field, said, call);
  }
}

function listed(field: FieldDef, { turn, index }: Said, call: Call): Candidate[] {
  const found = findEntries(gazetteerOf(field.entries), call.tokens(index));
  if (found.length === 0) return [];
  const sentences = sentenceSpans(turn.text, call.around.language);
  return found.map(({ value, start, end }) => {
    const sentence = sentences.find((span) => span.start <= start && start < span.end);
    const words = sentence ? turn.text.slice(sentence.start, sentence.end) : turn.text;
    return { value: inForm({ value }, field), turn: index, start, end, isAsked: asksForSomething(words) };
  });
}

function parsed({ parser, ...field }: FieldDef, { turn, index }: Said, { around, looks }: Call): Candidate[] {
  if (!parser) return [];
  const spend = (chars: number) => {
    const spent = looks.get(parser) ?? 0;
    looks.set(parser, spent + chars);
    return spent < looksMax;
  };
  return parsers[parser](turn.text, { ...around, spend }).map((one) => ({
    ...one,
    value: inForm(one, field),
    turn: index,
  }));
}

function matched(field: FieldDef, said: readonly Said[], call: Call): ExtractedField {
  const skipped = (rationale: string) => ({ ...empty(field.name, "regex"), state: "skipped", rationale }) as const;
  const budget = { steps: Math.min(stepsOfField, call.steps) };
  const before = budget.steps;
  try {
    const program = compilePattern(field.regex ?? "");
    const candidates: Candidate[] = [];
    for (const { turn, index } of said) {
      const found = matchesIn(program, turn.text, budget);
      if (found === "exhausted") return skipped("The pattern takes too long on this call; make it more exact.");
      candidates.push(...found.map((one) => ({ ...one, value: inForm(one, field), turn: index })));
    }
    return settleField(field, "regex", candidates, call.turns);
  } catch (error) {
    if (error instanceof PatternError) return skipped(`The pattern cannot be used: ${error.message}.`);
    throw error;
  } finally {
    call.steps -= before - budget.steps;
  }
}

const matchesMax = 20;

function matchesIn(program: ReturnType<typeof compilePattern>, text: string, budget: Budget) {
  const found: { value: string; start: number; end: number }[] = [];
  for (let from = 0; from <= text.length && found.length < matchesMax;) {
    const match = search(program, text, from, budget);
    if (match === "exhausted") return match;
    if (!match) break;
    const { start, end } = match.group ?? match;
    if (end > start) found.push({ value: text.slice(start, end), start, end });
    from = Math.max(match.end, match.start + 1);
  }
  return found;
}
