import { z } from "zod";

/** One webhook as it was received, and what it did. The log is append-only: nothing here ever changes. */
export const Event = z.object({
  id: z.string(),
  source_id: z.string(),
  provider: z.string(),
  type: z.string(),
  key: z.string(),
  occurred_at: z.string().nullable(),
  received_at: z.string(),
  route: z.enum(["given", "own"]),
  verification: z.string(),
  /** `applied` to a call, `recorded` only, or `unmatched`: still waiting for its call when it was stored. */
  effect: z.enum(["applied", "recorded", "unmatched"]),
  call_id: z.string().nullable(),
  status_after: z.string().nullable(),
  outcome_after: z.string().nullable(),
  problem: z.string().nullable(),
  /** How often the provider sent it, and how often with another body (the first one counts). */
  seen_count: z.number().int(),
  differing_count: z.number().int(),
  /** True while the event waits for a call that nobody has spoken of yet. */
  is_waiting: z.boolean(),
  body_bytes: z.number().int(),
});
export type Event = z.infer<typeof Event>;

/** What an event did after it was stored: matched to a call that appeared later, or run again. */
export const EventApplication = z.object({
  cause: z.enum(["matched", "replay", "retry"]),
  call_id: z.string().nullable(),
  status_after: z.string().nullable(),
  outcome_after: z.string().nullable(),
  problem: z.string().nullable(),
  at: z.string(),
});

export const EventDetail = Event.extend({
  url: z.string(),
  content_type: z.string(),
  headers: z.record(z.string(), z.array(z.string())),
  /** The body as text; secrets that providers put into bodies are blanked. Null when it is not text. */
  body: z.string().nullable(),
  applications: z.array(EventApplication),
});
export type EventDetail = z.infer<typeof EventDetail>;

/** A request that was refused: kept for a while, and replayable once the secret is right. */
export const Quarantined = z.object({
  id: z.string(),
  source_id: z.string(),
  provider: z.string(),
  route: z.enum(["given", "own"]),
  reason: z.string(),
  detail: z.string().nullable(),
  received_at: z.string(),
  body_bytes: z.number().int(),
  replayed_at: z.string().nullable(),
  replay_result: z.string().nullable(),
});
export type Quarantined = z.infer<typeof Quarantined>;

export const ReplayResult = z.object({
  event_id: z.string(),
  call_id: z.string().nullable(),
  /** `changed`: the call says something else now; `unchanged`: it already said that; `none`: the event speaks of no known call. */
  result: z.enum(["changed", "unchanged", "none"]),
  status: z.string().nullable(),
  outcome: z.string().nullable(),
  problem: z.string().nullable(),
});
export type ReplayResult = z.infer<typeof ReplayResult>;

/** A range of events being run again. Its progress survives restarts. */
export const Replay = z.object({
  id: z.string(),
  state: z.enum(["running", "done", "canceled", "failed"]),
  filter: z.record(z.string(), z.unknown()),
  changed_count: z.number().int(),
  unchanged_count: z.number().int(),
  problem_count: z.number().int(),
  created_at: z.string(),
  finished_at: z.string().nullable(),
});
export type Replay = z.infer<typeof Replay>;
