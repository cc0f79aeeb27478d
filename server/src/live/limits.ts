/** Every limit of the live channel. Times in milliseconds, sizes in bytes. */
export const liveLimits = {
  /** How long changes are kept, and so how long a client may be away and still go on where it stopped. */
  keptMs: 48 * 3_600_000,
  /** Kept beyond that, so that nothing is removed under a client that is just reading it. */
  keptLongerMs: 3_600_000,
  /** For how long what becomes of deliveries is told once somebody asked, longer than it is kept; and when they ask again. */
  followedMs: 50 * 3_600_000,
  followAgainMs: 3_600_000,
  /** How often old changes are looked for. */
  sweepMs: 300_000,
  /** Changes removed by one transaction, transactions of one sweep, and tenants that one looks at. */
  sweepRowsMax: 5_000,
  sweepRoundsMax: 200,
  sweepTenantsMax: 200,
  /** How often changes are looked for when nothing wakes us. */
  pollMs: 1_000,
  /** The longest pause after a failed look. */
  retryMsMax: 5_000,
  /** Changes read at once. */
  pageRowsMax: 1_000,
  /** Changes a client is given at most before it goes on live; one that missed more starts anew. */
  catchUpRowsMax: 50_000,
  /** Changes kept in memory for clients that come back soon. */
  recentItemsMax: 5_000,
  /** Changes a client is given from memory at once. */
  recentGivenMax: 500,
  /** Clients that catch up from the database at the same time in one process: they share the database with the intake. */
  catchUpsMax: 4,
  /** Connections of one process, and of one tenant in it. */
  connectionsMax: 20_000,
  connectionsPerTenantMax: 10_000,
  /** Identifiers or topics of one connection. */
  subscriptionsMax: 500,
  /** Topics in one query, which is bounded by the size of the headers anyway. */
  topicsMax: 100,
  /** Turns of a transcript that are told one by one; the whole of it is at `GET /v1/calls/:id/transcript`. */
  turnsMax: 1_000,
  /** Bytes that wait for a client; one that does not take them is dropped. */
  waitingBytesMax: 1_000_000,
  /** Bytes for one client that are written without a pause. */
  burstBytes: 200_000,
  /** Changes that wait for a client while it catches up. */
  waitingItemsMax: 10_000,
  /** How long a client that was told to go may take to read why. */
  partingMs: 2_000,
  /** From the opening of a socket to its token. */
  authenticateMs: 10_000,
  /** Frames of one socket that wait to be handled. */
  framesWaitingMax: 100,
  frameBytesMax: 65_536,
  pingMs: 30_000,
  heartbeatMs: 15_000,
  /** How often credentials of open connections are looked at again. */
  recheckMs: 60_000,
  cursorLengthMax: 2_000,
} as const;
