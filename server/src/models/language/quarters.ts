import type { Turn } from "@aftercall/contract/call.ts";

/**
 * Which turns are of the first quarter of a call, and which of its last: up to one index, from another on. Null where nothing
 * was said in it.
 */
export type Quarters = { readonly firstEnd: number | null; readonly lastStart: number | null };

/** By the starts of the turns, where all that was said has one; by their number otherwise. */
export function quartersOf(turns: readonly Turn[]): Quarters {
  const places = placesOf(turns);
  const firstEnd = places.findLastIndex((place) => place !== null && place < 0.25);
  const lastStart = places.findIndex((place) => place !== null && place >= 0.75);
  return { firstEnd: firstEnd < 0 ? null : firstEnd, lastStart: lastStart < 0 ? null : lastStart };
}

/** Where each turn begins, as a share of the call; null for what nobody said. */
function placesOf(turns: readonly Turn[]): (number | null)[] {
  const said = turns.flatMap((turn, index) => (isSaid(turn) ? [index] : []));
  const starts = said.flatMap((index) => turns[index]?.start_ms ?? []);
  const end = Math.max(0, ...said.map((index) => turns[index]?.end_ms ?? turns[index]?.start_ms ?? 0));
  const isTimed = starts.length === said.length && end > 0;
  const rank = new Map(said.map((index, at) => [index, at / said.length]));
  return turns.map((turn, index) => {
    const share = rank.get(index);
    if (share === undefined) return null;
    return isTimed ? (turn.start_ms ?? 0) / end : share;
  });
}

function isSaid({ role, text }: Turn): boolean {
  return role !== "tool" && role !== "system" && text.trim() !== "";
}
