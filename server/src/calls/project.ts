import type { CallOutcome, CallStatus } from "@aftercall/contract/call.ts";

import type { FactName, Facts } from "#/providers/provider.ts";

import { finalOf } from "./state.ts";
import type { CallState } from "./state.ts";

/** What the state of a call amounts to: the values people see and search. Times are epoch milliseconds. */
export type Projection = {
  readonly status: CallStatus;
  readonly outcome: CallOutcome | null;
  readonly startedAt: number | null;
  readonly answeredAt: number | null;
  readonly endedAt: number | null;
  readonly durationMs: number | null;
};

/** Computes status, outcome and times from the claims. Pure; the same state always gives the same projection. */
export function project(state: CallState): Projection {
  const final = finalOf(state);
  const startedAt = factOf(state, "started_at");
  const endedAt = final ? (factOf(state, "ended_at") ?? final.at) : null;
  const times = {
    startedAt,
    answeredAt: factOf(state, "answered_at"),
    endedAt,
    durationMs: final ? (factOf(state, "duration_ms") ?? between(startedAt, endedAt)) : null,
  };
  if (!final) return { status: state.progress ?? "queued", outcome: null, ...times };
  const outcome = whoAnswered(final.outcome, factOf(state, "answered_by"));
  return { status: outcome === "failed" && final.outcome !== "failed" ? "failed" : final.status, outcome, ...times };
}

/** The claim that holds for a fact, or null. */
export function factOf<Name extends FactName>(state: CallState, name: Name): NonNullable<Facts[Name]> | null {
  return state.facts[name]?.value ?? null;
}

export function isOver(status: CallStatus): boolean {
  return status !== "queued" && status !== "ringing" && status !== "in_progress";
}

/** True for calls in which somebody or a machine answered: they get `call.ended` and `call.completed`; the others `call.failed`. */
export function isConnected({ status, outcome }: Pick<Projection, "status" | "outcome">): boolean {
  if (status !== "ended") return false;
  return outcome === null || outcome === "completed" || outcome === "voicemail" || outcome === "transferred";
}

/** A completed call that a machine answered was a voicemail; one that a fax answered failed (Twilio AnsweredBy). */
function whoAnswered(outcome: CallOutcome | null, answeredBy: string | null): CallOutcome | null {
  if (outcome !== "completed" || !answeredBy) return outcome;
  if (answeredBy.startsWith("machine")) return "voicemail";
  return answeredBy === "fax" ? "failed" : outcome;
}

function between(start: number | null, end: number | null): number | null {
  return start !== null && end !== null && end >= start ? end - start : null;
}
