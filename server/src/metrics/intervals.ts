/** A stretch of time in ms from the start of the call; it ends before `endMs`. */
export type Interval = readonly [startMs: number, endMs: number];

/** The time covered by any of the intervals, as intervals in order that do not touch; `gapMs` closes pauses up to that long. */
export function union(intervals: readonly Interval[], gapMs = 0): Interval[] {
  const joined: [number, number][] = [];
  for (const [start, end] of intervals.toSorted((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last && start <= last[1] + gapMs) last[1] = Math.max(last[1], end);
    else if (end > start) joined.push([start, end]);
  }
  return joined;
}

/** The time that both cover. Either is a union. */
export function intersection(a: readonly Interval[], b: readonly Interval[]): Interval[] {
  const both: Interval[] = [];
  for (let i = 0, k = 0; ;) {
    const [one, other] = [a[i], b[k]];
    if (!one || !other) return both;
    const start = Math.max(one[0], other[0]);
    const end = Math.min(one[1], other[1]);
    if (end > start) both.push([start, end]);
    if (one[1] < other[1]) i++;
    else k++;
  }
}

/** What a union leaves of the time from 0 to `endMs`. */
export function gaps(covered: readonly Interval[], endMs: number): Interval[] {
  const free: Interval[] = [];
  let from = 0;
  for (const [start, end] of covered) {
    if (start > from) free.push([from, Math.min(start, endMs)]);
    from = Math.max(from, end);
  }
  if (endMs > from) free.push([from, endMs]);
  return free.filter(([start, end]) => end > start);
}

export function total(intervals: readonly Interval[]): number {
  return intervals.reduce((sum, [start, end]) => sum + end - start, 0);
}
