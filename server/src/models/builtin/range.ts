import type { Tracker } from "@aftercall/contract/analysis/plan.ts";
import type { Turn } from "@aftercall/contract/call.ts";

import { isSpeech } from "#/text/turns.ts";

/**
 * The turns that a range of a tracker takes in, by their index in the transcript, both ends included; null where it cannot be
 * told, or takes in none. Turns are counted as spoken, the first is 0; negative numbers count from the end, and an end of 0
 * after a negative start is the end of the call. Without times a share of the call is a share of its turns.
 */
export function partOf(turns: readonly Turn[], range: Tracker["range"]): Part | null {
  const spoken = turns.flatMap((turn, index) => (isSpeech(turn) ? [{ turn, index }] : []));
  const always = () => true;
  if (!range) return within(spoken, () => true, always);
  const isTimed = spoken.every(({ turn }) => turn.start_ms !== null);
  if (range.unit === "turns" || (range.unit === "share" && !isTimed)) {
    const whole = range.unit === "turns" ? 1 : spoken.length;
    const [from, to] = bounds(range, whole, spoken.length);
    return within(spoken, (_, at) => at >= from && at < to, always);
  }
  if (!isTimed) return null;
  const length = Math.max(0, ...spoken.map(({ turn }) => turn.end_ms ?? turn.start_ms ?? 0));
  const [from, to] = bounds(range, range.unit === "share" ? length : 1, length);
  return within(
    spoken,
    ({ start_ms, end_ms }) => (start_ms ?? 0) < to && (end_ms ?? start_ms ?? 0) >= from,
    (startMs) => startMs === null || (startMs >= from && startMs < to),
  );
}

/** `holds`: whether something that was said at a time is in the range, where its turn is in it only in part. */
export type Part = {
  readonly from: number;
  readonly to: number;
  readonly holds: (startMs: number | null) => boolean;
};

function bounds({ from, to }: { from: number; to: number }, unit: number, length: number): [number, number] {
  const place = (value: number) => (value < 0 ? Math.max(0, length + value * unit) : value * unit);
  const isEnd = to * unit >= length || (to === 0 && from < 0);
  return [place(from), isEnd ? Number.POSITIVE_INFINITY : place(to)];
}

function within(
  spoken: readonly { readonly turn: Turn; readonly index: number }[],
  isIn: (turn: Turn, at: number) => boolean,
  holds: Part["holds"],
): Part | null {
  const inside = spoken.filter(({ turn }, at) => isIn(turn, at));
  const [first, last] = [inside[0], inside.at(-1)];
  return first && last ? { from: first.index, to: last.index, holds } : null;
}
