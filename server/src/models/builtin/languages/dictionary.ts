import type { MetricValue } from "@aftercall/contract/analysis/metrics.ts";
import type { MetricTest } from "@aftercall/contract/analysis/plan.ts";
import type { TurnRole } from "@aftercall/contract/call.ts";

import { directionOf } from "#/text/direction.ts";

import { english } from "./en.ts";
import { hebrew } from "./he.ts";

/** What the built-in analyzer says in its own words, in one language. Names and quotes come in as they are. */
export type Dictionary = {
  readonly language: string;
  /** Before what somebody says; a role that is not named has no label. */
  readonly speakers: Readonly<Partial<Record<TurnRole, string>>>;
  /** The line over sentences that are quoted. */
  readonly quoted: (count: number) => string;
  /** A number and whose it is: `Talk ratio (agent): 88 %`. */
  readonly measured: (key: string, role: TurnRole | null, amount: string) => string;
  readonly amount: (value: number, unit: MetricValue["unit"]) => string;
  readonly comparison: (op: Exclude<MetricTest["op"], "between">, amount: string) => string;
  readonly between: (low: string, high: string) => string;
  readonly wanted: (measured: string, wanted: string) => string;
  readonly notKnown: (key: string, reason: string | null) => string;
  readonly said: (
    what: string,
    isSaid: boolean,
    range: { readonly from: number; readonly to: number } | null,
  ) => string;
  readonly theNumber: string;
  readonly noSuchPart: string;
  readonly field: (name: string, state: "found" | "not_mentioned" | "ambiguous") => string;
  readonly fieldMissing: string;
  readonly needsModel: string;
  readonly failsWithout: string;
  readonly worth: (points: number) => string;
  /** Names of the criteria of the built-in rubric. */
  readonly criteria: Readonly<Record<string, string>>;
};

/** The words for a language (BCP 47); English where there are none yet. A new language is its file and a line here. */
export function dictionaryFor(language: string | null): Dictionary {
  const [primary = ""] = (language ?? "").toLowerCase().split("-");
  return dictionaries.get(primary) ?? english;
}

const dictionaries: ReadonlyMap<string, Dictionary> = new Map([
  ["en", english],
  ["he", hebrew],
  ["iw", hebrew],
]);

/**
 * A name or quote within a sentence of the dictionary: where it is written in the other direction it is isolated (U+2068,
 * U+2069), so that neither turns the other around.
 */
export function within({ language }: Dictionary, text: string): string {
  const isForeign = /\p{L}/u.test(text) && directionOf(`${text} `) !== directionOf(language);
  return isForeign ? `\u2068${text}\u2069` : text;
}
