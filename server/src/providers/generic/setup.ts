import { z } from "zod";

import { words } from "./words.ts";

const paths = (defaults: readonly string[], about: string) =>
  z
    .array(z.string().min(1).max(200))
    .max(20)
    .default([...defaults])
    .describe(about);

const wordMap = <Word extends z.ZodType<string>>(word: Word, about: string) =>
  z.record(z.string().max(100), word).default({}).describe(about);

/** How the sender proves itself. */
const Verification = z.object({
  kind: z
    .enum(["shared_secret", "bearer", "hmac", "standard_webhooks"])
    .default("shared_secret")
    .describe(
      "The secret in a header, as a bearer token, an HMAC made with it, or Standard Webhooks (also Svix: webhook-* or svix-* headers)",
    ),
  header: z
    .string()
    .max(100)
    .default("")
    .describe("Header with the secret or signature; empty: x-webhook-secret, authorization or x-signature"),
  algorithm: z.enum(["sha256", "sha512", "sha1"]).default("sha256").describe("HMAC: its hash"),
  encoding: z.enum(["hex", "base64"]).default("hex").describe("HMAC: how the signature is written"),
  prefix: z.string().max(50).default("").describe("HMAC: text before the signature, for example sha256="),
  signature_field: z
    .string()
    .max(50)
    .default("")
    .describe("HMAC: where the header is a list such as t=…,v1=…, the name of the signature in it"),
  timestamp_field: z.string().max(50).default("").describe("HMAC: the name of the timestamp in such a list"),
  timestamp_header: z.string().max(100).default("").describe("HMAC: header with the timestamp that is signed along"),
  timestamp_unit: z.enum(["auto", "s", "ms"]).default("auto").describe("HMAC: unit of the timestamp"),
  tolerance_seconds: z
    .number()
    .int()
    .min(1)
    .max(86_400)
    .default(300)
    .describe("HMAC: how old or early a signed timestamp may be"),
  signed: z
    .string()
    .max(200)
    .refine((template) => template.includes("{body}"), "must contain {body}: what is not signed could be changed")
    .default("{body}")
    .describe("HMAC: what is signed, out of {body}, {timestamp}, {method} and {url}; for example {timestamp}.{body}"),
  secret_is_base64: z.boolean().default(false).describe("HMAC: the key is the secret decoded from base64"),
});

/** Where each thing stands in the body. The first path that leads to something wins. */
const Fields = z.object({
  id: paths(["call_id", "callId", "call_uuid", "id"], "The call's id at the sender"),
  event_id: paths(["/event_id", "/eventId"], "Id of this very webhook, equal in every repeat"),
  type: paths(["/type", "/event", "/event_type"], "What happened, in the sender's word"),
  time: paths(["/timestamp", "/time", "/event_timestamp"], "When it happened"),
  status: paths(["status", "call_status", "state"], "Where the call stands"),
  outcome: paths(["outcome", "result", "disposition"], "How the call went"),
  direction: paths(["direction", "call_direction"], "Who called"),
  from: paths(["from", "from_number", "fromNumber", "caller"], "Number that called"),
  to: paths(["to", "to_number", "toNumber", "callee"], "Number that was called"),
  started_at: paths(["started_at", "startedAt", "start_time", "start_timestamp"], "Start"),
  answered_at: paths(["answered_at", "answeredAt", "answer_time"], "Answer"),
  ended_at: paths(["ended_at", "endedAt", "end_time", "end_timestamp"], "End"),
  duration: paths(
    ["duration_ms", "durationMs", "duration_sec", "duration_seconds", "duration_secs", "duration_minutes", "duration"],
    "Length of the call",
  ),
  ended_reason: paths(["ended_reason", "endedReason", "end_reason", "hangup_reason"], "Why it ended"),
  recording_url: paths(["recording_url", "recordingUrl", "recording.url", "recording"], "Where the recording is"),
  transcript: paths(["transcript", "transcription", "messages"], "What was said: text, or a list of turns"),
  moments: paths(["moments"], "What happened inside the call: a list of objects with kind, name, at_ms, args, result"),
  summary: paths(["summary", "call_summary", "analysis.summary", "call_analysis.call_summary"], "Summary"),
  analysis: paths(
    ["analysis", "call_analysis"],
    "What the sender made of the call: an object, its values become fields",
  ),
  language: paths(["language", "lang"], "Language, as a BCP 47 tag"),
  cost: paths(["cost", "price"], "Cost"),
  currency: paths(["currency", "cost_currency"], "Currency of the cost"),
  campaign: paths(["campaign_id", "campaignId", "campaign"], "Campaign"),
  lead_id: paths(["lead_id", "leadId"], "Id of the lead"),
  business_id: paths(["business_id", "businessId"], "Id of the business"),
  customer_name: paths(["customer_name", "customerName"], "Name of the other party"),
  agent_id: paths(["agent_id", "agentId", "assistant_id"], "Id of the agent"),
  agent_name: paths(["agent_name", "agentName"], "Name of the agent"),
  city: paths(["city"], "City of the customer"),
  service_category: paths(["service_category", "serviceCategory"], "What the customer wants"),
  call_sid: paths(["call_sid", "callSid", "CallSid", "twilio_call_sid"], "Twilio CallSid of the same call"),
  metadata: paths(["metadata"], "An object that is kept as sent"),
});

/** Where things stand in one turn of a transcript that is a list. */
const Turns = z.object({
  role: paths(["role", "speaker", "who"], "Who speaks"),
  text: paths(["text", "content", "message"], "The words"),
  start: paths(["start_ms", "start", "start_time", "time_in_call_secs"], "Start, from the start of the call"),
  end: paths(["end_ms", "end", "end_time"], "End, from the start of the call"),
  unit: z
    .enum(["auto", "ms", "s"])
    .default("auto")
    .describe("Unit of start and end; auto: ms if the name says so, else s"),
});

/** Settings of a source of any other system: where things stand in its JSON or form, and what its words mean. */
export const GenericSetup = z.object({
  verification: Verification.prefault({}).describe("How the sender proves itself"),
  roots: z
    .array(z.string().max(200))
    .min(1)
    .max(10)
    .default(["call", "data.call", "data", ""])
    .describe("Objects of the body in which dotted paths are looked up, in this order; empty text: the body itself"),
  fields: Fields.prefault({}).describe(
    "Where things stand: dotted paths (call.id) from the roots, JSON pointers (/call/id) from the body",
  ),
  turns: Turns.prefault({}).describe("Where things stand in a turn of the transcript"),
  status_words: wordMap(
    z.enum(words),
    "What the sender's status and outcome words mean, for words that are not understood by themselves",
  ),
  direction_words: wordMap(z.enum(["inbound", "outbound", "web"]), "What the sender's direction words mean"),
  role_words: wordMap(
    z.enum(["agent", "customer", "human_agent", "system", "tool", "unknown"]),
    "What the sender's words for speakers mean",
  ),
  without_status: z
    .enum(["nothing", "ended"])
    .default("nothing")
    .describe("What a body without a status means; ended: for systems that call once, when the call is over"),
  without_id: z
    .enum(["record", "refuse"])
    .default("record")
    .describe("What becomes of a body without a call's id: recorded and shown, or refused with 400"),
  id_kind: z
    .enum(["generic", "call_sid", "sip_call_id", "conversation_id", "vapi_call", "room_sid", "communication_id"])
    .default("generic")
    .describe("Which id it is: a CallSid, say, joins the call with what Twilio tells of it"),
  id_prefix: z
    .string()
    .max(50)
    .default("")
    .describe("Put before ids, so that two systems that count their calls from 1 do not meet"),
  duration_unit: z
    .enum(["auto", "ms", "s", "min"])
    .default("auto")
    .describe("Unit of the duration; auto: ms or minutes if the name of its field says so, else seconds"),
  currency: z.string().length(3).default("USD").describe("Currency of the cost where the body names none"),
});
export type GenericSetup = z.infer<typeof GenericSetup>;
export type FieldName = keyof GenericSetup["fields"];
