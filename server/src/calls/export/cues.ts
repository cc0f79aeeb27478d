import type { Transcript, Turn } from "@aftercall/contract/call.ts";

/** A turn as a subtitle: when it is shown, and what. */
export type Cue = { readonly startMs: number; readonly endMs: number; readonly speaker: string; readonly text: string };

/** A subtitle stays this long for each word when nobody knows when its turn ended. */
const wordMs = 400;
const cueMsMin = 1_000;

/**
 * The turns that are heard and have a time, as subtitles in the order of the call. Where a turn has no end it ends with the next turn, or after
 * the time that its words take. Null when no turn has a time: a transcript without times makes no subtitles.
 */
export function cuesOf({ turns }: Transcript): Cue[] | null {
  const isShown = (turn: Turn): turn is Turn & { start_ms: number } =>
    turn.start_ms !== null && turn.text !== "" && turn.role !== "system" && turn.role !== "tool";
  const timed = turns.filter(isShown);
  if (timed.length === 0) return null;
  const inOrder = timed.toSorted((a, b) => a.start_ms - b.start_ms);
  return inOrder.map((turn, i) => ({
    startMs: turn.start_ms,
    endMs: turn.end_ms ?? endOf(turn, inOrder[i + 1]?.start_ms),
    speaker: speakerOf(turn),
    text: turn.text,
  }));
}

/** Who speaks, as people read it. */
export function speakerOf({ role }: Turn): string {
  return speakers[role];
}

const speakers: Readonly<Record<Turn["role"], string>> = {
  agent: "Agent",
  customer: "Customer",
  human_agent: "Human agent",
  system: "System",
  tool: "Tool",
  unknown: "Speaker",
};

function endOf(turn: Turn & { start_ms: number }, next: number | undefined): number {
  const spoken = turn.start_ms + Math.max(cueMsMin, turn.text.split(/\s+/).length * wordMs);
  return next === undefined || next <= turn.start_ms ? spoken : Math.min(next, spoken);
}

/** `01:02:03.045`; SubRip writes a comma before the milliseconds, WebVTT a dot. */
export function clockOf(ms: number, mark: "," | "."): string {
  const two = (n: number) => String(Math.floor(n)).padStart(2, "0");
  const seconds = ms / 1000;
  const rest = String(ms % 1000).padStart(3, "0");
  return `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}${mark}${rest}`;
}
