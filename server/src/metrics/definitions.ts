import type { Basis, MetricValue } from "@aftercall/contract/analysis/metrics.ts";
import type { TurnRole } from "@aftercall/contract/call.ts";

/** Changes when a formula does, so that numbers of different versions are never compared unseen. */
export const definitionsVersion = "2";

/** Where the formulas draw their lines, in ms unless the name says otherwise. Stored with every set of numbers. */
export const defaultParams = {
  /** Shortest time without speech that is dead air, and from when it is long. */
  dead_air_ms: 3000,
  long_dead_air_ms: 5000,
  /** Inside the other's turn, up to this long or this many words is listening aloud (Lunsford 2016), no interruption. */
  backchannel_ms: 1000,
  backchannel_words: 3,
  /** Talking over each other for less than this is how turns change hands. */
  interruption_ms: 500,
  /** A pause up to this long between two words, or two stretches of one voice, belongs to the speech around it. */
  word_gap_ms: 300,
  join_gap_ms: 500,
  /** How fast somebody is taken to speak where only words are known. */
  estimate_wpm: 150,
} as const satisfies Record<string, number>;

export type Params = { readonly [name in keyof typeof defaultParams]: number };

/** Why a number cannot be known. */
export type NullReason =
  | "no_speech"
  | "no_times"
  | "start_only"
  | "no_length"
  | "unknown_speakers"
  | "mono_recording"
  | "no_turn_changes"
  | "no_punctuation"
  | "no_language"
  | "no_filler_list"
  | "fillers_removed"
  /** Nobody told of any, and nobody tells of every one. */
  | "not_told"
  /** Words on a list tell no feeling ("not bad at all"): only a language model does. */
  | "needs_llm"
  | "no_tool_calls";

export type Items = NonNullable<MetricValue["items"]>;

/** A number that is known, rounded to what its unit can mean. */
export function known(
  key: string,
  role: TurnRole | null,
  unit: MetricValue["unit"],
  value: number,
  basis: Basis,
  items: Items | null = null,
): MetricValue {
  const digits = unit === "ms" || unit === "count" ? 0 : unit === "ratio" ? 4 : 2;
  return { key, role, value: Number(value.toFixed(digits)) + 0, unit, basis, null_reason: null, items };
}

/** A number that cannot be known. */
export function unknown(
  key: string,
  role: TurnRole | null,
  unit: MetricValue["unit"],
  reason: NullReason,
): MetricValue {
  return { key, role, value: null, unit, basis: null, null_reason: reason, items: null };
}
