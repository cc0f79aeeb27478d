import type { Call, RecordingInfo, Transcript } from "./call.ts";
import type { Campaign } from "./campaign.ts";
import type { Delivery } from "./delivery.ts";
import type { TrainingSession } from "./training.ts";

/** Examples of what is sent, one in English and one in Hebrew per event type. Kept as data: docs and tests read them. */

export const english: Call = {
  id: "call_06f4yvh7k8e5m2q9s3t6w0x1za",
  provider: "vapi",
  provider_call_id: "7f6f2a1e-52c4-4a55-9c2f-0a1b2c3d4e5f",
  status: "ended",
  outcome: "completed",
  direction: "inbound",
  from: "+14155550123",
  to: "+14155550100",
  started_at: "2026-11-21T09:30:00.000Z",
  answered_at: "2026-11-21T09:30:04.000Z",
  ended_at: "2026-11-21T09:32:11.000Z",
  duration_ms: 127000,
  ended_reason: "customer-ended-call",
  cost: { amount: "0.0429", currency: "USD" },
  campaign_id: null,
  user_id: null,
  recording: { status: "available", url: "https://storage.example.com/rec.wav", duration_ms: 127000, channels: 2 },
  summary: "The caller asked for a locksmith and agreed to a visit at 11:00.",
  language: "en",
  lead_id: "4821",
  customer_name: "Dana Levy",
  agent_name: "Assistant",
  city: "Austin",
  service_category: "Locksmith",
  analysis: { success_evaluation: "true" },
  metadata: { crm: "4821" },
  aliases: [
    { kind: "vapi_call", value: "7f6f2a1e-52c4-4a55-9c2f-0a1b2c3d4e5f" },
    { kind: "call_sid", value: "CA9dd13ec4fcb895203d2162ca7e0297fc" },
  ],
  merged_into: null,
  version: 4,
  created_at: "2026-11-21T09:30:00.120Z",
  updated_at: "2026-11-21T09:32:12.480Z",
};

export const hebrew: Call = {
  ...english,
  id: "call_06f4yvh7k8e5m2q9s3t6w0x2zb",
  provider: "twilio",
  provider_call_id: "CA9dd13ec4fcb895203d2162ca7e0297fd",
  from: "+972501234567",
  to: "+97231234567",
  ended_reason: "completed",
  cost: null,
  summary: "### סיכום\nהלקוחה ביקשה הצעת מחיר לשיווק נכס בבית שאן.",
  language: "he",
  customer_name: "דנה לוי",
  city: "בית שאן",
  service_category: "שיווק נכס",
  analysis: null,
  metadata: {},
  aliases: [{ kind: "call_sid", value: "CA9dd13ec4fcb895203d2162ca7e0297fd" }],
};

const failed = { status: "failed", outcome: "failed", answered_at: null, duration_ms: null, recording: null } as const;

export const englishTranscript: Transcript = {
  text: "Hello, how can I help?\nMy door is locked.",
  turns: [
    { role: "agent", text: "Hello, how can I help?", start_ms: 0, end_ms: 1500 },
    { role: "customer", text: "My door is locked.", start_ms: 1900, end_ms: 3200 },
  ],
  language: "en",
};

const hebrewTranscript: Transcript = {
  text: "היי, איך אפשר לעזור?\nאני מחפשת שיווק נכס בבית שאן.",
  turns: [
    { role: "agent", text: "היי, איך אפשר לעזור?", start_ms: 0, end_ms: 1400 },
    { role: "customer", text: "אני מחפשת שיווק נכס בבית שאן.", start_ms: 1800, end_ms: 4100 },
  ],
  language: "he",
};

const timestamp = "2026-11-21T09:32:11.000Z";

/** The bodies of one type in both languages. */
function bodies<Type extends string, En, He>(type: Type, en: En, he: He) {
  return { en: { type, timestamp, data: en }, he: { type, timestamp, data: he } };
}

const running = {
  status: "in_progress",
  outcome: null,
  ended_at: null,
  duration_ms: null,
  ended_reason: null,
  cost: null,
  recording: null,
  summary: null,
  analysis: null,
} as const;

export const callStarted = bodies(
  "call.started",
  { call: { ...english, ...running }, transcript: null },
  { call: { ...hebrew, ...running }, transcript: null },
);

export const callEnded = {
  en: { type: "call.ended", timestamp, data: { call: english, transcript: null } },
  he: { type: "call.ended", timestamp, data: { call: hebrew, transcript: null } },
};

export const callCompleted = {
  en: { type: "call.completed", timestamp, data: { call: english, transcript: englishTranscript } },
  he: { type: "call.completed", timestamp, data: { call: hebrew, transcript: hebrewTranscript } },
};

export const callFailed = {
  en: {
    type: "call.failed",
    timestamp,
    data: { call: { ...english, ...failed, ended_reason: "twilio-failed-to-connect-call" }, transcript: null },
  },
  he: {
    type: "call.failed",
    timestamp,
    data: { call: { ...hebrew, ...failed, ended_reason: "failed" }, transcript: null },
  },
};

export const springRenewals: Campaign = {
  id: "cmp_06f4yvh7k8e5m2q9s3t6w0x1za",
  external_id: "spring-renewals",
  name: "Spring renewals",
  status: "completed",
  completed_at: timestamp,
  created_at: "2026-11-21T07:00:00.000Z",
  progress: {
    total: 120,
    active: 0,
    planned: 120,
    statuses: { queued: 0, ringing: 0, in_progress: 0, ended: 117, failed: 2, canceled: 1, timeout: 0 },
    outcomes: { completed: 96, no_answer: 14, busy: 4, failed: 2, voicemail: 3, canceled: 1, transferred: 0 },
  },
};

export const campaignCompleted = {
  en: { type: "campaign.completed", timestamp, data: { campaign: springRenewals } },
  he: { type: "campaign.completed", timestamp, data: { campaign: { ...springRenewals, name: "חידושי אביב" } } },
};

const recording: RecordingInfo = {
  status: "available",
  url: "https://storage.example.com/rec.wav",
  duration_ms: 127000,
  channels: 2,
};

export const recordingReady = bodies("recording.ready", { call: english, recording }, { call: hebrew, recording });

export const transcriptReady = bodies(
  "transcript.ready",
  { call: english, transcript: englishTranscript },
  { call: hebrew, transcript: hebrewTranscript },
);

export const analysisCompleted = bodies(
  "analysis.completed",
  { call: english, analysis: { summary: english.summary, fields: { city: "Austin", service: "Locksmith" } } },
  { call: hebrew, analysis: { summary: hebrew.summary, fields: { city: "בית שאן", service: "שיווק נכס" } } },
);

export const analysisFailed = bodies(
  "analysis.failed",
  { call: english, error: { code: "model_unavailable", detail: "The model did not answer in 20 tries." } },
  { call: hebrew, error: { code: "model_unavailable", detail: "The model did not answer in 20 tries." } },
);

export const trainingSession: TrainingSession = {
  id: "ses_06f4yvh7k8e5m2q9s3t6w0x1za",
  session_id: "0199d4c7-1d80-7c52-8f8e-2d1c51b8a6f1",
  assignment_id: "asg_06f4yvh7k8e5m2q9s3t6w0x1za",
  state: "ready",
  communication_id: "comm_2f61",
  call_id: english.id,
  feedback: { score: 82, strengths: ["Asked for the address first"], improve: ["Name the price"] },
  requested_at: timestamp,
  ready_at: "2026-11-21T09:32:40.000Z",
  created_at: "2026-11-21T09:00:00.000Z",
};

export const trainingFeedbackReady = bodies(
  "training.feedback_ready",
  { session: trainingSession },
  {
    session: {
      ...trainingSession,
      feedback: { score: 82, strengths: ["שאל קודם על הכתובת"], improve: ["לציין מחיר"] },
    },
  },
);

const endpoint = {
  en: { id: "ep_06f4yvh7k8e5m2q9s3t6w0x1za", url: "https://crm.example.com/hooks/calls", description: "CRM" },
  he: { id: "ep_06f4yvh7k8e5m2q9s3t6w0x1za", url: "https://crm.example.com/hooks/calls", description: "מערכת הלקוחות" },
};

/** Bodies about an endpoint, with what else the type says. */
function aboutEndpoint<Type extends string, More extends object>(type: Type, more: More) {
  return bodies(type, { endpoint: endpoint.en, ...more }, { endpoint: endpoint.he, ...more });
}

export const endpointCreated = aboutEndpoint("endpoint.created", {});
export const endpointUpdated = aboutEndpoint("endpoint.updated", {});
export const endpointDeleted = aboutEndpoint("endpoint.deleted", {});
export const endpointEnabled = aboutEndpoint("endpoint.enabled", {});
export const endpointDisabled = aboutEndpoint("endpoint.disabled", { reason: "gone" });
export const endpointFailing = aboutEndpoint("endpoint.failing", {
  failing_since: "2026-11-19T08:00:00.000Z",
  failed_attempts: 41,
  threshold_percent: 50,
});
export const endpointRecovered = aboutEndpoint("endpoint.recovered", { failing_since: "2026-11-19T08:00:00.000Z" });
export const breakerOpened = aboutEndpoint("endpoint.breaker_opened", {
  open_until: "2026-11-21T09:32:41.000Z",
  attempts: 12,
  failed_attempts: 10,
});
export const breakerClosed = aboutEndpoint("endpoint.breaker_closed", { opened_at: "2026-11-21T09:31:41.000Z" });
export const secretRotated = aboutEndpoint("endpoint.secret_rotated", {
  old_secrets_end_at: "2026-11-22T09:32:11.000Z",
});

export const delivery: Delivery = {
  id: "dlv_06f4yvh7k8e5m2q9s3t6w0x1za",
  message_id: "msg_06f4yvh7k8e5m2q9s3t6w0x1za",
  endpoint_id: endpoint.en.id,
  type: "call.completed",
  call_id: english.id,
  state: "due",
  reason: null,
  cause: "event",
  replaced_by: null,
  attempt_count: 4,
  next_attempt_at: "2026-11-21T11:32:11.000Z",
  created_at: "2026-11-21T09:32:12.480Z",
  finished_at: null,
};

const lastAttempt = { at: timestamp, status: 500, class: "http_5xx", error: null };
const gaveUp = { ...delivery, state: "undelivered", reason: "exhausted", attempt_count: 10, next_attempt_at: null };
const arrived = { ...delivery, state: "delivered", attempt_count: 5, next_attempt_at: null };

export const deliveryFailing = aboutEndpoint("delivery.failing", { delivery, last_attempt: lastAttempt });
export const deliveryExhausted = aboutEndpoint("delivery.exhausted", {
  delivery: { ...gaveUp, finished_at: timestamp },
  last_attempt: lastAttempt,
});
export const deliveryRecovered = aboutEndpoint("delivery.recovered", {
  delivery: { ...arrived, finished_at: timestamp },
  last_attempt: { ...lastAttempt, status: 200, class: "ok" },
});

const replay = {
  id: "rpl_06f4yvh7k8e5m2q9s3t6w0x1za",
  state: "done",
  counts: { selected: 128, delivered: 126, undelivered: 2 },
  created_at: "2026-11-21T09:00:00.000Z",
  finished_at: timestamp,
};
export const replayFinished = bodies("replay.finished", { replay }, { replay });

const source = { id: "src_06f4yvh7k8e5m2q9s3t6w0x1za", slug: "vapi-main", provider: "vapi" };
const sources = { en: { ...source, name: "Main line" }, he: { ...source, name: "הקו הראשי" } };

export const sourceSilent = bodies(
  "source.silent",
  { source: sources.en, last_event_at: "2026-11-21T03:10:00.000Z" },
  { source: sources.he, last_event_at: "2026-11-21T03:10:00.000Z" },
);

const refusals = { since: "2026-11-21T09:20:00.000Z", refused_count: 14, reasons: { wrong_signature: 14 } };
export const sourceRejecting = bodies(
  "source.rejecting",
  { source: sources.en, ...refusals },
  { source: sources.he, ...refusals },
);

const lag = { oldest_due_seconds: 372.5, due_count: 5210 };
export const queueLagging = bodies("queue.lagging", lag, lag);
