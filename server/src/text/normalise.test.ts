import fc from "fast-check";
import { expect, test } from "vitest";

import { normaliseForQuotes, originalRange } from "./normalise.ts";

/** Pieces that texts of calls are made of, among them everything that normalisation touches. */
const piece = fc.constantFrom(
  ..."aZé שאן־.,-?!\"'".split(""),
  ..."בֵּית שָׁאָן|\u05c3|e\u0301|\u200f|\u200d|\u00ad|ﬁ|Ａ|…|״|׳|“|”|–|İ|Σ|한|\u1112\u1161\u11ab|ｶﾞ|🙂|\ud800| |\n|\u00a0|שׁ".split(
    "|",
  ),
);
const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(""));

test("Hebrew with points and maqaf is the same as without, and maqaf parts words", () => {
  expect(normaliseForQuotes("בֵּית־שְׁאָן").text).toBe("בית שאן");
  expect(normaliseForQuotes("בית-שאן").text).toBe("בית שאן");
});

test("geresh, gershayim and curly quotes are ' and \", case and white space do not count", () => {
  expect(normaliseForQuotes("‏צה״ל  אמר:\n“שלום” ל׳ורג׳ Don’t  GO").text).toBe("צה\"ל אמר: \"שלום\" ל'ורג' don't go");
});

test("punctuation at the edges goes, inside it stays", () => {
  expect(normaliseForQuotes("  “It costs 3.50, right?”  ").text).toBe("it costs 3.50, right");
});

test("the paseq, sof pasuq and maqaf among the Hebrew points are punctuation, not marks", () => {
  expect(normaliseForQuotes("א\u05c0ב\u05c3ג\u05beד").text).toBe("א\u05c0ב\u05c3ג ד");
});

test("a range of the normalised text gives back the original with its points", () => {
  const original = "גרה בְּבֵית־שְׁאָן, כן";
  const normalised = normaliseForQuotes(original);
  const at = normalised.text.indexOf("בית שאן");
  const { start, end } = originalRange(normalised, at, at + "בית שאן".length);
  expect(original.slice(start, end)).toBe("בֵית־שְׁאָן");
});

test("a ligature is never cut in half", () => {
  const normalised = normaliseForQuotes("the ﬁne print");
  const { start, end } = originalRange(normalised, 4, 5);
  expect("the ﬁne print".slice(start, end)).toBe("ﬁ");
});

test("any text: one offset for each unit and one for the end, rising, within the text", () => {
  fc.assert(
    fc.property(text, (original) => {
      const { text, at } = normaliseForQuotes(original);
      expect(at).toHaveLength(text.length + 1);
      for (let i = 1; i < at.length; i++) expect(at[i]).toBeGreaterThanOrEqual(at[i - 1] ?? 0);
      expect(at[text.length] ?? 0).toBeLessThanOrEqual(original.length);
    }),
    { numRuns: 500 },
  );
});

test("any text: what a range leads back to normalises to that range again", () => {
  fc.assert(
    fc.property(text, fc.nat(), fc.nat(), (original, a, b) => {
      const normalised = normaliseForQuotes(original);
      const words = [...normalised.text.matchAll(/\S+/g)].filter(
        ({ 0: word }) => normaliseForQuotes(word).text === word,
      );
      const first = words[a % Math.max(1, words.length)];
      const last = words[b % Math.max(1, words.length)] ?? first;
      if (!first || !last || last.index < first.index) return;
      const end = last.index + last[0].length;
      const range = originalRange(normalised, first.index, end);
      expect(normaliseForQuotes(original.slice(range.start, range.end)).text).toBe(
        normalised.text.slice(first.index, end),
      );
    }),
    { numRuns: 500 },
  );
});

test("any text: normalising twice is normalising once", () => {
  fc.assert(
    fc.property(text, (original) => {
      const once = normaliseForQuotes(original).text;
      expect(normaliseForQuotes(once).text).toBe(once);
    }),
    { numRuns: 500 },
  );
});
