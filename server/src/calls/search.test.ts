import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { searchText } from "#/text/search-text.ts";

import { matchesIn, patternOf, termsOf, textOf } from "./search.ts";
import type { SearchLine } from "./search.ts";

const line = (text: string, turn = 0): SearchLine => ({ where: "turn", turn, role: "customer", text });
const finds = (query: string, text: string) => matchesIn([line(text)], termsOf(query)).length === 1;

describe("a call is found", () => {
  test.each([
    ["without vowel points and maqaf", "בית שאן", "גרתי בבֵּית־שְׁאָן שנים"],
    ["inside a word with a prefix", "בית", "אני בבית"],
    ["with another final letter", "שלומ", "שלום לך"],
    ["in other capitals", "HAIFA", "from Haifa"],
    ["by a phrase", '"two bedrooms"', "I want two  bedrooms please"],
    ["by a part of a number", "4567", "050-123-4567"],
  ])("%s", (_, query, text) => {
    expect(finds(query, text)).toBe(true);
  });
});

test("no word of a query is left out: more than eight are refused, by the name of the field and the limit", () => {
  expect(termsOf('one two three four five six seven "eight and nine"')).toHaveLength(8);
  const refusal = expect.objectContaining({
    status: 422,
    errors: [{ pointer: "?q", detail: "9 words and phrases; 8 at most" }],
  });
  expect(() => termsOf("one two three four five six seven eight nine")).toThrow(refusal);
});

test("a phrase is not found across two turns", () => {
  expect(textOf([line("two"), line("bedrooms")])).toBe("two\nbedrooms");
  expect(finds('"two bedrooms"', "two rooms, bedrooms")).toBe(false);
});

test("signs that mean something to LIKE mean themselves", () => {
  expect(patternOf("50%_\\")).toBe("%50\\%\\_\\\\%");
});

test("whatever was said is found by any word of it, and every text gives one line", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme", maxLength: 30 }), { maxLength: 5 }), (texts) => {
      const lines = texts.map((text) => line(text));
      expect(textOf(lines).split("\n").length).toBe(Math.max(1, lines.length));
      for (const text of texts) {
        const term = searchText(text);
        if (term !== "") expect(matchesIn(lines, [term]).length).toBeGreaterThan(0);
      }
    }),
  );
});
