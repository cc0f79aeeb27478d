import type { Turn } from "@aftercall/contract/call.ts";

import { type Token, tokensOf } from "./tokens.ts";

/** The tokens of the turns of one call, each turn read when it is first asked for, and once. */
export function tokensOfTurns(turns: readonly Turn[]): TokensOfTurn {
  const read = new Map<number, readonly Token[]>();
  return (index) => {
    const known = read.get(index) ?? tokensOf(turns[index]?.text ?? "");
    read.set(index, known);
    return known;
  };
}

export type TokensOfTurn = (index: number) => readonly Token[];
