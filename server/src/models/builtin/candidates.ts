import type { FieldDef } from "@aftercall/contract/analysis/plan.ts";
import type { Evidence, ExtractedField } from "@aftercall/contract/analysis/run.ts";
import type { Turn } from "@aftercall/contract/call.ts";

import { cite } from "#/text/cite.ts";
import { sideOf } from "#/text/sides.ts";

import { faultOfValue } from "./schema.ts";

/** A value that was found at a place of the call. `isAsked`: where somebody says what they want. */
export type Candidate = {
  readonly value: unknown;
  readonly turn: number;
  readonly start: number;
  readonly end: number;
  readonly isAsked?: boolean;
  /** How sure the reading of the value is, apart from how many there are; 1 when left out. */
  readonly certainty?: number;
  /** Why the value cannot be understood. */
  readonly fault?: string;
};

/**
 * Makes one answer of what was found. The customer's words outrank the agent's, and what somebody asks for outranks what is
 * only mentioned; two values of the same rank are `ambiguous`, with both as candidates. A value that cannot be
 * understood, or that the field's schema refuses, is `invalid`. Nothing found is a normal answer.
 */
export function settleField(
  { name, schema }: FieldDef,
  method: ExtractedField["method"],
  candidates: readonly Candidate[],
  turns: readonly Turn[],
): ExtractedField {
  const ranked = candidates.map((one) => ({ ...one, rank: rankOf(one, turns), key: JSON.stringify(one.value) }));
  const best = Math.max(...ranked.map(({ rank }) => rank));
  const top = ranked.filter(({ rank }) => rank === best);
  const values = distinct(top);
  const all = distinct(ranked);
  const [first] = top;
  if (!first) return { ...empty(name, method), state: "not_mentioned" };
  const evidence = (found: readonly Candidate[]) => citations(found, turns);
  if (values.length > 1) {
    return {
      ...empty(name, method),
      state: "ambiguous",
      candidates: values,
      evidence: evidence(top),
      rationale: `${values.length} different values were said.`,
    };
  }
  const fault = first.fault ?? faultOfValue(schema, first.value);
  if (fault !== null)
    return { ...empty(name, method), state: "invalid", candidates: values, evidence: evidence(top), rationale: fault };
  return {
    ...empty(name, method),
    state: "found",
    value: first.value,
    confidence: Number(
      ((all.length > 1 ? 0.7 : 0.9) * Math.max(...top.map(({ certainty }) => certainty ?? 1))).toFixed(2),
    ),
    candidates: all.length > 1 ? all : [],
    evidence: evidence(top.filter(({ key }) => key === first.key)),
  };
}

/** An answer with nothing in it yet. */
export function empty(name: string, method: ExtractedField["method"]): Omit<ExtractedField, "state"> {
  return { name, value: null, confidence: null, rationale: null, candidates: [], evidence: [], method };
}

const evidenceMax = 5;

function citations(found: readonly Candidate[], turns: readonly Turn[]): Evidence[] {
  return found.slice(0, evidenceMax).map(({ turn, start, end }) => cite(turns, turn, start, end));
}

function rankOf({ turn, isAsked }: Candidate, turns: readonly Turn[]): number {
  const role = turns[turn]?.role ?? "unknown";
  const speaker = role === "customer" ? 2 : sideOf(role) === "agent" ? 0 : 1;
  return speaker * 2 + (isAsked ? 1 : 0);
}

function distinct(candidates: readonly { readonly value: unknown; readonly key: string }[]): unknown[] {
  return [...new Map(candidates.map(({ key, value }) => [key, value])).values()];
}
