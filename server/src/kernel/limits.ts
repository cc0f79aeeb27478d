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
  /** How long an event waits at most for company while one lane is busy; one as large as the first does not wait. */
  batchWaitMs: 10,
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
  /** Refused requests being written at once in one process; further ones are only counted. */
  quarantineWritesMax: 8,
  /** How often what sources sent is added to what is stored of it. */
  trafficFlushMs: 30_000,
  /** How long a browser's session for live updates lasts: a working day, so that a page makes one when it is opened. */
  sessionMs: 12 * 3_600_000,
  /** How often sources and the queue of tenants who want to hear of them are looked at. */
  alarmsEveryMs: 60_000,
  /** Refused requests within ten minutes below which nobody is told of any share: a scanner that passes by is no trouble. */
  refusalsMin: 10,
  /** How often events are looked for that wait although their call exists. */
  unmatchedSweepMs: 5_000,
  /** How deep one change may cause another (call ended → campaign completed → …). */
  reactionDepthMax: 3,
  /** From SIGTERM to the end of the process: Kubernetes and Docker send SIGKILL after 30 and 10 s by default. */
  drainMs: 20_000,
  /** Spans that wait for the collector of traces in one process, some 1 MB; further ones are lost. */
  traceQueueMax: 2_048,
  /** How long a batch of spans may take, with what is tried again. */
  traceSendMs: 10_000,
  /** How long the end of the process waits for the last spans: they are worth less than a clean stop. */
  traceFlushMs: 2_000,
  /** How often the log says that the collector takes nothing. */
  traceComplaintMs: 60_000,
  /** Characters of one value of a span: names and ids are shorter. */
  traceValueMax: 256,
  /** Rows of a page of a list, at most. */
  pageRowsMax: 200,
  /** Rows of a list that are counted where its length is asked for; beyond, the planner's estimate is answered. */
  totalRowsMax: 10_000,
  /**
   * What counting them may cost without a watch on the clock, in the planner's unit: 10,000 messages by their key come to 400,
   * and reading through 300,000 to find a few to 17,000, which takes 0.8 s.
   */
  totalCostMax: 10_000,
  /** How long dearer counting may take before the estimate is answered in its place. */
  totalCountMs: 500,
  /** Times a job is tried again before it counts as failed. */
  jobRetriesMax: 20,
  /** The longest wait between two tries of a job, in seconds. */
  jobRetryDelaySecondsMax: 3_600,
  /** A job whose process says nothing for this long, in seconds, is started again elsewhere. pg-boss allows no less than 10. */
  jobHeartbeatSeconds: 10,
  /** Attempts in flight in one process. */
  deliverySlots: 1_000,
  /** The same for one tenant: hundreds of endpoints that hang leave room for the others'. */
  deliverySlotsPerTenant: 500,
  /** The share of these that only first attempts may take: a backlog of retries leaves room for what is new. */
  deliveryFreshReserve: 0.3,
  /** The share that only retries may take: what is new does not stop them for ever. */
  deliveryRetryReserve: 0.1,
  /** Deliveries that wait in memory for a slot in one process; they are claimed, so the others of the row wait for us. */
  deliveryWaitingMax: 4_000,
  /** The same for one tenant. */
  deliveryWaitingPerTenantMax: 2_000,
  /** The same for one endpoint: what a receiver that answers within a few milliseconds takes in a moment. */
  deliveryWaitingPerEndpointMax: 256,
  /** Bytes of bodies that one process has in hand, and one body more: a message may have 2 MB, one with a long transcript more. */
  deliveryBytesMax: 64_000_000,
  /** A delivery that waited this long in memory goes back to the table. */
  deliveryWaitingMs: 5_000,
  /** How long a claim holds without a word from its process: at least twice the longest attempt. */
  deliveryLeaseMs: 60_000,
  /** How often the claims of what is still in hand are renewed. */
  deliveryHeartbeatMs: 10_000,
  /** How often claims that ran out are freed. */
  deliverySweepMs: 5_000,
  /** How often claims are looked for whose process is gone. */
  deliveryOrphansMs: 1_000,
  /** How often messages are looked for whose time has run out. */
  deliveryExpiryMs: 1_000,
  /** Messages of which what waits is ended in one go. */
  deliveryExpiryMax: 1_000,
  /** How often due deliveries are looked for when nothing wakes us. */
  deliveryPollMs: 1_000,
  /** The same after a claim that found some: more are probably there, and room for them will be. */
  deliveryClaimPauseMs: 10,
  /** Deliveries of one claim, at most. */
  deliveryClaimMax: 500,
  /**
   * Retries of one claim, at most, while first attempts flow and no more of these have come meanwhile: about a thousand a second,
   * so that 20,000 of them are gone in less than half a minute and what is new is as fast as without them.
   */
  deliveryRetriesBesideFresh: 16,
  /** First attempts flow for this long after each of them. */
  deliveryFreshFlowMs: 5_000,
  /** Tenants of one claim, at most; the next claim goes on with the others. */
  deliveryClaimTenantsMax: 50,
  /** Lanes of one claim, at most: the next claim goes on with the others. */
  deliveryLanesMax: 200,
  /**
   * Lanes of which a process remembers where they begin, at most: each costs the look a step more, which pays where much waits for
   * few; and for how long, if it misses that one begins earlier.
   */
  deliveryMarksMax: 50,
  deliveryMarksMs: 10_000,
  /** A transaction that writes deliveries is shorter; what became due within this time is always looked through. */
  deliveryMarkLagMs: 5_000,
  /** A process that delivers and says nothing for this long is not counted any more. */
  deliveryWorkerSilentMs: 30_000,
  /** How often successes are written that change nothing about their endpoint but its failure rate. */
  deliveryTallyMs: 10_000,
  /** How often lines are looked through for somebody who waits for nobody. */
  deliveryLinesMs: 60_000,
  /** How often the backlog is counted for the metrics. */
  deliveryBacklogMs: 30_000,
  /** Endpoints that the metrics name, the latest ones: each is a series of its own. */
  latestEndpointsMax: 20,
  /** Claims of one delivery in a row that end with their process before it is tried alone. */
  deliverySuspectLost: 3,
  /** How long a delivery is watched alone the first time; attempts are sent within a few milliseconds. */
  deliveryTrialMs: 50,
  /** Processes in a row that end while they try the same delivery alone before it is set aside. */
  deliveryTrialsMax: 3,
  /** Results in one transaction. */
  deliveryResultsMax: 200,
  /** Groups of results that one process writes at once. */
  deliverySettlesMax: 2,
  /** How long a result waits for company. */
  deliveryResultWaitMs: 5,
  /** Bytes of a receiver's answer that are kept. */
  answerBytesMax: 65_536,
  /** How long the endpoints of a tenant are believed; a change in this process counts at once. */
  endpointCacheMs: 5_000,
  /** How long a receiver may take to say whether it wants to be called: somebody waits for the answer. */
  handshakeTimeoutMs: 10_000,
  /** A request that holds an idempotency key and says nothing for this long is taken for dead: above the longest answer of /v1. */
  idempotencyLeaseMs: 60_000,
  /** How long a repeat waits for the answer of the first request with its key. */
  idempotencyWaitMs: 5_000,
  /** How often it looks. */
  idempotencyPollMs: 50,
  /** Expired idempotency keys removed in one go. */
  idempotencySweepRowsMax: 5_000,
  /** Event types of a tenant's own. */
  eventTypesMax: 500,
  /** How long a tenant's own id of a message is remembered, so that it is published once. */
  publishedIdKeepMs: 30 * 86_400_000,
  /** Ids of messages forgotten in one go. */
  publishedIdSweepRowsMax: 5_000,
  /** How far ahead a tenant's own message may be put off: within the time for which its id is remembered. */
  publishAheadMsMax: 30 * 86_400_000,
  /** How often keys and ids that are only kept for a while are looked through. */
  keptSweepMs: 60_000,
  /** Entries of each kind in the timeline of a call. */
  timelineRowsMax: 1_000,
  /** Metadata of one call, as JSON: it is part of the record, which every event of the call reads and writes. */
  callMetadataBytesMax: 65_536,
  /** Waiting deliveries that one request cancels: their rows are held until it is done. */
  deliveryCancelMax: 10_000,
  /** Rows of the undelivered list as a table. */
  csvRowsMax: 10_000,
  /** How long one resend is worked at before others have their turn. */
  resendTurnMs: 60_000,
  /** A resend that nobody worked at for this long is queued again. */
  resendIdleMs: 600_000,
  /** How often what is only kept for a while is looked through. */
  retentionEveryMs: 3_600_000,
  /** Rows that retention removes in one transaction. */
  retentionRowsMax: 1_000,
  /** Days of attempts that are made ready ahead of time. */
  attemptDaysAhead: 7,
  /** With fewer days ready than this the server says that it is not well. */
  attemptDaysAheadMin: 2,
  /** Access tokens for receivers that are kept in one process. */
  accessTokensMax: 10_000,
  /** How long before its end an access token is fetched again. */
  accessTokenEarlyMs: 30_000,
  /** The longest an access token is kept, however long its server says. */
  accessTokenKeepMsMax: 3_600_000,
  /** How long the public keys of a system whose tokens are believed are used before they are fetched again. */
  keySetKeepMs: 600_000,
  /** The same for a token that names a key which is not among them: anybody can write such tokens. */
  keySetAgainMs: 30_000,
  /** How long they go on counting while they cannot be fetched. */
  keySetStaleMs: 86_400_000,
  /** How long fetching them may take: somebody waits for their answer. */
  keySetTimeoutMs: 5_000,
  /** The largest set of keys; a usual one has 2 kB. */
  keySetBytesMax: 262_144,
  /** Sets of keys that are kept in one process. */
  keySetsMax: 1_000,
  /** How long one question for a transcript may take: under the 25 s for which the webhook waits, so that it hears of it. */
  transcriptTimeoutMs: 10_000,
  /** The largest transcript that is fetched: two hours of talk are about a tenth of it. */
  transcriptBytesMax: 20_000_000,
  /** How long a transcript that is not written yet is waited for. */
  transcriptWaitMs: 6 * 3_600_000,
  /** Attempts at the feedback of a session that may fail; with the waits between them more than an hour and a half. */
  feedbackFailuresMax: 12,
  /** From this failure on, a language model that does not answer is done without. */
  feedbackModelFailuresMax: 6,
  /** How long feedback waits for what the call's pipeline asks a language model: as long as a model may take. */
  pipelineResultMs: 130_000,
  /** How often it looks. */
  pipelineResultPollMs: 100,
  /** Webhooks of one process that wait for feedback at once; further ones are answered that it is being made. */
  feedbackWaitersMax: 500,
  /** How often who waits for feedback looks, should a wake-up be lost. */
  feedbackPollMs: 2_000,
  /** How long one job of re-runs is worked at before others have their turn. */
  analysisTurnMs: 60_000,
  /** A job of re-runs that nobody worked at for this long is queued again: well above the longest answer of a model. */
  analysisIdleMs: 600_000,
  /** Tries at one call of a job. */
  analysisAttemptsMax: 5,
  /** Events under one seal of the log. */
  sealEventsMax: 5_000,
  /** How often the log is sealed: what came in since can be changed without it showing, so not seldom. */
  sealEveryMs: 60_000,
  /** How often is looked for what has been kept for long enough, for late data of erased calls, and for objects left to remove. */
  erasureSweepMs: 60_000,
  /** Calls erased in one step of a sweep, each in a transaction of its own. */
  erasureCallsMax: 100,
  /** For so many days after a call was erased its late webhooks are erased too; no provider repeats for longer than three. */
  erasureLateDays: 7,
} as const;
