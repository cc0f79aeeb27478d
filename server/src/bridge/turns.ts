import type { Turn } from "@aftercall/contract/call.ts";

import { bridgeLimits } from "./limits.ts";
import type { Heard } from "./playback.ts";

/** A turn of a bridged call. `generated`: all that the agent was about to say, where the caller heard only its beginning. */
export type BridgedTurn = Turn & { readonly generated?: string };

type Caller = { startMs: number; endMs: number | null; text: string | null };

/**
 * What was said, in the order of the call. The words of the caller often come after the answer to them, so turns are put in order by
 * when somebody spoke.
 */
export function createTurns() {
  const callers = new Map<string, Caller>();
  const texts = new Map<string, string>();

  return {
    callerBegan(itemId: string, atMs: number): void {
      if (callers.size < bridgeLimits.turnsMax) callers.set(itemId, { startMs: atMs, endMs: null, text: null });
    },
    callerStopped(itemId: string, atMs: number): void {
      const caller = callers.get(itemId);
      if (caller) caller.endMs = Math.max(atMs, caller.startMs);
    },
    /** Null: it could not be understood. */
    callerSaid(itemId: string, text: string | null, nowMs: number): Turn | null {
      if (!callers.has(itemId) && callers.size >= bridgeLimits.turnsMax) return null;
      const caller = callers.get(itemId) ?? { startMs: nowMs, endMs: null, text: null };
      caller.text = text ?? "";
      callers.set(itemId, caller);
      return caller.text === "" ? null : callerTurn(caller);
    },
    /** Words as they are made; `isAll`: these are all of them. */
    agentWords(itemId: string, text: string, isAll: boolean): void {
      if (!texts.has(itemId) && texts.size >= bridgeLimits.turnsMax) return;
      const before = texts.get(itemId) ?? "";
      texts.set(itemId, isAll ? text || before : before + text);
    },
    /** Whether words of the caller are still to come. */
    get isWaiting() {
      return [...callers.values()].some(({ endMs, text }) => endMs !== null && text === null);
    },
    all(heard: readonly Heard[]): BridgedTurn[] {
      const ofCaller = [...callers.values()].filter(({ text }) => text !== null && text !== "").map(callerTurn);
      return [...ofCaller, ...heard.flatMap(agentTurn)].toSorted((a, b) => (a.start_ms ?? 0) - (b.start_ms ?? 0));
    },
  };

  function agentTurn({ itemId, startMs, endMs, share, isInterrupted }: Heard): BridgedTurn[] {
    const whole = texts.get(itemId)?.trim() ?? "";
    const text = beginningOf(whole, share);
    if (text === "") return [];
    const times = { start_ms: Math.round(startMs), end_ms: Math.round(endMs) };
    const cut = text === whole ? {} : { generated: whole };
    return [{ role: "agent", text, ...times, ...(isInterrupted && { interrupted: true }), ...cut }];
  }
}

function callerTurn({ startMs, endMs, text }: Caller): Turn {
  return {
    role: "customer",
    text: text ?? "",
    start_ms: Math.round(startMs),
    end_ms: endMs === null ? null : Math.round(endMs),
  };
}

/** The words that fit into the share of the sound that was heard; none is cut in two. */
function beginningOf(text: string, share: number): string {
  const end = Math.floor(text.length * share);
  if (end >= text.length) return text;
  const isBetween = /\s/.test(text.charAt(end));
  return (isBetween ? text.slice(0, end) : text.slice(0, Math.max(0, text.slice(0, end).search(/\s\S*$/)))).trim();
}
