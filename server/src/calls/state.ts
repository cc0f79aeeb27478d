import { isDeepStrictEqual } from "node:util";

import type { CallOutcome, CallStatus } from "@aftercall/contract/call.ts";

import type { CallEvent, FactName, Facts, Heard } from "#/providers/provider.ts";

/**
 * Everything that was ever claimed about a call, joined.
 *
 * The state is a join-semilattice: {@link join} is commutative, associative and idempotent, so any order and any
 * repetition of a call's events, and any order of merging two records, give the same state. What people see is
 * computed from it (project.ts); nothing here depends on when something arrived.
 */
export type CallState = {
  /** Per fact the best claim: the heavier wins, then the later by provider time. */
  readonly facts: { readonly [Name in FactName]?: Claim<Facts[Name]> };
  /** The highest status short of the end that was heard. */
  readonly progress: Progress | null;
  /** The final report that counts: a real one before `timeout`, the heavier, then the earlier by provider time. */
  readonly final: Final | null;
  /** The same among reports that count only while no SIP caller was seen (a LiveKit agent's leave). */
  readonly final_unless_sip: Final | null;
  /** Which stored transcript is the best one. */
  readonly transcript: Claim<{ readonly event_id: string }> | null;
  /** Which events told of moments, the best first; what they told is kept apart, and joined when it is read (moments.ts). */
  readonly moments: readonly Claim<{ readonly event_id: string }>[];
  /** A provider's full report has come; `awaits_report`: one was promised. */
  readonly is_reported: boolean;
  readonly awaits_report: boolean;
};

/** A value with what decides between two claims. */
export type Claim<Value> = {
  readonly value: Value;
  /** 1 to 9 for guesses, 11 to 19 for statements. */
  readonly weight: number;
  /** Provider time, or the time received where the provider gives none; epoch milliseconds. */
  readonly at: number;
  readonly received_at: number;
  /** Source and event key: decides between claims equal in all else, the same way everywhere. */
  readonly by: string;
};

export type Progress = "queued" | "ringing" | "in_progress";

export type Final = {
  readonly status: Exclude<CallStatus, Progress>;
  readonly outcome: CallOutcome | null;
  readonly weight: number;
  readonly at: number;
  readonly received_at: number;
  readonly by: string;
};

export const nothingKnown: CallState = {
  facts: {},
  progress: null,
  final: null,
  final_unless_sip: null,
  transcript: null,
  moments: [],
  is_reported: false,
  awaits_report: false,
};

/** An event as the reducer sees it: what it claims, and the identity that orders it. */
export type HeardEvent = {
  readonly event: CallEvent;
  readonly eventId: string;
  /** `<source id>:<event key>`. */
  readonly by: string;
  readonly receivedAt: number;
};

/** What one event says, as a state of its own. */
export function stateOf({ event, eventId, by, receivedAt }: HeardEvent): CallState {
  const at = event.occurredAt ?? receivedAt;
  const stamp = { at, received_at: receivedAt, by };
  return {
    ...nothingKnown,
    ...heardAs(event.heard, { ...stamp, weight: event.weight }),
    facts: joinFacts(
      claims(event.guesses, { ...stamp, weight: event.weight }),
      claims(event.facts, { ...stamp, weight: event.weight + 10 }),
    ),
    transcript: event.transcript && { value: { event_id: eventId }, weight: event.weight, ...stamp },
    moments: event.moments.length > 0 ? [{ value: { event_id: eventId }, weight: event.weight, ...stamp }] : [],
    is_reported: event.isReport,
    awaits_report: event.awaitsReport,
  };
}

/** The least state that says everything both say. */
export function join(a: CallState, b: CallState): CallState {
  return {
    facts: joinFacts(a.facts, b.facts),
    progress: further(a.progress, b.progress),
    final: earlier(a.final, b.final),
    final_unless_sip: earlier(a.final_unless_sip, b.final_unless_sip),
    transcript: a.transcript && b.transcript ? better(a.transcript, b.transcript) : (a.transcript ?? b.transcript),
    moments: joinTellers(a.moments, b.moments),
    is_reported: a.is_reported || b.is_reported,
    awaits_report: a.awaits_report || b.awaits_report,
  };
}

/** The final report that holds, if any. */
export function finalOf(state: CallState): Final | null {
  return state.facts.has_sip_participant ? state.final : earlier(state.final, state.final_unless_sip);
}

/**
 * The state after `next`, seen by somebody who knows `before`: a call that was over stays over. The only history that could
 * reopen one is a SIP caller who turns up after an agent's leave has ended the call.
 */
export function advance(before: CallState, next: CallState): CallState {
  const wasOver = finalOf(before);
  return wasOver && !finalOf(next) ? { ...next, final: wasOver } : next;
}

/** True when the joined state says something that `before` did not. */
export function differs(before: CallState, after: CallState): boolean {
  return !isDeepStrictEqual(before, after);
}

const progressRank = { queued: 1, ringing: 2, in_progress: 3 } as const;

function heardAs(heard: Heard | null, stamp: Omit<Final, "status" | "outcome">): Partial<CallState> {
  if (!heard) return {};
  const { status, outcome, unless } = heard;
  if (status === "queued" || status === "ringing" || status === "in_progress") return { progress: status };
  const final = { status, outcome, ...stamp };
  return unless ? { final_unless_sip: final } : { final };
}

function claims(facts: Facts, stamp: Omit<Claim<unknown>, "value">): CallState["facts"] {
  const made: Record<string, Claim<unknown>> = {};
  for (const [name, value] of Object.entries(facts)) {
    if (value !== null && value !== undefined) made[name] = { value, ...stamp };
  }
  return made;
}

function joinFacts(a: CallState["facts"], b: CallState["facts"]): CallState["facts"] {
  const mine = a as Record<string, Claim<unknown> | undefined>;
  const theirs = b as Record<string, Claim<unknown> | undefined>;
  const joined: Record<string, Claim<unknown>> = {};
  for (const name of new Set([...Object.keys(mine), ...Object.keys(theirs)])) {
    const [x, y] = [mine[name], theirs[name]];
    const best = x && y ? better(x, y) : (x ?? y);
    if (best) joined[name] = best;
  }
  return joined;
}

/** More events than this that tell of moments are no conversation; the best are kept. */
const tellersMax = 500;

function joinTellers(a: CallState["moments"], b: CallState["moments"]): CallState["moments"] {
  if (a.length === 0 || b.length === 0) return a.length === 0 ? b : a;
  const byEvent = new Map(a.map((one) => [one.value.event_id, one]));
  for (const one of b) {
    const known = byEvent.get(one.value.event_id);
    byEvent.set(one.value.event_id, known ? better(known, one) : one);
  }
  return [...byEvent.values()].toSorted((x, y) => rank(y, x)).slice(0, tellersMax);
}

function further(a: Progress | null, b: Progress | null): Progress | null {
  if (!a || !b) return a ?? b;
  return progressRank[a] >= progressRank[b] ? a : b;
}

function better<Value>(a: Claim<Value>, b: Claim<Value>): Claim<Value> {
  return rank(a, b) >= 0 ? a : b;
}

function rank(a: Claim<unknown>, b: Claim<unknown>): number {
  return a.weight - b.weight || a.at - b.at || a.received_at - b.received_at || compare(a.by, b.by);
}

function earlier(a: Final | null, b: Final | null): Final | null {
  if (!a || !b) return a ?? b;
  const order =
    Number(a.status === "timeout") - Number(b.status === "timeout") ||
    b.weight - a.weight ||
    a.at - b.at ||
    a.received_at - b.received_at ||
    compare(a.by, b.by);
  return order <= 0 ? a : b;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
