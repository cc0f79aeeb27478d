import type { Redaction } from "@aftercall/contract/analysis/plan.ts";

/** The kinds of personal data that are looked for. */
export type PiiType = Redaction["types"][number];

/** Where personal data stands in a text. Offsets are UTF-16 code units; `value` is it in one spelling, so that repeats are known. */
export type Found = {
  readonly start: number;
  readonly end: number;
  readonly type: PiiType;
  readonly value: string;
};

/** What is known beside the text: whose numbers are local ones, and which names to look for. */
export type Surroundings = {
  /** ISO 3166 codes of the countries in which a number without a prefix may be dialled. */
  readonly countries: readonly string[];
  readonly names: readonly string[];
};

/** Finds one kind of personal data in a text. */
export type Detector = (text: string, surroundings: Surroundings) => Found[];

/**
 * One finding for each place: of two that overlap the one that is surer stays, which is the earlier in `order`, and the longer
 * of two of one kind. What sticks out of the winner is covered as well: nothing of what was found may be left readable.
 */
export function withoutOverlaps(found: readonly Found[], order: readonly PiiType[]): Found[] {
  const rank = (type: PiiType) => order.indexOf(type);
  const sorted = found.toSorted((a, b) => a.start - b.start || b.end - a.end);
  const kept: Found[] = [];
  for (const next of sorted) {
    const last = kept.at(-1);
    if (!last || next.start >= last.end) {
      kept.push(next);
      continue;
    }
    const better = rank(next.type) < rank(last.type) ? next : last;
    kept[kept.length - 1] = { ...better, start: last.start, end: Math.max(last.end, next.end) };
  }
  return kept;
}
