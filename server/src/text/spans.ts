import type { Turn } from "@aftercall/contract/call.ts";

/**
 * When a part of a turn was said, in ms from the start of the call: by the times of its words where the turn has them and
 * they are those of its text, else by the times of the turn; null where neither is known.
 */
export function timesOf(turn: Turn, start: number, end: number): { start_ms: number | null; end_ms: number | null } {
  let from = 0;
  let first: number | null = null;
  let last: number | null = null;
  for (const word of turn.words ?? []) {
    const at = turn.text.indexOf(word.text.trim(), from);
    if (at < 0) return { start_ms: turn.start_ms, end_ms: turn.end_ms };
    from = at + word.text.trim().length;
    if (at >= end) break;
    if (from <= start) continue;
    first ??= word.start_ms;
    last = word.end_ms;
  }
  return { start_ms: first ?? turn.start_ms, end_ms: last ?? turn.end_ms };
}
