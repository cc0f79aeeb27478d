import type { MetricSet, MetricValue } from "@aftercall/contract/analysis/metrics.ts";
import type { Criterion, MetricTest, Rubric } from "@aftercall/contract/analysis/plan.ts";
import type { CriterionResult, Evidence, ExtractedField } from "@aftercall/contract/analysis/run.ts";
import type { Transcript, Turn } from "@aftercall/contract/call.ts";

import { testMetric } from "#/metrics/test-metric.ts";
import { citeTurn } from "#/text/cite.ts";
import { tokensOfTurns } from "#/text/tokens-of-turns.ts";
import { turnsOf } from "#/text/turns.ts";

import { look, type Words } from "./track.ts";
import { measured, wanted } from "./words.ts";

/**
 * The criteria of a rubric that code can decide: by a number, by a phrase, by a field. Those that need judgement are unknown
 * (`needs_llm`), and so is what cannot be measured; nothing is guessed from keywords.
 */
export function gradeByRules(rubric: Rubric, { transcript, metrics, fields }: About): CriterionResult[] {
  const turns = turnsOf(transcript);
  const words = { turns, tokens: tokensOfTurns(turns), metrics };
  return rubric.criteria.map((criterion) => {
    const { id, name, max_points, weight, auto_fail } = criterion;
    const found = decide(criterion, words, fields);
    const points = found.verdict === "met" ? max_points : found.verdict === "not_met" ? 0 : null;
    return {
      criterion_id: id,
      name,
      max_points,
      weight,
      auto_fail,
      unknown_reason: null,
      rationale: null,
      missing: null,
      evidence: [],
      confidence: points === null ? null : 1,
      checks: [],
      ...found,
      points,
    };
  });
}

type About = {
  readonly transcript: Transcript;
  /** The set from sound first, where there is one. */
  readonly metrics: readonly MetricSet[];
  readonly fields: readonly ExtractedField[];
};
type Found = Pick<CriterionResult, "verdict"> & Partial<CriterionResult>;

function decide(criterion: Criterion, words: Words, fields: About["fields"]): Found {
  switch (criterion.kind) {
    case "check":
    case "scale":
      return unknown("needs_llm", "Needs a language model.");
    case "metric":
      return criterion.metric ? byMetric(criterion, criterion.metric, words) : unknown("not_configured", null);
    case "phrase":
      return byPhrase(criterion, words);
    case "extraction":
      return byField(fields.find(({ name }) => name === criterion.field));
  }
}

function unknown(reason: string, rationale: string | null): Found {
  return { verdict: "unknown", unknown_reason: reason, rationale };
}

function byMetric({ applies_to }: Criterion, test: MetricTest, { turns, metrics }: Words): Found {
  const { value, holds } = testMetric(test, metrics, applies_to);
  if (!value || holds === null) {
    const reason = value?.null_reason ? ` (${value.null_reason})` : "";
    return unknown("not_measurable", `${test.key} is not known for this call${reason}.`);
  }
  const rationale = `${measured(value)}; wanted ${wanted(test, value.unit)}.`;
  if (holds) return { verdict: "met", rationale };
  return { verdict: "not_met", rationale, evidence: placesOf(value, turns) };
}

const placesMax = 3;

/** The turns at which it happened, so that a person can listen there. */
function placesOf({ items }: MetricValue, turns: readonly Turn[]): Evidence[] {
  const indexes = (items ?? []).flatMap(({ turn }) => (turn !== null && turns[turn] ? [turn] : []));
  return indexes.slice(0, placesMax).map((index) => citeTurn(turns, index));
}

function byPhrase({ phrase, applies_to }: Criterion, words: Words): Found {
  if (!phrase) return unknown("not_configured", null);
  const { hit, isKnown } = look(words, phrase, phrase.role ?? applies_to);
  if (!isKnown) return unknown("not_measurable", "The part of the call that it is about cannot be told.");
  const evidence = hit.evidence.slice(0, placesMax);
  const range = hit.searched ? ` in turns ${hit.searched.from_turn} to ${hit.searched.to_turn}` : "";
  const what = phrase.any_of.length === 0 ? "The number asked for" : `“${phrase.any_of.slice(0, 3).join("”, “")}”`;
  const said = evidence.length > 0 ? `${what} was said${range}.` : `${what} was not said${range}.`;
  const missing = hit.hit || phrase.negate ? null : what;
  return {
    verdict: hit.hit ? "met" : "not_met",
    rationale: phrase.any_of.length === 0 ? null : said,
    missing,
    evidence,
  };
}

function byField(field: ExtractedField | undefined): Found {
  switch (field?.state) {
    case "found":
      return { verdict: "met", evidence: field.evidence, rationale: `${field.name} was found.` };
    case "not_mentioned":
      return { verdict: "not_met", rationale: `${field.name} was not mentioned.`, missing: field.name };
    case "ambiguous":
      return { ...unknown("field_ambiguous", `Several values of ${field.name} were said.`), evidence: field.evidence };
    case "invalid":
      return { ...unknown("field_invalid", field.rationale), evidence: field.evidence };
    case "skipped":
      return unknown(field.method === "llm" ? "needs_llm" : "field_skipped", field.rationale);
    case undefined:
      return unknown("field_missing", "The field was not looked for.");
  }
}
