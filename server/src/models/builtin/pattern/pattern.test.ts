import fc from "fast-check";
import { expect, test } from "vitest";

import { compilePattern, faultOfPattern } from "./compile.ts";
import { search } from "./search.ts";

const plenty = () => ({ steps: 1_000_000 });
const find = (source: string, text: string) => search(compilePattern(source), text, 0, plenty());

test("a pattern finds what a backtracking engine finds", () => {
  const solid = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom("a", "b", "ab", "[ab]", "[^a]", ".", "\\d", "\\w", "ש", "\\p{L}", "🙂", "\\b.", "^a"),
      fc.tuple(tie("node"), tie("node")).map(([a, b]) => a + b),
      fc.tuple(tie("node"), tie("node")).map(([a, b]) => `(?:${a}|${b})`),
      fc
        .tuple(tie("node"), fc.constantFrom("+", "{2}", "{1,3}", "+?", "{1,2}?"))
        .map(([a, sign]) => `(?:x|${a})${sign}`),
      fc
        .tuple(tie("node"), tie("node"), fc.constantFrom("*", "?", "*?", "??", "{0,2}"))
        .map(([a, b, sign]) => `(?:${a})${sign}${b}`),
    ),
  })).node;
  const pattern = fc
    .tuple(solid, fc.constantFrom("", "*", "?", "*?", "$", "\\b"))
    .map(([a, end]) => (end.length === 1 && end !== "$" ? `(${a})${end}` : a + (end === "*?" ? "" : end)));
  const text = fc
    .array(fc.constantFrom("a", "b", "x", "1", " ", "ש", "🙂"), { maxLength: 12 })
    .map((all) => all.join(""));
  fc.assert(
    fc.property(pattern, text, (source, text) => {
      const wanted = new RegExp(source, "u").exec(text);
      const found = search(compilePattern(source), text, 0, plenty());
      expect(
        found && {
          start: found !== "exhausted" && found.start,
          text: found !== "exhausted" && text.slice(found.start, found.end),
        },
      ).toEqual(wanted && { start: wanted.index, text: wanted[0] });
    }),
    { numRuns: 1000 },
  );
});

test("the first group is the value", () => {
  expect(find("order (?:no\\.? )?([A-Z]{2}\\d+)(x)?", "my order no. AB123x")).toEqual({
    start: 3,
    end: 19,
    group: { start: 13, end: 18 },
  });
  expect(find("a|(b)", "a")).toEqual({ start: 0, end: 1, group: null });
});

test("(?i) in front makes case the same, in every script", () => {
  expect(find("(?i)straße Ü", "STRAßE ü")).toMatchObject({ start: 0, end: 8 });
  expect(find("order", "ORDER")).toBeNull();
});

test("patterns that would take a backtracking engine for ever end with the budget, whatever the text", () => {
  const text = `${"a".repeat(50_000)}!`;
  for (const source of ["(a+)+$", "(a|a)*b", "(a|aa)+c", "(.*)*x", "a*a*a*a*a*b", "(?:a{1,20}){1,20}b", "((a*)*)*b"]) {
    const budget = { steps: 2_000_000 };
    const before = process.cpuUsage();
    search(compilePattern(source), text, 0, budget);
    const { user, system } = process.cpuUsage(before);
    expect(budget.steps, source).toBeGreaterThan(-10_000);
    // 20 to 40 ms on an idle machine; the budget is what bounds it.
    expect((user + system) / 1000, source).toBeLessThan(1000);
  }
});

test("a budget that is used up says so, and is shared", () => {
  const budget = { steps: 100 };
  expect(search(compilePattern("(a+)+b"), "a".repeat(1000), 0, budget)).toBe("exhausted");
  expect(search(compilePattern("z"), "aaa", 0, budget)).toBe("exhausted");
});

test("what cannot be matched in bounded time is refused, with the reason", () => {
  expect(faultOfPattern("(?=a)b")).toContain("look-ahead");
  expect(faultOfPattern("(?<!a)b")).toContain("look-behind");
  expect(faultOfPattern("(a)\\1")).toContain("back references");
  expect(faultOfPattern("(?<n>a)\\k<n>")).toContain("back references");
  expect(faultOfPattern("a{1000}")).toContain("repetitions");
  expect(faultOfPattern("(?:(?:a{100}){100})")).toContain("too large");
  expect(faultOfPattern("(a")).toContain("Invalid regular expression");
  expect(faultOfPattern("(?<year>\\d{4})-\\d\\d")).toBeNull();
});
