import type { Turn } from "@aftercall/contract/call.ts";
import fc from "fast-check";
import { expect, test } from "vitest";

import { verifyQuote } from "./evidence.ts";

const turn = (role: Turn["role"], text: string, start_ms: number | null = null): Turn => ({
  role,
  text,
  start_ms,
  end_ms: start_ms === null ? null : start_ms + 1000,
});

const call: readonly Turn[] = [
  turn("agent", "Good morning, how can I help you today?", 0),
  turn("customer", "I live in בֵּית־שְׁאָן, and I can’t wait until Tuesday.", 2000),
  turn("agent", "Unfortunately I am unable to help you today.", 4000),
  turn("customer", "Yes.", 6000),
  turn("agent", "I will send a technician tomorrow morning.", 8000),
];

test("letter for letter in the cited turn is exact, with its place and the time of the turn", () => {
  expect(verifyQuote({ quote: "how can I help you", turn: 0 }, call)).toEqual({
    turn: 0,
    start_char: 14,
    end_char: 32,
    quote: "how can I help you",
    role: "agent",
    start_ms: 0,
    end_ms: 1000,
    verification: "exact",
  });
});

test("points, maqaf, quotes and case aside is normalized, and the quote shown is what was really said", () => {
  const found = verifyQuote({ quote: "LIVE IN בית שאן, and I can't  wait", turn: 1 }, call);
  expect(found).toMatchObject({ verification: "normalized", turn: 1, quote: "live in בֵּית־שְׁאָן, and I can’t wait" });
});

test("a quote from another turn of the same speaker moves the citation there", () => {
  expect(verifyQuote({ quote: "send a technician tomorrow", turn: 0 }, call)).toMatchObject({
    verification: "exact",
    turn: 4,
    start_ms: 8000,
  });
  expect(verifyQuote({ quote: "send a technician tomorrow", turn: 99 }, call)).toMatchObject({ turn: 4 });
  expect(verifyQuote({ quote: "send a technician tomorrow", turn: null }, call)).toMatchObject({ turn: 4 });
});

test("what nobody said fails, and keeps the words that were claimed", () => {
  expect(verifyQuote({ quote: "I am very sorry about that", turn: 0 }, call)).toMatchObject({
    verification: "failed",
    turn: 0,
    quote: "I am very sorry about that",
    start_char: null,
    start_ms: null,
  });
  expect(verifyQuote({ quote: "", turn: 0 }, call).verification).toBe("failed");
  expect(verifyQuote({ quote: " … ", turn: 0 }, call).verification).toBe("failed");
});

test("the customer's words are no evidence for what the agent did", () => {
  expect(verifyQuote({ quote: "can’t wait until Tuesday", turn: 1, role: "agent" }, call).verification).toBe("failed");
  expect(verifyQuote({ quote: "can’t wait until Tuesday", turn: 0 }, call).verification).toBe("failed");
  expect(verifyQuote({ quote: "can’t wait until Tuesday", turn: 0, role: "customer" }, call)).toMatchObject({
    turn: 1,
  });
});

test("a person who took over speaks for the agent's side", () => {
  const turns = [turn("human_agent", "Let me check that for you.")];
  expect(verifyQuote({ quote: "check that for you", turn: 0, role: "agent" }, turns).verification).toBe("exact");
});

test("words are not cut in two: able is not unable", () => {
  expect(verifyQuote({ quote: "able to help you today", turn: 2 }, call).verification).toBe("failed");
  expect(verifyQuote({ quote: "unable to help you today", turn: 2 }, call).verification).toBe("exact");
});

test("a Hebrew quote may leave out the letters written onto the front of its first word", () => {
  const turns = [turn("customer", "אני גרה בבית שמש מאז אתמול")];
  expect(verifyQuote({ quote: "בית שמש מאז", turn: 0 }, turns).verification).toBe("exact");
  expect(verifyQuote({ quote: "ת שמש מאז אתמול", turn: 0 }, turns).verification).toBe("failed");
});

test("one or two short words prove nothing, unless they are all that was said", () => {
  expect(verifyQuote({ quote: "you today", turn: 0 }, call).verification).toBe("failed");
  expect(verifyQuote({ quote: "yes", turn: 3 }, call).verification).toBe("normalized");
});

test("words with times give the quote its own time", () => {
  const words = ["I", "will", "call", "you", "back"].map((text, i) => ({
    text,
    start_ms: i * 100,
    end_ms: i * 100 + 80,
    confidence: null,
  }));
  const turns: Turn[] = [{ ...turn("agent", "I will call you back.", 0), words }];
  expect(verifyQuote({ quote: "call you back", turn: 0 }, turns)).toMatchObject({ start_ms: 200, end_ms: 480 });
});

test("in a transcript without speakers a quote may be anybody's", () => {
  const turns = [turn("unknown", "We can come on Tuesday morning.")];
  expect(verifyQuote({ quote: "come on Tuesday morning", turn: 0, role: "agent" }, turns).verification).toBe("exact");
});

test("any run of whole words of a turn is found, and what is found is what the place holds", () => {
  const word = fc.constantFrom("I", "live", "בבית", "שְׁאָן", "can’t", "3.50,", "“so”", "ﬁne", "予約");
  fc.assert(
    fc.property(fc.array(word, { minLength: 6, maxLength: 20 }), fc.nat(3), (words, skip) => {
      const turns = [turn("customer", words.join("  "))];
      const quote = words.slice(skip).join(" ");
      const found = verifyQuote({ quote, turn: 0 }, turns);
      expect(found.verification).not.toBe("failed");
      expect(turns[0]?.text.slice(found.start_char ?? 0, found.end_char ?? 0)).toBe(found.quote);
    }),
  );
});
