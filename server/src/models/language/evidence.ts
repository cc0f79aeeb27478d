import type { Evidence } from "@aftercall/contract/analysis/run.ts";
import type { Turn, TurnRole } from "@aftercall/contract/call.ts";

import { speaksAs } from "#/text/sides.ts";

import type { VerifyQuote } from "./answer.ts";
import { indexOfLine } from "./turns.ts";

/** What a model cites. */
export type Citation = { readonly turn: string; readonly quote: string };

/** Looks up what a model cites. */
export type Witness = {
  of(citations: readonly Citation[]): Evidence[];
  /** Whether somebody said it who speaks for this role. */
  isSaidBy(evidence: Evidence, role: TurnRole): boolean;
};

export function createWitness(
  turns: readonly Turn[],
  verifyQuote: VerifyQuote,
  withheld: ReadonlySet<number>,
): Witness {
  return {
    of(citations) {
      return citations.slice(0, citationsMax).map(({ turn, quote }) => {
        const claim = { quote: quote.slice(0, quoteCharsMax), turn: indexOfLine(turn, turns) };
        const found = verifyQuote(claim, turns);
        // What the model was not shown it cannot have read: it was guessed or told.
        return found.turn !== null && withheld.has(found.turn) ? asFailed(found) : found;
      });
    },
    isSaidBy({ turn }, role) {
      const said = turn === null ? undefined : turns[turn];
      return said !== undefined && speaksAs(said, role, turns);
    },
  };
}

export function isVerified({ verification }: Evidence): boolean {
  return verification !== "failed";
}

const citationsMax = 10;
const quoteCharsMax = 1_000;

function asFailed(evidence: Evidence): Evidence {
  return {
    ...evidence,
    turn: null,
    start_char: null,
    end_char: null,
    start_ms: null,
    end_ms: null,
    verification: "failed",
  };
}
