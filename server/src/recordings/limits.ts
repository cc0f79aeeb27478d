/** Every limit of fetching and serving recordings, with the reason for the number. */
export const recordingLimits = {
  /** Ten hours of telephone WAV in two channels; nothing that a call makes is larger. */
  bytesMax: 500_000_000,
  /** For one attempt, from connecting to the last byte: at least 500 kB/s of the largest. */
  downloadMsMax: 1_000_000,
  /** Answers of providers that are asked in JSON. */
  lookupMsMax: 15_000,
  lookupBytesMax: 1_000_000,
  redirectsMax: 3,
  /** Ways that are tried in one attempt: the forms that an event names, and a lookup. */
  waysMax: 8,
  /** After which wait the next attempt is made; the first is made at once. */
  scheduleMs: [0, 5_000, 30_000, 120_000, 600_000, 1_800_000, 7_200_000],
  /** Longest that a provider's Retry-After is believed. */
  retryAfterMsMax: 7_200_000,
  /** How long a link works, in seconds: default and most. */
  linkSeconds: 900,
  linkSecondsMax: 86_400,
  /** Points per channel of one answer with peaks. */
  peaksPointsMax: 10_000,
} as const;
