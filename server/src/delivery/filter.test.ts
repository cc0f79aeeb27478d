import { eventTypes } from "@aftercall/contract/events.ts";
import { Filter, filterOperators, filterProblems } from "@aftercall/contract/filter.ts";
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { compileFilter } from "./filter.ts";

const payload = eventTypes["call.completed"].examples.he;
const matches = (filter: unknown, value: unknown = payload) => {
  expect(filterProblems(filter)).toEqual([]);
  return compileFilter(filter)(value);
};

test.each<[string, unknown, boolean]>([
  ["a value", { "data.call.direction": "inbound" }, true],
  ["another value", { "data.call.direction": "outbound" }, false],
  ["objects inside objects", { data: { call: { direction: "inbound", status: "ended" } } }, true],
  ["all entries must hold", { data: { call: { direction: "inbound", status: "failed" } } }, false],
  ["null", { "data.call.campaign_id": null }, true],
  ["what is missing is not null", { "data.call.nothing": null }, false],
  ["$ne of what is missing", { "data.call.nothing": { $ne: 5 } }, true],
  ["$gte", { "data.call.duration_ms": { $gte: 127_000, $lt: 127_001 } }, true],
  ["$gt", { "data.call.duration_ms": { $gt: 127_000 } }, false],
  ["$lte of a text", { timestamp: { $lte: "2027" } }, true],
  ["a number is not compared with a text", { timestamp: { $gt: 5 } }, false],
  ["a text is not compared with a number", { "data.call.duration_ms": { $gt: "5" } }, false],
  ["$in", { "data.call.outcome": { $in: ["completed", null] } }, true],
  ["$nin", { "data.call.outcome": { $nin: ["completed"] } }, false],
  ["$exists", { "data.call.city": { $exists: true }, "data.call.nothing": { $exists: false } }, true],
  ["null exists", { "data.call.campaign_id": { $exists: false } }, false],
  ["$startsWith in Hebrew", { "data.call.city": { $startsWith: "בית" } }, true],
  ["$endsWith", { "data.call.city": { $endsWith: "שאן" } }, true],
  ["$or", { $or: [{ type: "x" }, { "data.call.city": "בית שאן" }] }, true],
  ["$and", { $and: [{ type: "call.completed" }, { type: "x" }] }, false],
  ["$not", { $not: { type: "x" } }, true],
  ["operators of one value", { "data.call.duration_ms": { $or: [{ $lt: 5 }, { $not: { $lt: 6 } }] } }, true],
  ["a list: one element matches", { "data.transcript.turns.role": "customer" }, true],
  ["a list: one element matches all", { "data.transcript.turns": { role: "customer", start_ms: 0 } }, false],
  ["a list by number", { "data.transcript.turns.0.role": "agent", "data.transcript.turns.1.role": "agent" }, false],
  ["the prototype is no field", { "constructor.name": "Object" }, false],
  ["nor is the length of a text", { "type.length": { $gt: 1 } }, false],
])("%s: %j → %s", (_name, filter, expected) => {
  expect(matches(filter)).toBe(expected);
});

test("an amount that is written as text compares as a number", () => {
  const cost = { "data.call.cost.amount": { $gt: 0.04 } };
  expect(matches(cost, eventTypes["call.completed"].examples.en)).toBe(true);
  expect(matches(cost, { data: { call: { cost: { amount: "0x10" } } } })).toBe(false);
});

test("$ne and $nin of a list: none of its elements may match", () => {
  expect(matches({ tags: { $ne: "a" } }, { tags: ["a", "b"] })).toBe(false);
  expect(matches({ tags: { $nin: ["c"] } }, { tags: ["a", "b"] })).toBe(true);
  expect(matches({ tags: "b" }, { tags: ["a", "b"] })).toBe(true);
});

const deep = (levels: number): unknown => (levels === 0 ? { a: 1 } : { $not: deep(levels - 1) });
test.each<[unknown, string]>([
  [{}, ""],
  [[], ""],
  ["x", ""],
  [{ a: {} }, "/a"],
  [{ a: [1] }, "/a"],
  [{ a: { $neq: 1 } }, "/a/$neq"],
  [{ $or: [] }, "/$or"],
  [{ $or: [{ a: 1 }, 5] }, "/$or/1"],
  [{ a: { $in: [] } }, "/a/$in"],
  [{ a: { $in: [{}] } }, "/a/$in/0"],
  [{ a: { $in: Array(101).fill(1) } }, "/a/$in"],
  [{ a: { $gt: true } }, "/a/$gt"],
  [{ a: { $exists: 1 } }, "/a/$exists"],
  [{ a: { $startsWith: "" } }, "/a/$startsWith"],
  [{ "a..b": 1 }, "/a..b"],
  [{ a: "x".repeat(501) }, "/a"],
  [{ [Array(11).fill("a").join(".")]: 1 }, `/${Array(11).fill("a").join(".")}`],
  [{ $and: Array.from({ length: 101 }, () => ({ a: 1 })) }, ""],
  [deep(8), "/$not/$not/$not/$not/$not/$not/$not/$not"],
])("422: %j is refused at %j", (filter, pointer) => {
  const [first] = filterProblems(filter);
  expect(first && first.path.map((part) => `/${part}`).join("")).toBe(pointer);
  expect(Filter.safeParse(filter).success).toBe(false);
});

test("whatever is given as a filter and as a payload, the answer is yes or no", () => {
  const keys = fc.oneof(fc.constantFrom(...filterOperators, "a", "a.b", "0", "__proto__", "constructor"), fc.string());
  const anything = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 5 },
      fc.anything(),
      fc.dictionary(keys, tie("node"), { maxKeys: 4 }),
      fc.array(tie("node"), { maxLength: 4 }),
    ),
  })).node;
  fc.assert(
    fc.property(anything, fc.oneof(anything, fc.jsonValue()), (filter, value) => {
      expect(typeof compileFilter(filter)(value)).toBe("boolean");
      expect(Array.isArray(filterProblems(filter))).toBe(true);
    }),
  );
});

const scalar = fc.oneof(fc.constantFrom("a", "b", 1, 2, true, null), fc.integer(), fc.string({ maxLength: 5 }));
const field = fc.constantFrom("a", "b", "a.b", "a.0", "0", "c.a.b");
const operation = fc.oneof(
  fc.record({ $eq: scalar }),
  fc.record({ $ne: scalar }),
  fc.record({ $gt: fc.integer(), $lte: fc.integer() }),
  fc.record({ $in: fc.array(scalar, { minLength: 1, maxLength: 3 }) }),
  fc.record({ $nin: fc.array(scalar, { minLength: 1, maxLength: 3 }) }),
  fc.record({ $exists: fc.boolean() }),
  fc.record({ $startsWith: fc.constantFrom("a", "b") }),
);
const simple = fc.tuple(field, fc.oneof(scalar, operation)).map(([key, value]) => ({ [key]: value }));
const value = fc.letrec((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie("node"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b", "c", "0"), tie("node")),
  ),
})).node;

test("$not, $and and $or keep the laws of logic, and $ne and $nin are the opposites of $eq and $in", () => {
  fc.assert(
    fc.property(simple, simple, scalar, value, (p, q, one, input) => {
      const [isP, isQ] = [matches(p, input), matches(q, input)];
      expect(matches({ $not: p }, input)).toBe(!isP);
      expect(matches({ $and: [p, q] }, input)).toBe(isP && isQ);
      expect(matches({ $or: [p, q] }, input)).toBe(isP || isQ);
      expect(matches({ $not: { $or: [p, q] } }, input)).toBe(matches({ $and: [{ $not: p }, { $not: q }] }, input));
      const subject = { v: input };
      expect(matches({ v: { $ne: one } }, subject)).toBe(!matches({ v: { $eq: one } }, subject));
      expect(matches({ v: { $nin: [one] } }, subject)).toBe(!matches({ v: { $in: [one] } }, subject));
      expect(matches({ v: one }, subject)).toBe(matches({ v: { $eq: one } }, subject));
    }),
  );
});
