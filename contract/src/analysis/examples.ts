import type { Call } from "../call.ts";
import { bodies, english, englishTranscript, hebrew, hebrewTranscript, timestamp } from "../examples.ts";
import type { CallMoment } from "../moment.ts";
import type { Recording } from "../recording.ts";
import type { CallAnalysis } from "./call-analysis.ts";
import type { CostLine, EngineRef } from "./engine.ts";
import type { Evidence, ExtractedField, Section, TrackerHit } from "./run.ts";

// What is sent about the analysis of a call, one example in English and one in Hebrew per event type.

const builtin: EngineRef = { kind: "builtin", provider: null, model: null, version: "1", prompt_sha256: null };
const theirs: EngineRef = { ...builtin, kind: "provider", provider: "vapi", version: null };
const good: Section = { state: "succeeded", reason: null, detail: null, engine: builtin };
const without = (reason: "no_rubric" | "no_topics" | "no_trackers" | "disabled_by_plan", detail: string): Section => ({
  state: "skipped",
  reason,
  detail,
  engine: null,
});

function quoted(quote: string, text: string, turn: number, startMs: number, endMs: number): Evidence {
  const start = text.indexOf(quote);
  return {
    turn,
    start_char: start,
    end_char: start + quote.length,
    quote,
    role: "customer",
    start_ms: startMs,
    end_ms: endMs,
    verification: "exact",
  };
}

function field(name: string, value: string | null, evidence: readonly Evidence[]): ExtractedField {
  return {
    name,
    value,
    state: value === null ? "not_mentioned" : "found",
    confidence: null,
    rationale: null,
    candidates: [],
    evidence: [...evidence],
    method: "gazetteer",
  };
}

const doorSaid = englishTranscript.turns[1]?.text ?? "";
const doorQuote = quoted("My door is locked.", doorSaid, 1, 1900, 3200);
const propertySaid = hebrewTranscript.turns[1]?.text ?? "";
const cityQuote = quoted("בבית שאן", propertySaid, 1, 1800, 4100);
const serviceQuote = quoted("שיווק נכס", propertySaid, 1, 1800, 4100);

const englishAnalysis: CallAnalysis = {
  run_id: "run_06f4yvh7k8e5m2q9s3t6w0x1za",
  status: "succeeded",
  engine: builtin,
  sections: {
    summary: good,
    extraction: good,
    tracking: without("no_trackers", "The plan has no trackers."),
    topics: without("no_topics", "The plan has no topics."),
    sentiment: without("disabled_by_plan", "The plan does not ask how the sides felt."),
    evaluation: without("no_rubric", "The plan has no rubric."),
    coaching: without("no_rubric", "The plan has no rubric."),
  },
  summary: {
    title: null,
    text: "### Summary\n- Customer: My door is locked.",
    language: "en",
    bullets: ["Customer: My door is locked."],
    next_steps: [],
    method: "extractive",
    evidence: [doorQuote],
  },
  fields: [field("city", null, []), field("service_category", "Locksmith", [doorQuote])],
  trackers: [],
  topics: [],
  sentiment: null,
  metrics: [
    {
      basis: "text",
      definitions_version: "1",
      params: { dead_air_ms: 3000 },
      values: [
        {
          key: "talk_ratio",
          role: "agent",
          value: 0.5357,
          unit: "ratio",
          basis: "turn_timestamps",
          null_reason: null,
          items: null,
        },
      ],
    },
  ],
  evaluation: null,
  coaching: null,
  provider: null,
  current: { summary: "run_06f4yvh7k8e5m2q9s3t6w0x1za", extraction: "run_06f4yvh7k8e5m2q9s3t6w0x1za" },
  missing: [
    {
      step: "fetch_recording",
      state: "skipped",
      reason: "no_recording",
      detail: "The provider announced no recording.",
    },
    {
      step: "transcribe",
      state: "skipped",
      reason: "provider_transcript_present",
      detail: "The provider's own transcript is used.",
    },
  ],
};

const hebrewAnalysis: CallAnalysis = {
  ...englishAnalysis,
  run_id: "run_06f4yvh7k8e5m2q9s3t6w0x2zb",
  summary: {
    title: null,
    text: "### סיכום\n- לקוח: אני מחפשת שיווק נכס בבית שאן.",
    language: "he",
    bullets: ["לקוח: אני מחפשת שיווק נכס בבית שאן."],
    next_steps: [],
    method: "extractive",
    evidence: [cityQuote],
  },
  fields: [field("city", "בית שאן", [cityQuote]), field("service_category", "שיווק נכס", [serviceQuote])],
  provider: {
    run_id: "run_06f4yvh7k8e5m2q9s3t6w0x3zc",
    engine: theirs,
    sections: { summary: { ...good, engine: theirs }, extraction: { ...good, engine: theirs } },
    summary: {
      title: null,
      text: "הלקוחה ביקשה שיווק נכס בבית שאן ונקבעה פגישה ליום שלישי.",
      language: "he",
      bullets: [],
      next_steps: [],
      method: "provider",
      evidence: [],
    },
    fields: [{ ...field("city", "בית שאן", []), method: "provider" }],
    evaluation: null,
  },
  current: { summary: "run_06f4yvh7k8e5m2q9s3t6w0x2zb", extraction: "run_06f4yvh7k8e5m2q9s3t6w0x2zb" },
};

function charged(component: "transport" | "platform", amount: string): CostLine {
  const money = { amount, currency: "USD" };
  const base = { provider: "vapi", model: null, quantity: "26502", unit: "ms", price_version: null } as const;
  return { ...base, component, money, source: "provider" };
}

/** A tool that was called in a call, and what it answered. */
function booked(call: Call, args: object): CallMoment[] {
  const none = { end_ms: null, args: null, result: null, is_error: null, latency_ms: null };
  const moment = (kind: "tool_call" | "tool_result", at_ms: number) => {
    const at = new Date(Date.parse(call.answered_at ?? "") + at_ms).toISOString();
    return { ...none, id: `${kind}:call_A1b2C3`, kind, name: "book_meeting", at_ms, at };
  };
  return [
    { ...moment("tool_call", 8_600), args },
    { ...moment("tool_result", 9_020), result: { ok: true }, latency_ms: 420 },
  ];
}

export const callCompleted = {
  en: {
    type: "call.completed",
    timestamp,
    data: {
      call: english,
      transcript: englishTranscript,
      moments: booked(english, { city: "Haifa" }),
      costs: [charged("transport", "0.0062"), charged("platform", "0.0367")],
      analysis: englishAnalysis,
    },
  },
  he: {
    type: "call.completed",
    timestamp,
    data: {
      call: hebrew,
      transcript: hebrewTranscript,
      moments: booked(hebrew, { city: "בית שאן" }),
      costs: [],
      analysis: hebrewAnalysis,
    },
  },
};

const recording: Recording = {
  id: "rec_06f4yvh7k8e5m2q9s3t6w0x1za",
  call_id: english.id,
  kind: "original",
  state: "stored",
  reason: null,
  detail: null,
  sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  bytes: 2_032_044,
  mime: "audio/wav",
  codec: "pcm_mulaw",
  sample_rate_hz: 8000,
  channels: 2,
  channel_map: ["agent", "customer"],
  duration_ms: 127_000,
  created_at: "2026-11-21T09:32:12.100Z",
  stored_at: "2026-11-21T09:32:13.040Z",
};

export const recordingReady = bodies(
  "recording.ready",
  { call: english, recording },
  { call: hebrew, recording: { ...recording, id: "rec_06f4yvh7k8e5m2q9s3t6w0x2zb", call_id: hebrew.id } },
);

export const analysisCompleted = bodies(
  "analysis.completed",
  { call: english, analysis: englishAnalysis },
  { call: hebrew, analysis: hebrewAnalysis },
);

const failedSection: Section = {
  state: "failed",
  reason: "engine_unavailable",
  detail: "Given up after 5 tries: the model answered 503.",
  engine: null,
};
const nothingCame = (analysis: CallAnalysis): CallAnalysis => ({
  ...analysis,
  status: "failed",
  engine: null,
  sections: { ...analysis.sections, summary: failedSection, extraction: failedSection },
  summary: null,
  fields: [],
});
const error = { code: "engine_unavailable", detail: failedSection.detail ?? "" };

export const analysisFailed = bodies(
  "analysis.failed",
  { call: english, analysis: nothingCame(englishAnalysis), error },
  { call: hebrew, analysis: nothingCame(hebrewAnalysis), error },
);

const tracker = (name: string, evidence: Evidence): TrackerHit => ({
  id: "locked_out",
  name,
  hit: true,
  negated: false,
  evidence: [evidence],
  searched: null,
  alert: true,
});

export const trackerMatched = bodies(
  "tracker.matched",
  { call: english, run_id: englishAnalysis.run_id, tracker: tracker("Locked out", doorQuote) },
  { call: hebrew, run_id: hebrewAnalysis.run_id, tracker: tracker("מחפשת שיווק", serviceQuote) },
);
