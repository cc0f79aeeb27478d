/** Every limit of a call that is carried to a speech model. Times in milliseconds, sizes in bytes. */
export const bridgeLimits = {
  /** Caller's sound that waits for the model; of more the oldest goes: an answer to it would come too late. */
  waitingSoundMs: 5_000,
  /** From opening the connection to the model until it takes sound. */
  modelReadyMs: 15_000,
  /** From the answer that names the stream to the stream's first frame. Twilio connects within a second. */
  tokenMs: 60_000,
  /** From the opening of a stream to its `start`. */
  startMs: 10_000,
  /** How often both sides are pinged; who has not answered by the next one is gone. */
  pingMs: 20_000,
  /** How long words are waited for that the caller said just before hanging up. */
  lastWordsMs: 3_000,
  /** Bytes that Twilio has not taken: a minute of sound takes 640 kB as base64. */
  twilioPendingBytesMax: 8_000_000,
  /** Bytes that the model has not taken; sound beyond is dropped. */
  modelPendingBytesMax: 1_000_000,
  /** Sound of the agent that was not played yet. */
  unplayedMsMax: 600_000,
  /** How much later than reckoned a mark may come back before the sound is placed later: marks travel the network. */
  markSlackMs: 200,
  /** How long after sound must have been played its mark is waited for. */
  lostMarkMs: 2_000,
  /** Things kept of one call. */
  turnsMax: 2_000,
  momentsMax: 500,
  /** Calls that one process carries at once. */
  callsMax: 500,
  /** How long the end of a call is tried to be stored, the same while this server stops, and the longest pause between two tries. */
  storeMs: 900_000,
  storeStoppingMs: 5_000,
  storePauseMsMax: 30_000,
} as const;
