import type { MetricValue } from "@aftercall/contract/analysis/metrics.ts";

import { known, type Params, unknown } from "./definitions.ts";
import type { Spoken } from "./language.ts";

/**
 * Where only the starts of turns are known: who talked how much, by the words they said, and how long the longest
 * monologue took at an even pace, never longer than until the other side began.
 */
export function estimateFromWords(spoken: readonly Spoken[], { estimate_wpm }: Params): MetricValue[] {
  const said = spoken.reduce((sum, { words }) => sum + words, 0);
  return (["agent", "customer"] as const).flatMap((side) => {
    const own = spoken.reduce((sum, one) => sum + (one.side === side ? one.words : 0), 0);
    const longest = longestRun(spoken, side, 60_000 / estimate_wpm);
    return [
      said > 0
        ? known("talk_ratio", side, "ratio", own / said, "text_estimate")
        : unknown("talk_ratio", side, "ratio", "no_speech"),
      longest
        ? known("longest_monologue_ms", side, "ms", longest.end_ms - longest.start_ms, "text_estimate", [longest])
        : unknown("longest_monologue_ms", side, "ms", "no_speech"),
    ];
  });
}

function longestRun(spoken: readonly Spoken[], side: "agent" | "customer", msPerWord: number) {
  let longest: { start_ms: number; end_ms: number; turn: number; by: typeof side } | null = null;
  for (let i = 0; i < spoken.length;) {
    const first = spoken[i];
    let [words, next] = [0, i];
    while (spoken[next] && spoken[next]?.side === first?.side) words += spoken[next++]?.words ?? 0;
    const start = first?.turn.start_ms ?? 0;
    const until = spoken[next]?.turn.start_ms ?? Number.POSITIVE_INFINITY;
    const end = Math.round(Math.max(start, Math.min(start + words * msPerWord, until)));
    if (first?.side === side && end - start > (longest ? longest.end_ms - longest.start_ms : -1))
      longest = { start_ms: start, end_ms: end, turn: first.index, by: side };
    i = next;
  }
  return longest;
}
