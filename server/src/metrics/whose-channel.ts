import type { Turn, TurnRole } from "@aftercall/contract/call.ts";

import { type Side, sideOf } from "#/text/sides.ts";
import { isSpeech } from "#/text/turns.ts";

import { type Interval, intersection, total, union } from "./intervals.ts";

/** How much more of the turns one way must cover than the other. */
const clearFactor = 2;
/** And how much of the speech: turns of another recording, or times that are far off, tell nothing. */
const shareMin = 0.5;

/**
 * Who speaks on which of two channels, by when the turns of a transcript were said; null where they have no times, or do not
 * tell the two ways clearly apart.
 */
export function whoseChannels(
  speech: readonly (readonly Interval[])[],
  turns: readonly Turn[],
): readonly TurnRole[] | null {
  const [first, second] = speech;
  if (!first || !second || speech.length > 2) return null;
  const [agent, customer] = [spokenBy("agent", turns), spokenBy("customer", turns)];
  if (agent.length === 0 || customer.length === 0) return null;
  const shared = (channel: readonly Interval[], turn: readonly Interval[]) => total(intersection(channel, turn));
  const agentFirst = shared(first, agent) + shared(second, customer);
  const customerFirst = shared(first, customer) + shared(second, agent);
  const best = Math.max(agentFirst, customerFirst);
  const isClear = best > 0 && best >= clearFactor * Math.min(agentFirst, customerFirst);
  if (!isClear || best < shareMin * (total(first) + total(second))) return null;
  return agentFirst > customerFirst ? ["agent", "customer"] : ["customer", "agent"];
}

function spokenBy(side: Side, turns: readonly Turn[]): Interval[] {
  return union(
    turns.flatMap((turn): Interval[] => {
      const { role, start_ms, end_ms } = turn;
      return isSpeech(turn) && sideOf(role) === side && start_ms !== null && end_ms !== null
        ? [[start_ms, end_ms]]
        : [];
    }),
  );
}
