import type { Interval } from "#/audio/listen.ts";

/** How much of what there is was found, and how much of what was found is there. */
export function shares(found: readonly Interval[], known: readonly Interval[]): [recall: number, precision: number] {
  const both = lengthOf(common(found, known));
  return [both / lengthOf(known), both / lengthOf(found)];
}

/** Of all that two sides say, how much is said by the one. */
export function talkRatio(one: readonly Interval[], other: readonly Interval[]): number {
  return lengthOf(one) / (lengthOf(one) + lengthOf(other));
}

export function lengthOf(intervals: readonly Interval[]): number {
  return intervals.reduce((sum, [start, end]) => sum + end - start, 0);
}

export function common(one: readonly Interval[], other: readonly Interval[]): Interval[] {
  return one.flatMap(([a, b]) =>
    other.flatMap(([c, d]) => (Math.min(b, d) > Math.max(a, c) ? [[Math.max(a, c), Math.min(b, d)] as const] : [])),
  );
}

export function union(intervals: readonly Interval[]): Interval[] {
  const spans: [number, number][] = [];
  for (const [start, end] of intervals.toSorted((a, b) => a[0] - b[0])) {
    const last = spans.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else spans.push([start, end]);
  }
  return spans;
}
