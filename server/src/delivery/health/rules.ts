/** When an endpoint is thought to be in trouble, and what is done about it. */
export type HealthRules = {
  /** The breaker opens when at least `breakerAttemptsMin` attempts of the last window were made and this share failed. */
  readonly breakerShare: number;
  readonly breakerAttemptsMin: number;
  /** The window moves in slices. */
  readonly sliceMs: number;
  readonly slices: number;
  /** How long it stays open at first; each time in a row twice as long, up to the longest. */
  readonly openMs: number;
  readonly openMsMax: number;
  /** After it closed, what is sent at once grows to its full number over this time. */
  readonly slowStartMs: number;
  /** What an answer 429, 502, 503 or 504 without Retry-After asks for. */
  readonly throttleMs: number;
  /** An endpoint is disabled without a success for so long, */
  readonly disableAfterMs: number;
  /** when its first and its last failure lie this far apart, */
  readonly disableSpanMs: number;
  /** and at least so many attempts failed. */
  readonly disableFailuresMin: number;
  /** How much of that has come together when it is told, in percent. */
  readonly warnPercents: readonly number[];
};

const minute = 60_000;
const hour = 60 * minute;

export const healthRules: HealthRules = {
  breakerShare: 0.7,
  breakerAttemptsMin: 10,
  sliceMs: 30_000,
  slices: 10,
  openMs: 30_000,
  openMsMax: 10 * minute,
  slowStartMs: 30_000,
  throttleMs: 30_000,
  disableAfterMs: 120 * hour,
  disableSpanMs: 12 * hour,
  disableFailuresMin: 10,
  warnPercents: [50, 70, 90, 100],
};
