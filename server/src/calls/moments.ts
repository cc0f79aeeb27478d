import type { CallMoment } from "@aftercall/contract/moment.ts";

import type { Moment } from "#/providers/moment.ts";

import { factOf } from "./project.ts";
import { isoOf } from "./record.ts";
import type { CallState } from "./state.ts";

/** What happened inside a call, in the order of the call. `told` is what each event that knows of it says, by its id. */
export function momentsIn(state: CallState, told: ReadonlyMap<string, readonly Moment[]>): CallMoment[] {
  if (state.moments.length === 0) return [];
  const startedAt = factOf(state, "answered_at") ?? factOf(state, "started_at");
  // The best first: of each thing that is said about a moment, what the best event says holds.
  const tellers = state.moments.flatMap(({ value }) => told.get(value.event_id) ?? []);
  const placed = withEnds([...joined(tellers).values()].map((one) => place(one, startedAt)));
  return placed.toSorted(inOrder).map((one) => show(one, placed));
}

function joined(tellers: readonly Moment[]): Map<string, Moment> {
  const byName = new Map<string, Moment>();
  for (const moment of tellers) byName.set(nameOf(moment), { ...moment, ...byName.get(nameOf(moment)) });
  return byName;
}

function nameOf({ kind, ref }: Moment): string {
  return `${kind}:${ref}`;
}

/** The same with the times that follow from the ones that are given. */
function place(moment: Moment, startedAt: number | null): Moment {
  if (startedAt === null) return moment;
  const { at, at_ms, end_at, end_ms } = moment;
  return {
    ...moment,
    ...(at_ms === undefined && at !== undefined && { at_ms: Math.max(0, at - startedAt) }),
    ...(at === undefined && at_ms !== undefined && { at: startedAt + at_ms }),
    ...(end_ms === undefined && end_at !== undefined && { end_ms: Math.max(0, end_at - startedAt) }),
    ...(end_at === undefined && end_ms !== undefined && { end_at: startedAt + end_ms }),
  };
}

/** What tells only of an end belongs to the last of its kind and name that began before it and has no end of its own. */
function withEnds(moments: readonly Moment[]): Moment[] {
  const begun = moments.filter((one) => !isEnd(one)).toSorted(inOrder);
  const ends = moments.filter(isEnd).toSorted((a, b) => (a.end_at ?? 0) - (b.end_at ?? 0) || compare(a, b));
  for (const end of ends) {
    const at = begun.findLastIndex(
      (one) => one.kind === end.kind && one.name === end.name && (one.at ?? Infinity) <= (end.end_at ?? 0),
    );
    const start = begun[at];
    if (!start || start.end_at !== undefined) continue;
    const { end_at, end_ms } = end;
    begun[at] = { ...start, ...(end_at !== undefined && { end_at }), ...(end_ms !== undefined && { end_ms }) };
  }
  return begun;
}

function isEnd({ at, at_ms, end_at }: Moment): boolean {
  return at === undefined && at_ms === undefined && end_at !== undefined;
}

function inOrder(a: Moment, b: Moment): number {
  const [x, y] = [a.at_ms ?? a.at ?? Infinity, b.at_ms ?? b.at ?? Infinity];
  return x === y ? compare(a, b) : x - y;
}

/** A call before its result, where both came at once. */
function compare(a: Moment, b: Moment): number {
  const [x, y] = [nameOf(a), nameOf(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

function show(moment: Moment, all: readonly Moment[]): CallMoment {
  const { kind, name, at, at_ms, end_ms, args, result, is_error, latency_ms } = moment;
  return {
    id: nameOf(moment),
    kind,
    name: name ?? null,
    at_ms: at_ms ?? null,
    end_ms: end_ms ?? null,
    at: isoOf(at ?? null),
    args: args ?? null,
    result: result ?? null,
    is_error: is_error ?? null,
    latency_ms: latency_ms ?? (kind === "tool_result" ? sinceItsCall(moment, all) : null),
  };
}

/** Where both have the time of the turn they stand in, nobody knows. */
function sinceItsCall(result: Moment, all: readonly Moment[]): number | null {
  const call = all.find(({ kind, ref }) => kind === "tool_call" && ref === result.ref);
  const [from, to] =
    call?.at_ms !== undefined && result.at_ms !== undefined ? [call.at_ms, result.at_ms] : [call?.at, result.at];
  return from === undefined || to === undefined || to <= from ? null : to - from;
}
