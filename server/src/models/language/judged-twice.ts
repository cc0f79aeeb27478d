import type { CriterionResult } from "@aftercall/contract/analysis/run.ts";

import type { SectionAnswer } from "./answer.ts";
import { roughScore } from "./bound.ts";
import { createWitness } from "./evidence.ts";
import type { Generate } from "./generate.ts";
import { read, type Reading } from "./read.ts";
import { askedCriteria } from "./schema.ts";
import { criteriaOf } from "./sections/evaluation.ts";

/**
 * Judges a call again without the turns that speak to whoever grades it. What the model says without them counts, so that nobody
 * talks a score up or down; where they are the agent's own, whose slips might be hidden with them, the lower score counts. More
 * than 15 points between the two is shown to a person.
 */
export async function judgedTwice(
  generate: Generate,
  reading: Reading,
  first: CriterionResult[],
  suspicious: ReadonlySet<number>,
  flags: Set<string>,
): Promise<SectionAnswer<CriterionResult[]>> {
  const parts = await read(generate, { ...reading, withheld: suspicious, sections: ["evaluation"] });
  const part = parts.evaluation;
  if (!part?.ok) return part ?? { ok: true, value: first };
  const witness = createWitness(reading.turns, reading.verifyQuote, suspicious);
  const second = criteriaOf(part.value, askedCriteria(reading.plan), witness);
  const [before, after] = [roughScore(first), roughScore(second)];
  if (before === null ? after !== null : after === null || Math.abs(before - after) > differenceMax) {
    flags.add("needs_review").add("score_depends_on_what_was_said_to_the_grader");
  }
  const isOfAgent = [...suspicious].some((index) => reading.turns[index]?.role !== "customer");
  const isLower = before !== null && after !== null && before < after;
  return { ok: true, value: isOfAgent && isLower ? first : second };
}

const differenceMax = 15;
