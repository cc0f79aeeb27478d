import { Rubric, Tracker } from "@aftercall/contract/analysis/plan.ts";
import type { ExtractedField } from "@aftercall/contract/analysis/run.ts";
import type { Transcript, Turn } from "@aftercall/contract/call.ts";
import { expect, test } from "vitest";

import { measureTurns } from "#/metrics/turns.ts";

import { coachFromRules } from "./coach.ts";
import { gradeByRules } from "./grade.ts";
import { soundsLikeMenu } from "./menu.ts";
import { track } from "./track.ts";
import { soundsLikeVoicemail } from "./voicemail.ts";

const turn = (
  role: Turn["role"],
  text: string,
  start_ms: number | null = null,
  end_ms: number | null = null,
): Turn => ({
  role,
  text,
  start_ms,
  end_ms,
});
const call = (turns: Turn[], language = "en"): Transcript => ({ text: "", turns, language });

const support = call([
  turn("agent", "This call is recorded. How can I help?", 0, 4000),
  turn("customer", "I want to cancel my subscription.", 5000, 8000),
  turn("tool", "cancel_subscription", 8000, 8100),
  turn("agent", "Let me get my supervisor.", 9000, 11_000),
  turn("customer", "Fine. Cancel it.", 12_000, 20_000),
]);
const metrics = [measureTurns({ turns: support.turns, mediaMs: 20_000, language: "en" })];
const find = (more: object, transcript = support, sets = metrics) =>
  track(transcript, sets, [Tracker.parse({ id: "t", name: "T", ...more })])[0];

test("a phrase hits with the words it was found in; case does not count, parts of words do not hit", () => {
  expect(find({ any_of: ["supervisor", "manager"] })).toMatchObject({
    hit: true,
    negated: false,
    searched: { from_turn: 0, to_turn: 4 },
    evidence: [{ turn: 3, quote: "supervisor", role: "agent", start_ms: 9000, verification: "exact" }],
  });
  expect(find({ any_of: ["cancel"] })?.evidence.map(({ turn }) => turn)).toEqual([1, 4]);
  expect(find({ any_of: ["super"] })).toMatchObject({ hit: false, evidence: [] });
  expect(find({ any_of: ["cancel"], role: "agent" })).toMatchObject({ hit: false });
});

test("a Hebrew phrase is found behind the letters written onto it, and with points", () => {
  const hebrew = call([turn("customer", "אני רוצה לדבר עם המנהל, וביטול מיידי"), turn("agent", "בִּטּוּל חוזה")], "he");
  expect(find({ any_of: ["מנהל"] }, hebrew)?.hit).toBe(true);
  expect(find({ any_of: ["ביטול"] }, hebrew)?.hit).toBe(true);
  expect(find({ any_of: ["ביטול מיידי"] }, hebrew)?.evidence[0]?.quote).toBe("וביטול מיידי");
  expect(find({ any_of: ["נהל"] }, hebrew)?.hit).toBe(false);
});

test("an absence hits where the phrase was not said, and says what was searched", () => {
  expect(find({ any_of: ["goodbye"], negate: true, role: "agent" })).toMatchObject({
    hit: true,
    negated: true,
    evidence: [],
    searched: { from_turn: 0, to_turn: 4 },
  });
  expect(find({ any_of: ["recorded"], negate: true })).toMatchObject({ hit: false, evidence: [{ turn: 0 }] });
});

test("a range in turns, time or share takes in that part only; negative counts from the end", () => {
  const within = (phrase: string, from: number, to: number, unit: string) =>
    find({ any_of: [phrase], range: { from, to, unit } })?.hit;
  expect(within("recorded", 0, 1, "turns")).toBe(true);
  expect(within("supervisor", 0, 2, "turns")).toBe(false);
  // Tools are no turns: the third that is spoken is the agent's.
  expect(within("supervisor", 2, 3, "turns")).toBe(true);
  expect(within("supervisor", -2, 0, "turns")).toBe(true);
  expect(within("supervisor", -1, 0, "turns")).toBe(false);
  expect(within("recorded", 0, 4000, "ms")).toBe(true);
  expect(within("supervisor", 0, 4000, "ms")).toBe(false);
  expect(within("supervisor", -12_000, 0, "ms")).toBe(true);
  expect(within("supervisor", 0, 0.5, "share")).toBe(true);
  expect(within("supervisor", 0.6, 1, "share")).toBe(false);
});

test("what cannot be told is no hit, and no absence either", () => {
  const untimed = call([turn("agent", "Hello"), turn("customer", "Cancel it")]);
  const range = { from: 0, to: 5000, unit: "ms" };
  expect(find({ any_of: ["cancel"], range }, untimed)).toMatchObject({ hit: false, searched: null });
  expect(find({ any_of: ["refund"], negate: true, range }, untimed)).toMatchObject({ hit: false, searched: null });
  expect(find({ any_of: ["refund"], negate: true }, call([]))).toMatchObject({ hit: false, searched: null });
  expect(find({ any_of: ["cancel"], range: { from: 0, to: 0.4, unit: "share" } }, untimed)?.hit).toBe(false);
  expect(find({ any_of: ["cancel"], range: { from: 0.5, to: 1, unit: "share" } }, untimed)?.hit).toBe(true);
});

test("a metric hits by its number; with phrases both must", () => {
  const silent = { key: "silence_ratio", op: ">", value: 0.1 };
  expect(find({ metric: silent })).toMatchObject({ hit: true, evidence: [], searched: null });
  expect(find({ metric: { ...silent, value: 0.9 } })?.hit).toBe(false);
  expect(find({ metric: silent, any_of: ["supervisor"] })?.hit).toBe(true);
  expect(find({ metric: silent, any_of: ["refund"] })?.hit).toBe(false);
  expect(find({ metric: { key: "wpm", role: "agent", op: ">", value: 1 } }, support, [])?.hit).toBe(false);
});

const rubric = Rubric.parse({
  criteria: [
    { id: "empathy", name: "Empathy", kind: "scale", max_points: 5 },
    {
      id: "notice",
      name: "Says that it is recorded",
      kind: "phrase",
      phrase: { id: "n", name: "n", any_of: ["recorded"] },
    },
    {
      id: "bye",
      name: "Says goodbye",
      kind: "phrase",
      max_points: 3,
      phrase: { id: "b", name: "b", any_of: ["להתראות", "goodbye"] },
    },
    {
      id: "latency",
      name: "Answers fast",
      kind: "metric",
      metric: { key: "response_latency_median_ms", op: "<=", value: 500 },
    },
    {
      id: "talk",
      name: "Lets talk",
      kind: "metric",
      metric: { key: "longest_monologue_ms", role: "customer", op: "<", value: 2000 },
    },
    { id: "pace", name: "Pace", kind: "metric", metric: { key: "filler_per_min", op: "<", value: 5 } },
    { id: "order", name: "Takes the order number", kind: "extraction", field: "order_id" },
    { id: "city", name: "Asks for the city", kind: "extraction", field: "city" },
    { id: "mood", name: "Mood", kind: "extraction", field: "mood" },
  ],
});
const field = (
  name: string,
  state: ExtractedField["state"],
  method: ExtractedField["method"] = "parser",
): ExtractedField => ({
  name,
  state,
  value: null,
  confidence: null,
  rationale: null,
  candidates: [],
  evidence: [],
  method,
});
const french = { ...support, language: "xx" };
const graded = gradeByRules(rubric, {
  transcript: french,
  metrics: [measureTurns({ turns: support.turns, mediaMs: 20_000, language: "xx" })],
  fields: [
    field("order_id", "not_mentioned"),
    field("city", "ambiguous", "gazetteer"),
    field("mood", "skipped", "llm"),
  ],
});
const result = (id: string) => graded.find(({ criterion_id }) => criterion_id === id);

test("what code can decide is decided with its reason; what needs judgement or cannot be known stays unknown", () => {
  expect(result("empathy")).toMatchObject({ verdict: "unknown", unknown_reason: "needs_llm", points: null });
  expect(result("notice")).toMatchObject({ verdict: "met", points: 1, evidence: [{ turn: 0, quote: "recorded" }] });
  expect(result("bye")).toMatchObject({
    verdict: "not_met",
    points: 0,
    max_points: 3,
    missing: "“להתראות”, “goodbye”",
  });
  expect(result("latency")).toMatchObject({
    verdict: "not_met",
    rationale: "Response latency median (agent): 1 s; wanted at most 0.5 s.",
  });
  expect(result("talk")).toMatchObject({ verdict: "not_met", evidence: [{ turn: 4, quote: "Fine. Cancel it." }] });
  expect(result("pace")).toMatchObject({ verdict: "unknown", unknown_reason: "not_measurable" });
  expect(result("pace")?.rationale).toContain("no_filler_list");
  expect(result("order")).toMatchObject({ verdict: "not_met", missing: "order_id" });
  expect(result("city")).toMatchObject({ verdict: "unknown", unknown_reason: "field_ambiguous" });
  expect(result("mood")).toMatchObject({ verdict: "unknown", unknown_reason: "needs_llm" });
  expect(graded.map(({ criterion_id }) => criterion_id)).toEqual(rubric.criteria.map(({ id }) => id));
});

test("a phrase criterion is about the side it applies to", () => {
  const own = Rubric.parse({
    criteria: [
      { id: "a", name: "a", kind: "phrase", phrase: { id: "a", name: "a", any_of: ["cancel"] } },
      {
        id: "b",
        name: "b",
        kind: "phrase",
        applies_to: "customer",
        phrase: { id: "b", name: "b", any_of: ["cancel"] },
      },
      { id: "c", name: "c", kind: "phrase", phrase: { id: "c", name: "c", any_of: ["idiot"], negate: true } },
    ],
  });
  const about = { transcript: support, metrics, fields: [] };
  expect(gradeByRules(own, about).map(({ verdict }) => verdict)).toEqual(["not_met", "met", "met"]);
  expect(gradeByRules(own, { ...about, transcript: call([]) }).map(({ verdict }) => verdict)).toEqual([
    "unknown",
    "unknown",
    "unknown",
  ]);
});

test("coaching speaks of failed rules with the number, what was wanted and where to listen, and of nothing else", () => {
  const coaching = coachFromRules(rubric, graded, support);
  expect(coaching.improvements.map(({ criterion_id }) => criterion_id)).toEqual(["bye", "latency", "talk", "order"]);
  expect(coaching.improvements[1]?.text).toBe(
    "Answers fast. Response latency median (agent): 1 s; wanted at most 0.5 s.",
  );
  expect(coaching.improvements[0]).toMatchObject({
    say_instead: "goodbye",
    why: "It is worth 3 points of the scorecard.",
  });
  expect(coaching.improvements[2]?.evidence).toMatchObject([{ turn: 4, start_ms: 12_000 }]);
  expect(coaching.strengths).toEqual(["Says that it is recorded. “recorded” was said in turns 0 to 4."]);
  expect(coaching.highlights.map(({ kind, label }) => [kind, label])).toEqual([
    ["negative", "Lets talk"],
    ["positive", "Says that it is recorded"],
  ]);
  expect(coaching.keep).toEqual(["Says that it is recorded"]);
  expect(coaching.start).toEqual(["Says goodbye", "Takes the order number"]);
  expect(coaching.stop).toEqual([
    "Response latency median (agent): 1 s; wanted at most 0.5 s.",
    coaching.improvements[2]?.text.replace("Lets talk. ", ""),
  ]);
  const hebrew = coachFromRules(rubric, graded, { ...support, language: "he" });
  expect(hebrew.improvements[0]?.say_instead).toBe("להתראות");
});

test("a machine that answers sounds like one, in English and Hebrew; a person who speaks of one does not", () => {
  const machines = [
    "Hi, you've reached Dana. I can't come to the phone right now, please leave a message after the beep.",
    "The person you are calling is not available.",
    "Your call has been forwarded to an automated voice messaging system.",
    "שלום, הגעתם לתא הקולי של דנה, נא להשאיר הודעה לאחר הישמע הצליל",
    "המנוי שחייגת אליו אינו זמין כרגע",
    "אינני זמינה כרגע, השאירו לי הודעה",
  ];
  for (const text of machines) {
    expect(soundsLikeVoicemail(call([turn("agent", "Hello?"), turn("customer", text)])), text).toBe(true);
    expect(soundsLikeVoicemail({ text, turns: [], language: null }), text).toBe(true);
  }
  const talk = [
    turn("customer", "I tried to leave a message after the tone yesterday."),
    turn("agent", "I see."),
    turn("customer", "Nobody called me back."),
    turn("customer", "Can you help?"),
    turn("customer", "It is about my order."),
  ];
  expect(soundsLikeVoicemail(call(talk))).toBe(false);
  expect(
    soundsLikeVoicemail(call([turn("agent", "Please leave a message after the tone."), turn("customer", "Hi!")])),
  ).toBe(false);
  expect(soundsLikeVoicemail(support)).toBe(false);
  expect(soundsLikeVoicemail(call([]))).toBe(false);
});

test("the menu of an exchange is told from a person who speaks of one, in English and Hebrew", () => {
  const heard = (...texts: string[]) =>
    soundsLikeMenu(
      call([turn("agent", "Hello, may I speak to somebody?"), ...texts.map((text) => turn("customer", text))]),
    );
  expect(heard("Thank you for calling Acme. For sales, press one.", "Please hold, your call is important to us.")).toBe(
    true,
  );
  expect(heard("שלום והגעתם לעירייה. לארנונה הקישו 1, לחניה הקישו 2.", "נא להמתין על הקו.")).toBe(true);
  expect(heard("For sales, press one.", "Sales, this is Ben, how can I help?")).toBe(false);
  expect(heard("I am pressed for time, call me later.")).toBe(false);
  expect(heard("Please hold.")).toBe(false);
});
