import type { Evidence } from "@aftercall/contract/analysis/run.ts";
import type { Turn, TurnRole } from "@aftercall/contract/call.ts";

import { isHebrew } from "#/text/hebrew.ts";
import { normaliseForQuotes, originalRange } from "#/text/normalise.ts";
import { speakersOf } from "#/text/sides.ts";
import { timesOf } from "#/text/spans.ts";
import { tokensOf } from "#/text/tokens.ts";

/**
 * Looks for a quote in the call: in the turn it is said to be from, else in every turn of the same speaker, the nearest
 * first; a hit there moves the citation. `exact`: letter for letter; `normalized`: after {@link normaliseForQuotes};
 * `failed`: nobody in that role said it. Too short a quote (under three words and under twelve characters) proves nothing
 * unless it is the whole turn. `role` is who must have said it; without it, whoever spoke the cited turn.
 */
export function verifyQuote({ quote, turn, role }: Claim, turns: readonly Turn[]): Evidence {
  const wanted = normaliseForQuotes(quote).text;
  const cited = turn === null ? undefined : turns[turn];
  const speaker = role ?? cited?.role ?? null;
  const isSaidBy = speakersOf(turns);
  if (wanted !== "") {
    for (const index of nearestFirst(turns.length, cited ? turn : null)) {
      const one = turns[index];
      const found = one && (speaker === null || isSaidBy(one, speaker)) ? find(quote, wanted, one.text) : null;
      if (one && found) return evidence(one, index, found);
    }
  }
  return { ...nowhere, turn: cited ? turn : null, quote, role: cited?.role ?? null };
}

/** What an engine claims: somebody said `quote` in turn number `turn`. */
export type Claim = { readonly quote: string; readonly turn: number | null; readonly role?: TurnRole };

const nowhere = { start_char: null, end_char: null, start_ms: null, end_ms: null, verification: "failed" } as const;

type Place = { readonly start: number; readonly end: number; readonly verification: "exact" | "normalized" };

function evidence(turn: Turn, index: number, { start, end, verification }: Place): Evidence {
  return {
    turn: index,
    start_char: start,
    end_char: end,
    quote: turn.text.slice(start, end),
    role: turn.role,
    ...timesOf(turn, start, end),
    verification,
  };
}

function find(quote: string, wanted: string, text: string): Place | null {
  const normalised = normaliseForQuotes(text);
  if (isTooShort(wanted) && wanted !== normalised.text) return null;
  const literal = quote.trim();
  const at = wholeWords(text, literal);
  if (at >= 0) return { start: at, end: at + literal.length, verification: "exact" };
  const place = wholeWords(normalised.text, wanted);
  if (place < 0) return null;
  return { ...originalRange(normalised, place, place + wanted.length), verification: "normalized" };
}

function isTooShort(wanted: string): boolean {
  return wanted.length < 12 && tokensOf(wanted).length < 3;
}

/** Where `part` begins in `text` without cutting a word in two: "able to help" is not in "unable to help". */
function wholeWords(text: string, part: string): number {
  let at = text.indexOf(part);
  for (let tries = 0; at >= 0 && tries < triesMax; tries++) {
    if (!isInsideWord(text, at, part) && !isInsideWord(text, at + part.length)) return at;
    at = text.indexOf(part, at + 1);
  }
  return -1;
}

/** Nobody repeats within words what a person would quote; a text made to be searched for ever does. */
const triesMax = 100;

/** A Hebrew word may lose the letters written onto its front: a quote of `בבית שמש אתמול` may begin at `בית`. */
function isInsideWord(text: string, at: number, after?: string): boolean {
  const before = text.slice(Math.max(0, at - 2), at);
  const next = text.slice(at, at + 2);
  if (!/[\p{L}\p{N}\p{M}]$/u.test(before) || !/^[\p{L}\p{N}\p{M}]/u.test(next)) return false;
  if (unspaced.test(next)) return false;
  return !(after && isHebrew(after) && hebrewPrefix.test(text.slice(Math.max(0, at - 8), at)));
}

const unspaced = /^[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmr}\p{sc=Mymr}]/u;
const hebrewPrefix = /(?:^|[^\p{L}\p{N}\p{M}])(?:[והבכלמש]\p{M}*){1,2}$/u;

function* nearestFirst(length: number, from: number | null): Generator<number> {
  const start = from ?? 0;
  if (start < length) yield start;
  for (let step = 1; step < length; step++) {
    if (start - step >= 0) yield start - step;
    if (start + step < length) yield start + step;
  }
}
