import { expect, test } from "vitest";

import { agreementOf, type Judged } from "./agreement.ts";

const pairs = (machine: Judged["machine"], person: Judged["person"], count: number): Judged[] =>
  Array.from({ length: count }, () => ({ criterionId: "empathy", name: "Empathy", machine, person }));

test("kappa is the one of the textbook: 20, 5, 10, 15 of 50 give 0.4", () => {
  const judged = [
    ...pairs("met", "met", 20),
    ...pairs("met", "not_met", 5),
    ...pairs("not_met", "met", 10),
    ...pairs("not_met", "not_met", 15),
  ];
  expect(agreementOf(judged)).toEqual([
    { criterion_id: "empathy", name: "Empathy", count: 50, agreement: 0.7, kappa: 0.4, hint: null },
  ]);
});

test("below thirty there is only the count", () => {
  expect(agreementOf(pairs("met", "not_met", 29))).toMatchObject([
    { count: 29, agreement: null, kappa: null, hint: null },
  ]);
});

test("all alike says nothing about chance, and disagreement asks for other words", () => {
  expect(agreementOf(pairs("met", "met", 30))).toMatchObject([{ agreement: 1, kappa: null }]);
  const odd = [...pairs("met", "not_met", 15), ...pairs("not_met", "met", 15)];
  expect(agreementOf(odd)).toMatchObject([{ agreement: 0, kappa: -1, hint: expect.stringContaining("description") }]);
});

test("where one side has no verdict there is nothing to agree about", () => {
  expect(agreementOf([...pairs("unknown", "met", 40), ...pairs("met", "unknown", 40)])).toEqual([]);
});
