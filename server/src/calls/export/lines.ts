import type { Transcript, Turn } from "@aftercall/contract/call.ts";
import type { CallMoment } from "@aftercall/contract/moment.ts";

/** A turn, or what happened between turns; `at` in milliseconds from the start of the call. */
type Line =
  | { readonly at: number | null; readonly turn: Turn; readonly number: number }
  | { readonly at: number | null; readonly turn: null; readonly moment: CallMoment };

/**
 * Turns in their order, and what happened besides before the first turn that began later; what has no time comes at the end.
 * Tools are left out where the transcript has them as turns.
 */
export function linesOf({ turns }: Transcript, moments: readonly CallMoment[]): Line[] {
  const hasTools = turns.some(({ role }) => role === "tool");
  const wanted = moments.filter(({ kind }) => !hasTools || (kind !== "tool_call" && kind !== "tool_result"));
  const lines: Line[] = [];
  let next = 0;
  for (const [number, turn] of turns.entries()) {
    for (let one = wanted[next]; one && isBefore(one, turn); one = wanted[++next]) lines.push(lineOf(one));
    if (turn.text !== "") lines.push({ at: turn.start_ms, turn, number });
  }
  return [...lines, ...wanted.slice(next).map(lineOf)];
}

/** `transfer {"destination":"+972…"}`. */
export function wordsOf({ kind, name, args, result }: CallMoment): string {
  const said = [args, result].map((value) => (value === null ? "" : JSON.stringify(value)));
  return [kind, name, ...said].filter(Boolean).join(" ");
}

function isBefore({ at_ms }: CallMoment, { start_ms }: Turn): boolean {
  return at_ms !== null && start_ms !== null && at_ms < start_ms;
}

function lineOf(moment: CallMoment): Line {
  return { at: moment.at_ms, turn: null, moment };
}
