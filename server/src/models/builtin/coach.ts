import type { Criterion, Rubric } from "@aftercall/contract/analysis/plan.ts";
import type { Coaching, CriterionResult } from "@aftercall/contract/analysis/run.ts";
import type { Transcript } from "@aftercall/contract/call.ts";

import { type Dictionary, dictionaryFor, within } from "./languages/dictionary.ts";

/**
 * Coaching out of what code decided: for each criterion that was not met the number or phrase, what was wanted, and the
 * place to listen to. Plain sentences without praise or blame, in the language given; what a model judged is left to the
 * model. The words of the transcript appear as quotes only.
 */
export function coachFromRules(
  rubric: Rubric,
  results: readonly CriterionResult[],
  transcript: Transcript,
  language: string | null = transcript.language,
): Coaching {
  const dictionary = dictionaryFor(language);
  const criteria = new Map(rubric.criteria.map((criterion) => [criterion.id, criterion]));
  const decided = results.flatMap((result) => {
    const criterion = criteria.get(result.criterion_id);
    return criterion && isByCode(criterion) ? [{ criterion, result }] : [];
  });
  const failed = decided.filter(({ result }) => result.verdict === "not_met");
  const met = decided.filter(({ result }) => result.verdict === "met");
  return {
    strengths: met.map(({ result }) => sentence(result, dictionary)),
    improvements: failed.map(({ criterion, result }) => ({
      text: sentence(result, dictionary),
      why: why(criterion, dictionary),
      say_instead: sayInstead(criterion, transcript.language),
      criterion_id: criterion.id,
      evidence: result.evidence,
    })),
    keep: met.map(({ result }) => within(dictionary, result.name)),
    start: failed
      .filter(({ criterion }) => wants(criterion) === "more")
      .map(({ result }) => within(dictionary, result.name)),
    stop: failed
      .filter(({ criterion }) => wants(criterion) === "less")
      .map(({ result }) => result.rationale ?? result.name),
    highlights: [...highlights("negative", failed), ...highlights("positive", met)],
  };
}

type Decided = { readonly criterion: Criterion; readonly result: CriterionResult };

function isByCode({ kind }: Criterion): boolean {
  return kind === "metric" || kind === "phrase" || kind === "extraction";
}

/**
 * Whether a criterion asks for more of something or for less of it. Names say what is wanted, so what to begin with is called by its
 * name, and what to leave by what was heard. Null: for a number between two, which can be missed on either side.
 */
function wants({ kind, phrase, metric }: Criterion): "more" | "less" | null {
  if (kind === "phrase") return phrase?.negate ? "less" : "more";
  if (kind !== "metric") return "more";
  if (!metric || metric.op === "between") return null;
  return metric.op === ">" || metric.op === ">=" ? "more" : "less";
}

function sentence({ name, rationale }: CriterionResult, dictionary: Dictionary): string {
  return rationale ? `${within(dictionary, name)}. ${rationale}` : name;
}

function why({ description, auto_fail, weight, max_points }: Criterion, dictionary: Dictionary): string {
  if (description) return description;
  if (auto_fail) return dictionary.failsWithout;
  return dictionary.worth(Number((weight * max_points).toFixed(2)));
}

/** A phrase that was wanted and not said, in the language of the call where the list has one. */
function sayInstead({ phrase }: Criterion, language: string | null): string | null {
  if (!phrase || phrase.negate) return null;
  const isHebrewCall = language?.toLowerCase().startsWith("he") ?? false;
  return phrase.any_of.find((one) => /[\u05d0-\u05ea]/.test(one) === isHebrewCall) ?? phrase.any_of[0] ?? null;
}

function highlights(kind: "positive" | "negative", decided: readonly Decided[]): Coaching["highlights"] {
  return decided.flatMap(({ result }) => {
    const [evidence] = result.evidence;
    return evidence ? [{ label: result.name, kind, evidence }] : [];
  });
}
