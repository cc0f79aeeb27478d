import type { MetricSet, MetricValue } from "@aftercall/contract/analysis/metrics.ts";
import type { Criterion, MetricTest, Rubric } from "@aftercall/contract/analysis/plan.ts";
import type { CriterionResult, Evidence, ExtractedField } from "@aftercall/contract/analysis/run.ts";
import type { Transcript, Turn } from "@aftercall/contract/call.ts";

import { testMetric } from "#/metrics/test-metric.ts";
import { citeTurn } from "#/text/cite.ts";
import { tokensOfTurns } from "#/text/tokens-of-turns.ts";
import { turnsOf } from "#/text/turns.ts";

import { type Dictionary, dictionaryFor, within } from "./languages/dictionary.ts";
import { english } from "./languages/en.ts";
import { look, type Words } from "./track.ts";
import { measuredAgainst } from "./words.ts";

/**
 * The criteria of a rubric that code can decide: by a number, by a phrase, by a field. Those that need judgement are unknown
 * (`needs_llm`), and so is what cannot be measured; nothing is guessed from keywords.
 */
export function gradeByRules(rubric: Rubric, { transcript, metrics, fields, language }: About): CriterionResult[] {
  const turns = turnsOf(transcript);
  const dictionary = dictionaryFor(language ?? transcript.language);
  const words = { turns, tokens: tokensOfTurns(turns), metrics, dictionary };
  return rubric.criteria.map((criterion) => {
    const { id, max_points, weight, auto_fail } = criterion;
    const found = decide(criterion, words, fields);
    const points = found.verdict === "met" ? max_points : found.verdict === "not_met" ? 0 : null;
    return {
      criterion_id: id,
      name: nameOf(criterion, dictionary),
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
  /** In which what is found is said; null: in that of the call. */
  readonly language?: string | null;
};
type Said = Words & { readonly dictionary: Dictionary };
type Found = Pick<CriterionResult, "verdict"> & Partial<CriterionResult>;

/** The built-in rubric speaks the language of the call; a plan's own names are its own. */
function nameOf({ id, name }: Criterion, { criteria }: Dictionary): string {
  return (english.criteria[id] === name && criteria[id]) || name;
}

function decide(criterion: Criterion, words: Said, fields: About["fields"]): Found {
  switch (criterion.kind) {
    case "check":
    case "scale":
      return unknown("needs_llm", words.dictionary.needsModel);
    case "metric":
      return criterion.metric ? byMetric(criterion, criterion.metric, words) : unknown("not_configured", null);
    case "phrase":
      return byPhrase(criterion, words);
    case "extraction":
      return byField(
        fields.find(({ name }) => name === criterion.field),
        words.dictionary,
      );
  }
}

function unknown(reason: string, rationale: string | null): Found {
  return { verdict: "unknown", unknown_reason: reason, rationale };
}

function byMetric({ applies_to }: Criterion, test: MetricTest, { turns, metrics, dictionary }: Said): Found {
  const { value, holds } = testMetric(test, metrics, applies_to);
  if (!value || holds === null) {
    return unknown("not_measurable", dictionary.notKnown(test.key, value?.null_reason ?? null));
  }
  const rationale = measuredAgainst(value, test, dictionary);
  if (holds) return { verdict: "met", rationale };
  return { verdict: "not_met", rationale, evidence: placesOf(value, turns) };
}

const placesMax = 3;

/** The turns at which it happened, so that a person can listen there. */
function placesOf({ items }: MetricValue, turns: readonly Turn[]): Evidence[] {
  const indexes = (items ?? []).flatMap(({ turn }) => (turn !== null && turns[turn] ? [turn] : []));
  return indexes.slice(0, placesMax).map((index) => citeTurn(turns, index));
}

function byPhrase({ phrase, applies_to }: Criterion, words: Said): Found {
  const { dictionary } = words;
  if (!phrase) return unknown("not_configured", null);
  const { hit, isKnown } = look(words, phrase, phrase.role ?? applies_to);
  if (!isKnown) return unknown("not_measurable", dictionary.noSuchPart);
  const evidence = hit.evidence.slice(0, placesMax);
  const range = hit.searched && { from: hit.searched.from_turn, to: hit.searched.to_turn };
  const isSaid = evidence.length > 0;
  // Of what was said the words themselves, of what was not the words that would have done.
  const phrases = isSaid ? [...new Set(evidence.map(({ quote }) => quote))] : phrase.any_of.slice(0, 3);
  const quotes = phrases.map((one) => `“${one}”`);
  const isolated = quotes.map((quote) => within(dictionary, quote)).join(", ");
  const said = dictionary.said(isolated, isSaid, range);
  const lacking = isSaid ? dictionary.theNumber : quotes.join(", ") || dictionary.theNumber;
  const missing = hit.hit || phrase.negate ? null : lacking;
  return {
    verdict: hit.hit ? "met" : "not_met",
    rationale: phrase.any_of.length === 0 ? null : said,
    missing,
    evidence,
  };
}

function byField(field: ExtractedField | undefined, dictionary: Dictionary): Found {
  const name = within(dictionary, field?.name ?? "");
  switch (field?.state) {
    case "found":
      return { verdict: "met", evidence: field.evidence, rationale: dictionary.field(name, "found") };
    case "not_mentioned":
      return { verdict: "not_met", rationale: dictionary.field(name, "not_mentioned"), missing: field.name };
    case "ambiguous":
      return { ...unknown("field_ambiguous", dictionary.field(name, "ambiguous")), evidence: field.evidence };
    case "invalid":
      return { ...unknown("field_invalid", field.rationale), evidence: field.evidence };
    case "skipped":
      return unknown(field.method === "llm" ? "needs_llm" : "field_skipped", field.rationale);
    case "failed":
      return unknown("field_failed", field.rationale);
    case undefined:
      return unknown("field_missing", dictionary.fieldMissing);
  }
}
