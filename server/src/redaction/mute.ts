import type { PiiSpan } from "./redact.ts";

/** Stretches of a recording to be silenced, in milliseconds; or the spans for which nobody knows when they were said. */
export type MutePlan =
  | { readonly windows: readonly (readonly [startMs: number, endMs: number])[] }
  | { readonly unlocated: readonly PiiSpan[] };

/** Times of words are uncertain, so what is around them goes too (the margin of 250 ms is elizaOS's, issue 15876). */
const marginMs = 250;

/**
 * When a recording must be silent so that none of these can be heard. Fails closed: with one span that has no time, no recording
 * can be published.
 */
export function muteWindows(spans: readonly PiiSpan[]): MutePlan {
  const unlocated = spans.filter(({ start_ms, end_ms }) => start_ms === null || end_ms === null);
  if (unlocated.length > 0) return { unlocated };
  const sorted = spans
    .map(({ start_ms, end_ms }) => [Math.max(0, (start_ms ?? 0) - marginMs), (end_ms ?? 0) + marginMs] as const)
    .toSorted((a, b) => a[0] - b[0]);
  const windows: [number, number][] = [];
  for (const [start, end] of sorted) {
    const last = windows.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else windows.push([start, end]);
  }
  return { windows };
}
