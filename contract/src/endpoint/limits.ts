/** Limits of endpoints and their settings. Milliseconds, seconds and counts as the names say. */
export const endpointLimits = {
  perTenantMax: 500,
  signingKeysMax: 10,
  /** How long old signing keys may go on signing after a rotation. */
  graceSecondsMax: 7 * 86_400,
  urlCharactersMax: 2048,
  typesMax: 50,
  campaignsMax: 100,
  channelsMax: 20,
  metadataKeysMax: 50,
  scheduleDelaysMax: 30,
  scheduleDelayMsMin: 1_000,
  scheduleDelayMsMax: 7 * 86_400_000,
  scheduleTotalMsMax: 14 * 86_400_000,
  timeoutMsMin: 1_000,
  timeoutMsMax: 30_000,
  inFlightMax: 500,
  rateMax: 10_000,
  ratePerSecondsMax: 3_600,
  strictDelayMsMax: 86_400_000,
  noRetryMax: 50,
} as const;
