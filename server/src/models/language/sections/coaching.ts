import type { Rubric } from "@aftercall/contract/analysis/plan.ts";
import type { Coaching } from "@aftercall/contract/analysis/run.ts";

import { type Citation, isVerified, type Witness } from "../evidence.ts";
import { plainText, plainTextOrNull } from "../plain.ts";

type Given = {
  readonly strengths: readonly string[];
  readonly improvements: readonly {
    readonly text: string;
    readonly why: string;
    readonly say_instead: string | null;
    readonly criterion_id: string | null;
    readonly evidence: readonly Citation[];
  }[];
  readonly keep: readonly string[];
  readonly start: readonly string[];
  readonly stop: readonly string[];
  readonly highlights: readonly (Citation & {
    readonly label: string;
    readonly kind: "positive" | "negative" | "key_moment";
  })[];
};

/** The advice as a model gave it. A highlight is a place in the call, so one whose words are not there is none. */
export function coachingOf(value: unknown, rubric: Rubric | null, witness: Witness): Coaching {
  // Right by its schema, or it would not be here.
  const given = value as Given;
  const known = new Set(rubric?.criteria.map(({ id }) => id));
  const highlights = given.highlights.slice(0, itemsMax).flatMap(({ label, kind, turn, quote }) => {
    const [evidence] = witness.of([{ turn, quote }]);
    return evidence && isVerified(evidence) ? [{ label: plainText(label, 200), kind, evidence }] : [];
  });
  return {
    strengths: linesOf(given.strengths),
    improvements: given.improvements.slice(0, itemsMax).map((one) => ({
      text: plainText(one.text, lineMax),
      why: plainText(one.why, lineMax),
      say_instead: plainTextOrNull(one.say_instead, lineMax),
      criterion_id: one.criterion_id !== null && known.has(one.criterion_id) ? one.criterion_id : null,
      evidence: witness.of(one.evidence),
    })),
    keep: linesOf(given.keep),
    start: linesOf(given.start),
    stop: linesOf(given.stop),
    highlights,
  };
}

function linesOf(given: readonly string[]): string[] {
  return given.slice(0, itemsMax).map((line) => plainText(line, lineMax));
}

const itemsMax = 10;
const lineMax = 1_000;
