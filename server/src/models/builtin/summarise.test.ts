import type { Transcript, Turn } from "@aftercall/contract/call.ts";
import fc from "fast-check";
import { expect, test } from "vitest";

import { lexRank, likeness, vectorsOf } from "./lexrank.ts";
import { summariseExtractively } from "./summarise.ts";

const call = (language: string, ...turns: (readonly [Turn["role"], string])[]): Transcript => ({
  text: "",
  turns: turns.map(([role, text], i) => ({ role, text, start_ms: i * 5000, end_ms: i * 5000 + 4000 })),
  language,
});

const english = call(
  "en",
  ["agent", "Hello, good morning! How can I help you today?"],
  ["customer", "Hi. I need a plumber because my kitchen sink is leaking. The leak started yesterday evening."],
  ["agent", "I am sorry to hear that. Is the leak under the kitchen sink?"],
  ["customer", "Yes, under the sink. The floor of the kitchen is wet."],
  ["tool", "lookup technicians near kitchen sink leak"],
  ["agent", "I will send a technician tomorrow at ten. The visit costs 350 shekels."],
  ["customer", "Great, thank you. Goodbye!"],
  ["agent", "Have a nice day, bye!"],
);

test("a summary is sentences of the call in their order, each with its place, and says so", () => {
  const summary = summariseExtractively(english, { language: "en", sentencesMax: 3 });
  expect(summary.text.split("\n")[0]).toBe("Extractive: 3 sentences, quoted.");
  expect(summary).toMatchObject({ method: "extractive", title: null, language: "en" });
  expect(summary.evidence).toHaveLength(3);
  for (const { turn, start_char, end_char, quote, verification, start_ms } of summary.evidence) {
    expect(english.turns[turn ?? -1]?.text.slice(start_char ?? 0, end_char ?? 0)).toBe(quote);
    expect(verification).toBe("exact");
    expect(start_ms).toBe((turn ?? 0) * 5000);
  }
  const places = summary.evidence.map(({ turn, start_char }) => (turn ?? 0) * 1e6 + (start_char ?? 0));
  expect(places).toEqual(places.toSorted((a, b) => a - b));
});

test("what the customer asks for and what the agent promises are in it; greetings, closings and tools are not", () => {
  const { bullets, next_steps } = summariseExtractively(english, { language: "en", sentencesMax: 3 });
  expect(bullets).toContain("Customer: I need a plumber because my kitchen sink is leaking.");
  expect(bullets).toContain("Agent: I will send a technician tomorrow at ten.");
  const all = summariseExtractively(english, { language: "en", sentencesMax: 20 }).bullets.join("\n");
  expect(all).not.toMatch(/good morning|How can I help|Goodbye|nice day|lookup/);
  expect(next_steps).toMatchObject([{ text: "I will send a technician tomorrow at ten.", owner: "agent", due: null }]);
});

test("a Hebrew call is summarised in Hebrew: its first line, the names of the speakers, the sentences", () => {
  const hebrew = call(
    "he",
    ["agent", "שלום, במה אפשר לעזור?"],
    ["customer", "שלום. אני מחפשת שיווק נכס בבית שאן. הנכס הוא דירה עם ארבעה חדרים."],
    ["agent", "מצוין. אעביר את הפרטים של הנכס לסוכן בבית שאן."],
    ["customer", "תודה רבה, להתראות."],
  );
  const { bullets, text } = summariseExtractively(hebrew, { language: "he", sentencesMax: 2 });
  expect(bullets).toEqual(["לקוח: אני מחפשת שיווק נכס בבית שאן.", "נציג: אעביר את הפרטים של הנכס לסוכן בבית שאן."]);
  expect(text).toContain("סיכום בציטוטים: שני משפטים מתוך השיחה.\n\n- לקוח:");
});

test("nothing said, or nothing but greetings, is an honest empty summary", () => {
  for (const empty of [call("en"), call("en", ["agent", "Hello!"], ["customer", "Bye."])]) {
    expect(summariseExtractively(empty, { language: "en", sentencesMax: 5 })).toMatchObject({
      text: "Extractive: 0 sentences, quoted.",
      bullets: [],
      evidence: [],
      next_steps: [],
    });
  }
  const one = call("en", ["customer", "My washing machine is broken."]);
  expect(summariseExtractively(one, { language: null, sentencesMax: 5 }).text).toBe(
    "Extractive: 1 sentence, quoted.\n\n- Customer: My washing machine is broken.",
  );
});

test("a sentence that is said twice is quoted once while there are others", () => {
  const twice = call(
    "en",
    ["customer", "The internet router keeps losing the connection."],
    ["agent", "The internet router keeps losing the connection."],
    ["customer", "It happens every evening after nine o'clock."],
  );
  const { bullets } = summariseExtractively(twice, { language: "en", sentencesMax: 2 });
  expect(new Set(bullets.map((bullet) => bullet.replace(/^\w+: /, ""))).size).toBe(2);
});

test("text without punctuation is cut between words, and a call that is only a text has its speakers", () => {
  const endless = Array.from({ length: 400 }, (_, i) => `word${i}`).join(" ");
  const { evidence } = summariseExtractively(call("en", ["customer", endless]), { language: "en", sentencesMax: 3 });
  for (const { quote } of evidence) expect(quote).toMatch(/^word\d+( word\d+)*$/);
  for (const { quote } of evidence) expect(quote.length).toBeLessThanOrEqual(300);
  const flat = { text: "AI: Hello\nUser: I need a new contract for my phone.", turns: [], language: "en" };
  expect(summariseExtractively(flat, { language: "en", sentencesMax: 1 }).bullets).toEqual([
    "Customer: I need a new contract for my phone.",
  ]);
});

test("the most central is what most others are like; the mean is 1; the cosine of a text with itself is 1", () => {
  const vectors = vectorsOf([
    ["leak", "sink"],
    ["leak", "kitchen"],
    ["sink", "kitchen", "leak"],
    ["weather", "sunny"],
  ]);
  const ranks = [...lexRank(vectors)];
  expect(ranks.indexOf(Math.max(...ranks))).toBe(2);
  expect(ranks.indexOf(Math.min(...ranks))).toBe(3);
  for (const vector of vectors) expect(likeness(vector, vector)).toBeCloseTo(1, 10);
  expect(
    likeness(
      vectors[0] ?? { terms: new Int32Array(), weights: new Float64Array() },
      vectors[3] ?? { terms: new Int32Array(), weights: new Float64Array() },
    ),
  ).toBe(0);
});

test("any call: never more sentences than asked for, never words that nobody said", () => {
  const words = fc.array(
    fc.constantFrom("leak", "sink.", "אני", "צריכה", "I need", "אשלח", "hello", "?", "予約", "\n"),
    { maxLength: 30 },
  );
  const role = fc.constantFrom<Turn["role"]>("agent", "customer", "unknown", "tool");
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          role,
          words.map((all) => all.join(" ")),
        ),
        { maxLength: 10 },
      ),
      fc.nat(6),
      (turns, sentencesMax) => {
        const said = call("en", ...turns);
        const { evidence, bullets } = summariseExtractively(said, { language: "en", sentencesMax });
        expect(bullets).toHaveLength(evidence.length);
        expect(evidence.length).toBeLessThanOrEqual(sentencesMax);
        for (const { turn, start_char, end_char, quote } of evidence)
          expect(said.turns[turn ?? -1]?.text.slice(start_char ?? 0, end_char ?? 0)).toBe(quote);
      },
    ),
  );
});
