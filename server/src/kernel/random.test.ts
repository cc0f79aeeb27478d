import { expect, test } from "vitest";

import { createRandom } from "../../test/harness/random.ts";
import { randomFraction, randomToken, systemRandom } from "./random.ts";

test("a token has as much chance in it as was asked for, in letters that URLs and headers take", () => {
  expect(randomToken(systemRandom)).toMatch(/^[\w-]{43}$/);
  expect(new Set(Array.from({ length: 1000 }, () => randomToken(systemRandom))).size).toBe(1000);
});

test("a fraction is at least 0 and below 1, and evenly spread", () => {
  const random = createRandom(1);
  const fractions = Array.from({ length: 10_000 }, () => randomFraction(random));
  expect(Math.min(...fractions)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...fractions)).toBeLessThan(1);
  expect(fractions.reduce((sum, each) => sum + each, 0) / fractions.length).toBeCloseTo(0.5, 1);
});

test("the same seed gives the same bytes, another seed others", () => {
  expect(createRandom(7)(64)).toEqual(createRandom(7)(64));
  expect(createRandom(7)(64)).not.toEqual(createRandom(8)(64));
});
