import type { Call, Transcript } from "./call.ts";
import type { Campaign } from "./campaign.ts";
import { trainingFeedback } from "./training-example.ts";
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
  recording: {
    status: "stored",
    url: "https://storage.example.com/rec.wav",
    duration_ms: 127000,
    channels: 2,
    codec: "pcm_mulaw",
    reason: null,
  },
  summary: "The caller asked for a locksmith and agreed to a visit at 11:00.",
  language: "en",
  business_id: "10",
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

export const hebrewTranscript: Transcript = {
  text: "היי, איך אפשר לעזור?\nאני מחפשת שיווק נכס בבית שאן.",
  turns: [
    { role: "agent", text: "היי, איך אפשר לעזור?", start_ms: 0, end_ms: 1400 },
    { role: "customer", text: "אני מחפשת שיווק נכס בבית שאן.", start_ms: 1800, end_ms: 4100 },
  ],
  language: "he",
};

export const timestamp = "2026-11-21T09:32:11.000Z";

/** The bodies of one type in both languages. */
export function bodies<Type extends string, En, He>(type: Type, en: En, he: He) {
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
  business_id: null,
  name: "Spring renewals",
  status: "completed",
  completed_at: timestamp,
  deliveries_paused_at: null,
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

export const transcriptReady = bodies(
  "transcript.ready",
  { call: english, transcript: englishTranscript },
  { call: hebrew, transcript: hebrewTranscript },
);

export const trainingSession: TrainingSession = {
  id: "ses_06f4yvh7k8e5m2q9s3t6w0x1za",
  session_id: "0199d4c7-1d80-7c52-8f8e-2d1c51b8a6f1",
  assignment_id: "asg_06f4yvh7k8e5m2q9s3t6w0x1za",
  state: "ready",
  communication_id: "comm_2f61",
  call_id: english.id,
  feedback: trainingFeedback,
  reason: null,
  detail: null,
  attempts: 1,
  next_attempt_at: null,
  is_regenerating: false,
  run_id: "run_06f4yvh7k8e5m2q9s3t6w0x1za",
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
      feedback: {
        ...trainingFeedback,
        highlights: [{ label: "פתיחה", kind: "positive", quote: "בוקר טוב, מדברת דנה", start_ms: 0, end_ms: 1_900 }],
      },
    },
  },
);
