import { isDeepStrictEqual } from "node:util";

/**
 * What a provider made of a call itself, in our words. It is the provider's claim: it cites nothing of what was said, so nothing
 * of it can be checked.
 */
export type ProviderAnalysis = {
  readonly provider: string;
  readonly title: string | null;
  readonly summary: string | null;
  /** Language of the summary, as far as it is said. */
  readonly language: string | null;
  readonly fields: readonly ProviderField[];
  readonly criteria: readonly ProviderCriterion[];
  /** Its word on the call as a whole; null: it has none. */
  readonly result: "pass" | "fail" | "unknown" | null;
  /** 0 to 100, where it gives one. */
  readonly score: number | null;
};

/** A value that it found; null: it looked and found none. */
export type ProviderField = {
  readonly name: string;
  readonly value: unknown;
  readonly rationale: string | null;
};

export type ProviderCriterion = {
  readonly id: string;
  readonly name: string;
  readonly verdict: "met" | "partial" | "not_met" | "unknown";
  /** Of `max_points`; null where it gives none. */
  readonly points: number | null;
  readonly max_points: number;
  readonly rationale: string | null;
};

/** An analysis with everything unsaid left unsaid; null when nothing is said. */
export function providerAnalysis(
  provider: string,
  said: Partial<Omit<ProviderAnalysis, "provider">>,
): ProviderAnalysis | null {
  const { language = null, ...made } = said;
  const filled = { ...nothing, ...made };
  return isDeepStrictEqual(filled, nothing) ? null : { provider, language, ...filled };
}

const nothing = { title: null, summary: null, fields: [], criteria: [], result: null, score: null } as const;

/** Words for success and failure, as providers write them. */
export function resultOf(word: string | null): "pass" | "fail" | "unknown" | null {
  if (word === null) return null;
  return results.get(word.toLowerCase()) ?? "unknown";
}

const results: ReadonlyMap<string, "pass" | "fail"> = new Map([
  ["true", "pass"],
  ["pass", "pass"],
  ["passed", "pass"],
  ["success", "pass"],
  ["successful", "pass"],
  ["yes", "pass"],
  ["false", "fail"],
  ["fail", "fail"],
  ["failed", "fail"],
  ["failure", "fail"],
  ["unsuccessful", "fail"],
  ["no", "fail"],
]);
