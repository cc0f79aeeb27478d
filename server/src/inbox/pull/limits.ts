/** Every limit of asking providers, with the reason for the number. */
export const pullLimits = {
  /** How often a source's provider is asked for its latest calls. */
  everyMs: 300_000,
  /** How often is looked for sources whose turn it is. */
  sweepMs: 30_000,
  /** Sources whose turn is queued in one go. */
  sourcesMax: 500,
  /** A call of which nothing was heard for this long is asked about: no webhook is as late as that, unless it is lost. */
  staleMs: 900_000,
  /** A call that ended less than this ago is left for the next time: its webhooks may be on their way. */
  graceMs: 300_000,
  /** How far back the first list of a source goes. */
  firstListMs: 86_400_000,
  /** How far each list reaches behind the one before: providers list by start, and a call may last this long. */
  overlapMs: 14_400_000,
  /** Pages of a list in one turn. */
  pagesMax: 40,
  /** Requests of one source in one turn, pages among them: the rates of providers are a few per second. */
  requestsMax: 200,
  /** Calls without an end that are asked about in one turn. */
  staleCallsMax: 40,
  /** How long one answer may take. */
  timeoutMs: 15_000,
  /** Bytes of one answer: a list of a hundred of Vapi's calls with their transcripts is some of them. */
  listBytesMax: 50_000_000,
  /** Waits between the questions about one call; after the last one nobody asks any more. */
  callWaitsMs: [900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 28_800_000, 57_600_000],
  /** A turn that was queued and never done is queued again after this: its job may have been given up. */
  againMs: 3_600_000,
  /** The longest pause after polls that failed, and the longest that a provider's Retry-After is believed. */
  pauseMsMax: 21_600_000,
} as const;
