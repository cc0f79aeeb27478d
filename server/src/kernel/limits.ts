/**
 * Every limit of the server, by name. A loop, a queue, a body or a wait that could grow without end has its bound here, with
 * the reason for the number. Units are in the names: `Ms`, `Bytes`, `Max` counts.
 */
export const limits = {
  /** Intake transactions at once in one process: one fills while the other commits; more only compete for the same rows. */
  lanes: 2,
  /** Events in one intake transaction. Above 100 throughput no longer grows, and the wait does. */
  batchEventsMax: 100,
  /** Bytes of bodies in one intake transaction; a single larger event goes alone. */
  batchBytesMax: 8_000_000,
  /** How long an event waits for company while a lane is free. */
  batchWaitMs: 3,
  /** Requests that wait for a lane in one process; above it the answer is "come again". */
  waitingRequestsMax: 1_000,
  /** Bytes of bodies that wait for a lane in one process. */
  waitingBytesMax: 64_000_000,
  /** The latest moment at which a webhook is answered, stored or not: providers give up after 10 to 30 s. */
  answerDeadlineMs: 10_000,
  /** An id or key of a provider, in bytes; an index row cannot hold much more, and none is as long. */
  idBytesMax: 255,
  /** Refused requests kept for each source; the oldest gives way. */
  quarantineRowsMax: 1_000,
  /** The largest refused body that is kept whole, in bytes. */
  quarantineBodyBytesMax: 1_000_000,
  /** How deep one change may cause another (call ended → campaign completed → …). */
  reactionDepthMax: 3,
  /** From SIGTERM to the end of the process: Kubernetes and Docker send SIGKILL after 30 and 10 s by default. */
  drainMs: 20_000,
  /** Rows of a page of a list, at most. */
  pageRowsMax: 200,
  /** Times a job is tried again before it counts as failed. */
  jobRetriesMax: 20,
  /** The longest wait between two tries of a job, in seconds. */
  jobRetryDelaySecondsMax: 3_600,
  /** A job whose process says nothing for this long, in seconds, is started again elsewhere. pg-boss allows no less than 10. */
  jobHeartbeatSeconds: 10,
} as const;
