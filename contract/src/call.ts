import { z } from "zod";

/** Where a call stands. The last four are final; `timeout` is set by us when no final report came, and gives way to one. */
export const CallStatus = z.enum(["queued", "ringing", "in_progress", "ended", "failed", "canceled", "timeout"]);
export type CallStatus = z.infer<typeof CallStatus>;

/** How a call went, in the words every provider is translated to. */
export const CallOutcome = z.enum(["completed", "no_answer", "busy", "failed", "voicemail", "canceled", "transferred"]);
export type CallOutcome = z.infer<typeof CallOutcome>;

export const CallDirection = z.enum(["inbound", "outbound", "web"]);
export type CallDirection = z.infer<typeof CallDirection>;

/** Who speaks a turn. `tool` is a function call of the agent; `human_agent` a person who took over. */
export const TurnRole = z.enum(["agent", "customer", "human_agent", "system", "tool", "unknown"]);

export type TurnRole = z.infer<typeof TurnRole>;

/** One word with its time, where speech was turned into text with times for words. */
export const Word = z.object({
  text: z.string(),
  start_ms: z.number().int(),
  end_ms: z.number().int(),
  confidence: z.number().nullable(),
});
export type Word = z.infer<typeof Word>;

/**
 * One thing that was said. Times are milliseconds from the start of the call, null where the provider gives none. What is
 * optional is there only where the provider or the speech-to-text engine says it.
 */
export const Turn = z.object({
  role: TurnRole,
  text: z.string(),
  start_ms: z.number().int().nullable(),
  end_ms: z.number().int().nullable(),
  channel: z.number().int().optional(),
  confidence: z.number().optional(),
  /** The other side began to talk before it was said to its end. */
  interrupted: z.boolean().optional(),
  words: z.array(Word).optional(),
});
export type Turn = z.infer<typeof Turn>;

/** What was said: the turns where the provider sends turns, and always the whole text. */
export const Transcript = z.object({
  text: z.string(),
  turns: z.array(Turn),
  language: z.string().nullable(),
});
export type Transcript = z.infer<typeof Transcript>;

/** An amount of money. Decimal text, never a float: `{ "amount": "0.0429", "currency": "USD" }`. */
export const Money = z.object({ amount: z.string(), currency: z.string() });
export type Money = z.infer<typeof Money>;

/** One recording as the provider announced it. */
export const RecordingInfo = z.object({
  status: z.enum(["pending", "available", "failed", "absent"]),
  url: z.string().nullable(),
  duration_ms: z.number().int().nullable(),
  channels: z.number().int().nullable(),
});
export type RecordingInfo = z.infer<typeof RecordingInfo>;

/** What is known of the recording of a call: what its provider announced, and what became of our own copy. */
export const CallRecording = RecordingInfo.extend({
  status: z.enum(["pending", "available", "stored", "failed", "absent"]).meta({
    description:
      "`available`: its provider has it, and we do not yet; `stored`: we have a copy; `failed`: there will be none, `reason` says why.",
  }),
  codec: z.string().nullable().meta({ description: "Of our own copy, once it was decoded; null before." }),
  reason: z.string().nullable().meta({ description: "Why it failed; of a stored one, why it could not be decoded." }),
});
export type CallRecording = z.infer<typeof CallRecording>;

/** The record of one physical call, whoever reported it. */
export const Call = z.object({
  id: z.string(),
  provider: z.string(),
  provider_call_id: z.string(),
  status: CallStatus,
  outcome: CallOutcome.nullable(),
  direction: CallDirection.nullable(),
  from: z.string().nullable(),
  to: z.string().nullable(),
  started_at: z.string().nullable(),
  answered_at: z.string().nullable(),
  ended_at: z.string().nullable(),
  duration_ms: z.number().int().nullable(),
  ended_reason: z.string().nullable(),
  cost: Money.nullable(),
  campaign_id: z.string().nullable(),
  user_id: z.string().nullable(),
  recording: CallRecording.nullable(),
  summary: z.string().nullable(),
  language: z.string().nullable(),
  /** The tenant's own end-customer that the call belongs to. */
  business_id: z.string().nullable(),
  lead_id: z.string().nullable(),
  customer_name: z.string().nullable(),
  agent_name: z.string().nullable(),
  city: z.string().nullable(),
  service_category: z.string().nullable(),
  analysis: z.record(z.string(), z.unknown()).nullable(),
  metadata: z.record(z.string(), z.unknown()),
  aliases: z.array(z.object({ kind: z.string(), value: z.string() })),
  merged_into: z.string().nullable(),
  version: z.number().int(),
  created_at: z.string(),
  updated_at: z.string(),
});
export type Call = z.infer<typeof Call>;
