import type { Redaction } from "@aftercall/contract/analysis/plan.ts";
import type { Transcript, Turn, Word } from "@aftercall/contract/call.ts";

import { findAddresses } from "./detect/address.ts";
import { findBirthDates } from "./detect/birth-date.ts";
import { findCards } from "./detect/card.ts";
import { findEmails } from "./detect/email.ts";
import { findIbans } from "./detect/iban.ts";
import { findIsraeliIds } from "./detect/israeli-id.ts";
import { findNames } from "./detect/name.ts";
import { findPhones } from "./detect/phone.ts";
import { withoutOverlaps } from "./span.ts";
import type { Detector, Found, PiiType, Surroundings } from "./span.ts";

/** Personal data in a turn of a transcript, and what stands there instead. */
export type PiiSpan = Omit<Found, "value"> & {
  readonly turn: number;
  /** `[PHONE_1]`: the same value has the same token in all of a call. */
  readonly token: string;
  /** When it was said, where the turn has times for its words. */
  readonly start_ms: number | null;
  readonly end_ms: number | null;
};

/** What covers personal data, in one call: transcript, summary and fields get the same tokens for the same values. */
export type Redactor = {
  /** A text with its personal data replaced by tokens. */
  maskText(text: string): string;
  /** A transcript with its personal data replaced, in its turns, their words and its text; and where it stood. */
  maskTranscript(transcript: Transcript): { readonly transcript: Transcript; readonly spans: readonly PiiSpan[] };
  /** Any JSON value with every text in it masked, and every number that is somebody's. */
  maskValue(value: unknown): unknown;
};

/** The surer kind first: a card number is also nine digits with a check digit somewhere in it. */
const detectors: ReadonlyMap<PiiType, Detector> = new Map<PiiType, Detector>([
  ["card", findCards],
  ["iban", findIbans],
  ["email", findEmails],
  ["phone", findPhones],
  ["il_id", findIsraeliIds],
  ["birth_date", findBirthDates],
  ["address", findAddresses],
  ["name", findNames],
]);
const order = [...detectors.keys()];

/** Makes what covers the personal data of one call, by the policy of its plan. */
export function createRedactor(policy: Pick<Redaction, "types" | "names">, surroundings: Surroundings): Redactor {
  const wanted = policy.types.flatMap((type) => detectors.get(type) ?? []);
  const known: Surroundings = { ...surroundings, names: [...new Set([...policy.names, ...surroundings.names])] };
  const tokens = new Map<string, string>();
  const counts = new Map<PiiType, number>();

  const redactor: Redactor = {
    maskText: (text) => cover(text, foundIn(text)),
    maskTranscript(transcript) {
      const spans: PiiSpan[] = [];
      const turns = transcript.turns.map((turn, index) => {
        const found = foundIn(turn.text);
        spans.push(...found.map((one) => spanOf(turn, index, one)));
        return found.length === 0 ? turn : maskedTurn(turn, found);
      });
      return { transcript: { ...transcript, turns, text: redactor.maskText(transcript.text) }, spans };
    },
    maskValue(value) {
      if (typeof value === "string") return redactor.maskText(value);
      if (isLongNumber(value)) return maskedNumber(value);
      if (Array.isArray(value)) return value.map(redactor.maskValue);
      if (typeof value !== "object" || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redactor.maskValue(inner)]));
    },
  };
  return redactor;

  function maskedNumber(value: number): number | string {
    const text = String(value);
    const covered = redactor.maskText(text);
    return covered === text ? value : covered;
  }

  function foundIn(text: string): Found[] {
    return withoutOverlaps(
      wanted.flatMap((detect) => detect(text, known)),
      order,
    );
  }

  function tokenOf({ type, value }: Found): string {
    const key = `${type} ${value}`;
    const given = tokens.get(key);
    if (given) return given;
    const count = (counts.get(type) ?? 0) + 1;
    counts.set(type, count);
    const token = `[${type.toUpperCase()}_${count}]`;
    tokens.set(key, token);
    return token;
  }

  function cover(text: string, found: readonly Found[]): string {
    let masked = "";
    let from = 0;
    for (const one of found) {
      masked += text.slice(from, one.start) + tokenOf(one);
      from = one.end;
    }
    return masked + text.slice(from);
  }

  function spanOf(turn: Turn, index: number, found: Found): PiiSpan {
    const { start, end, type } = found;
    const covered = wordsWithin(turn, start, end);
    return {
      turn: index,
      start,
      end,
      type,
      token: tokenOf(found),
      start_ms: covered?.at(0)?.start_ms ?? null,
      end_ms: covered?.at(-1)?.end_ms ?? null,
    };
  }

  function maskedTurn(turn: Turn, found: readonly Found[]): Turn {
    const text = cover(turn.text, found);
    if (!turn.words) return { ...turn, text };
    return { ...turn, text, words: maskedWords(turn, found) };
  }

  /** The first word of a span becomes its token, the others go. Words that cannot be placed in the text are all covered. */
  function maskedWords(turn: Turn, found: readonly Found[]): Word[] {
    const covers = new Map<Word, string | null>();
    for (const one of found) {
      const covered = wordsWithin(turn, one.start, one.end);
      if (!covered) return [];
      for (const [i, word] of covered.entries()) covers.set(word, i === 0 ? tokenOf(one) : null);
    }
    return (turn.words ?? []).flatMap((word) => {
      const token = covers.get(word);
      if (token === undefined) return [word];
      return token === null ? [] : [{ ...word, text: token }];
    });
  }
}

/** Long enough to be somebody's number. */
function isLongNumber(value: unknown): value is number {
  return Number.isInteger(value) && Math.abs(Number(value)) >= 1e8;
}

/** The words of a turn that a stretch of its text is made of; null where the words do not say. */
function wordsWithin(turn: Turn, start: number, end: number): Word[] | null {
  const covered: Word[] = [];
  let from = 0;
  for (const word of turn.words ?? []) {
    const text = word.text.trim();
    const at = text === "" ? -1 : turn.text.indexOf(text, from);
    // A word that is not where it must be puts the place of every later one in doubt.
    if (at < 0) return null;
    from = at + text.length;
    if (at < end && from > start) covered.push(word);
  }
  return covered.length > 0 ? covered : null;
}
