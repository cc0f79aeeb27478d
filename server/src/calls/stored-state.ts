import type { FactName } from "#/providers/provider.ts";

import type { CallState, Claim, Final } from "./state.ts";

/**
 * A call's state as it is kept: who said something, when and with what weight stands once in `stamps`, and each claim names
 * its stamp by number. One report makes twenty claims, so this is less than half as long.
 */
export type StoredState = {
  readonly stamps: readonly Stamp[];
  readonly facts: { readonly [Name in FactName]?: readonly [value: unknown, stamp: number] };
  readonly progress: CallState["progress"];
  readonly final: StoredFinal | null;
  readonly final_unless_sip: StoredFinal | null;
  readonly transcript: readonly [eventId: string, stamp: number] | null;
  /** Absent where nobody told of any. */
  readonly moments?: readonly (readonly [eventId: string, stamp: number])[];
  readonly is_reported: boolean;
  readonly awaits_report: boolean;
};

type Stamp = readonly [weight: number, at: number, receivedAt: number, by: string];
type StoredFinal = readonly [status: Final["status"], outcome: Final["outcome"], stamp: number];
type Stamped = Pick<Claim<unknown>, "weight" | "at" | "received_at" | "by">;

/** Puts a state into the form in which it is stored. */
export function storedState(state: CallState): StoredState {
  const stamps: Stamp[] = [];
  const { transcript, progress, is_reported, awaits_report } = state;
  const facts: Record<string, readonly [unknown, number]> = {};
  for (const [name, claim] of Object.entries(state.facts)) facts[name] = [claim.value, numberOf(claim)];
  const final = finalOf(state.final);
  const final_unless_sip = finalOf(state.final_unless_sip);
  const said = transcript && ([transcript.value.event_id, numberOf(transcript)] as const);
  const tellers = state.moments.map((teller) => [teller.value.event_id, numberOf(teller)] as const);
  const moments = tellers.length > 0 ? { moments: tellers } : {};
  return { stamps, facts, progress, final, final_unless_sip, transcript: said, ...moments, is_reported, awaits_report };

  function finalOf(found: Final | null): StoredFinal | null {
    return found && [found.status, found.outcome, numberOf(found)];
  }

  function numberOf({ weight, at, received_at, by }: Stamped): number {
    const known = stamps.findIndex(
      (one) => one[0] === weight && one[1] === at && one[2] === received_at && one[3] === by,
    );
    return known >= 0 ? known : stamps.push([weight, at, received_at, by]) - 1;
  }
}

/** The state that {@link storedState} was made of. */
export function stateFrom(stored: StoredState): CallState {
  const { progress, transcript, moments = [], is_reported, awaits_report } = stored;
  const facts: Record<string, Claim<unknown>> = {};
  for (const [name, [value, stamp]] of Object.entries(stored.facts)) facts[name] = { value, ...stampAt(stamp) };
  return {
    facts: facts,
    progress,
    final: finalOf(stored.final),
    final_unless_sip: finalOf(stored.final_unless_sip),
    transcript: transcript && { value: { event_id: transcript[0] }, ...stampAt(transcript[1]) },
    moments: moments.map(([event_id, stamp]) => ({ value: { event_id }, ...stampAt(stamp) })),
    is_reported,
    awaits_report,
  };

  function finalOf(found: StoredFinal | null): Final | null {
    return found && { status: found[0], outcome: found[1], ...stampAt(found[2]) };
  }

  function stampAt(number: number): Stamped {
    const stamp = stored.stamps[number];
    if (!stamp) throw new Error("a stored state names a stamp that it does not have");
    return { weight: stamp[0], at: stamp[1], received_at: stamp[2], by: stamp[3] };
  }
}
