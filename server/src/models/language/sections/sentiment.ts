import type { Evidence, RoleSentiment, Sentiment } from "@aftercall/contract/analysis/run.ts";
import type { Turn } from "@aftercall/contract/call.ts";

import { speakersOf } from "#/text/sides.ts";

import { type Citation, isVerified, type Witness } from "../evidence.ts";
import { quartersOf } from "../quarters.ts";

type Felt = { readonly score: number | null; readonly evidence: readonly Citation[] };
type Given = Readonly<
  Record<RoleSentiment["role"], { readonly whole: Felt; readonly first_quarter: Felt; readonly last_quarter: Felt }>
>;

/** A part of the call that is asked about, by the indices of its turns. */
type Part = { readonly from: number; readonly to: number };
type Ruling = { readonly value: number | null; readonly why: string | null; readonly evidence: Evidence[] };

/**
 * How each side felt as a model read it: from −5 to 5, and only with words of that side behind it, from the part of the call that
 * it is about. The trend is computed here: the last quarter minus the first.
 */
export function sentimentOf(
  value: unknown,
  turns: readonly Turn[],
  witness: Witness,
  suspicious: ReadonlySet<number>,
): Sentiment {
  // Right by its schema, or it would not be here.
  const given = value as Given;
  const { firstEnd, lastStart } = quartersOf(turns);
  const last = turns.length - 1;
  return {
    roles: (["agent", "customer"] as const).map((role) => {
      const rule = (felt: Felt, part: Part) => ruled(felt, { role, part, turns, witness, suspicious });
      const whole = rule(given[role].whole, { from: 0, to: last });
      const first = rule(given[role].first_quarter, { from: 0, to: firstEnd ?? -1 });
      const end = rule(given[role].last_quarter, { from: lastStart ?? turns.length, to: last });
      const isKnown = first.value !== null && end.value !== null;
      return {
        role,
        value: whole.value,
        null_reason: whole.why,
        first_quarter: first.value,
        last_quarter: end.value,
        trend: first.value !== null && end.value !== null ? rounded(end.value - first.value) : null,
        trend_null_reason: isKnown ? null : (first.why ?? end.why),
        evidence: [...whole.evidence, ...first.evidence, ...end.evidence],
      };
    }),
  };
}

type About = {
  readonly role: RoleSentiment["role"];
  readonly part: Part;
  readonly turns: readonly Turn[];
  readonly witness: Witness;
  readonly suspicious: ReadonlySet<number>;
};

function ruled({ score, evidence: cited }: Felt, about: About): Ruling {
  const { role, part, turns, witness } = about;
  const evidence = witness.of(cited);
  const isSaidBy = speakersOf(turns);
  const isHeard = turns.slice(part.from, part.to + 1).some((turn) => isSaidBy(turn, role));
  if (!isHeard) return { value: null, why: "said_nothing", evidence };
  if (score === null) return { value: null, why: "unclear", evidence };
  const why = score === 0 ? null : weaknessOf(evidence, about);
  return why === null ? { value: clamped(score), why: null, evidence } : { value: null, why, evidence };
}

/** Why a feeling is not believed; null when it is. That somebody felt nothing in particular needs no words. */
function weaknessOf(evidence: readonly Evidence[], { role, part, witness, suspicious }: About): string | null {
  if (evidence.length === 0) return "no_evidence";
  const found = evidence.filter(isVerified);
  if (found.length === 0) return "quote_not_found";
  const own = found.filter((quote) => witness.isSaidBy(quote, role));
  if (own.length === 0) return "wrong_speaker";
  const here = own.filter(({ turn }) => turn !== null && turn >= part.from && turn <= part.to);
  if (here.length === 0) return "elsewhere";
  return here.every(({ turn }) => turn !== null && suspicious.has(turn)) ? "addresses_grader" : null;
}

function clamped(score: number): number {
  return rounded(Math.min(5, Math.max(-5, score)));
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
