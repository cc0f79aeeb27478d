import type { Turn } from "@aftercall/contract/call.ts";

import type { Params } from "./definitions.ts";
import { type Interval, union } from "./intervals.ts";

/** How exactly the turns of a transcript are placed in time; as good as the worst of them. */
export type Timing = "word" | "turn" | "start_only" | "none";

/** The timing of turns of speech. */
export function timingOf(turns: readonly Turn[]): Timing {
  if (turns.length === 0) return "none";
  if (turns.every(hasWordTimes)) return "word";
  if (turns.every(hasBothTimes)) return "turn";
  return turns.every(({ start_ms }) => start_ms !== null) ? "start_only" : "none";
}

/** When a turn was spoken. The pauses between its words are not speech, except the short ones. */
export function spokenIntervals(turn: Turn, timing: "word" | "turn", params: Params): readonly Interval[] {
  if (timing === "turn") return [[turn.start_ms ?? 0, turn.end_ms ?? 0]];
  return union(
    (turn.words ?? []).map(({ start_ms, end_ms }) => [start_ms, end_ms] as const),
    params.word_gap_ms,
  );
}

function hasWordTimes({ words }: Turn): boolean {
  return !!words && words.length > 0 && words.every(({ start_ms, end_ms }) => end_ms > start_ms);
}

function hasBothTimes({ start_ms, end_ms }: Turn): boolean {
  return start_ms !== null && end_ms !== null && end_ms > start_ms;
}
