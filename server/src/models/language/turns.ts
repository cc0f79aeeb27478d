import type { Turn } from "@aftercall/contract/call.ts";

import { plainText } from "./plain.ts";

/** One line of the call as a model sees it. */
export type Line = { readonly id: string; readonly who: string; readonly at: string | null; readonly text: string };

/** `T12` is the turn with the index 12 in the transcript. */
export function lineIdOf(index: number): string {
  return `T${index}`;
}

/** The index that a model's citation means; null for what is no turn of the call. */
export function indexOfLine(id: string, turns: readonly Turn[]): number | null {
  const index = Number(/^\s*T?(\d{1,6})\s*$/i.exec(id)?.[1] ?? Number.NaN);
  return Number.isInteger(index) && index < turns.length ? index : null;
}

/** The turns as data for a model. Turns in `masked` keep their place and lose their words. */
export function linesOf(turns: readonly Turn[], masked: ReadonlySet<number> = new Set()): Line[] {
  return turns.flatMap((turn, index) => {
    if (turn.role === "tool" || turn.text.trim() === "") return [];
    const text = masked.has(index) ? "[withheld]" : withoutMarks(plainText(turn.text, turnCharsMax));
    return [{ id: lineIdOf(index), who: turn.role, at: clockTime(turn.start_ms), text }];
  });
}

/** One line of JSON per turn; inside a string of JSON nothing can end the data. */
export function renderLines(lines: readonly Line[]): string {
  return `[\n${lines.map((line) => JSON.stringify(line)).join(",\n")}\n]`;
}

/** What frames data and messages for models must not be spoken by a caller: our own marks and the tokens of chat templates. */
export function withoutMarks(text: string): string {
  return text.replace(/\bDATA-[0-9a-f]{8,}\b|<\|[^|<>]{0,40}\|>|\[\/?INST\]|<<\/?SYS>>|<\/?s>/gi, " ");
}

/** More is no turn of a talk; a call of 100 000 characters in one turn would never end. */
const turnCharsMax = 20_000;

function clockTime(ms: number | null): string | null {
  if (ms === null) return null;
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts = [Math.floor(seconds / 60), seconds % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}
