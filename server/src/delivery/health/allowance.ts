import type { Rate } from "@aftercall/contract/endpoint.ts";

import type { Health } from "./health.ts";
import type { HealthRules } from "./rules.ts";

/** What the claim knows of an endpoint while it holds its row. Times are the database's. */
export type Gate = {
  readonly health: Pick<Health, "breaker" | "openUntilMs" | "notBeforeMs" | "closedAtMs">;
  /** What the bucket held at `refilledAtMs`; null: it was full. */
  readonly tokens: number | null;
  readonly refilledAtMs: number;
  readonly rate: Rate | null;
  readonly inFlightMax: number;
  /** Claimed by any process. */
  readonly inFlight: number;
  readonly isPaused: boolean;
  readonly isBreakerOn: boolean;
};

/** How many attempts of an endpoint may start now, over all processes. */
export function allowance(gate: Gate, nowMs: number, rules: HealthRules): number {
  const { health, isBreakerOn } = gate;
  if (gate.isPaused || (health.notBeforeMs ?? 0) > nowMs) return 0;
  const isProbing = isBreakerOn && health.breaker !== "closed";
  if (isProbing && health.breaker === "open" && (health.openUntilMs ?? 0) > nowMs) return 0;
  const max = isProbing ? 1 : inFlightMaxAt(gate, nowMs, rules);
  return Math.max(Math.min(max - gate.inFlight, Math.floor(tokensAt(gate, nowMs))), 0);
}

/** What the bucket holds now; without a rate there is no end to it. */
export function tokensAt({ rate, tokens, refilledAtMs }: Gate, nowMs: number): number {
  if (rate === null) return Number.POSITIVE_INFINITY;
  if (tokens === null) return rate.burst;
  const passedMs = Math.max(nowMs - refilledAtMs, 0);
  // A token that is there but for rounding is there: the wait for it was computed from the same numbers.
  return Math.min(tokens + (passedMs * rate.limit) / (rate.per_seconds * 1000) + 1e-6, rate.burst);
}

/** A receiver that has just come back gets its backlog slowly: one at a time at first, then more and more. */
function inFlightMaxAt({ health, inFlightMax }: Gate, nowMs: number, { slowStartMs }: HealthRules): number {
  if (health.closedAtMs === null) return inFlightMax;
  const share = (nowMs - health.closedAtMs) / slowStartMs;
  return share >= 1 ? inFlightMax : Math.max(Math.ceil(inFlightMax * Math.max(share, 0)), 1);
}
