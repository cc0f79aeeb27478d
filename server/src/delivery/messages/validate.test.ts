import { DataSchema } from "@aftercall/contract/data-schema.ts";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";

import { faultsOf } from "./validate.ts";

const objectOf = (properties: object, more: object = {}) => DataSchema.parse({ type: "object", properties, ...more });
/** The places that are wrong. */
const wrong = (schema: DataSchema, value: unknown) => faultsOf(schema, value, "/data").map(({ pointer }) => pointer);

test.each<[name: string, field: object, good: unknown[], bad: unknown[]]>([
  ["type", { type: "string" }, ["", "שלום"], [1, null, [], {}, true]],
  ["types", { type: ["string", "null"] }, ["a", null], [1, []]],
  ["integer", { type: "integer" }, [0, -3, 1e3], [1.5, "1"]],
  ["boolean", { type: "boolean" }, [true, false], [0, "true"]],
  ["enum", { enum: ["a", 1, null, { b: [1] }] }, ["a", 1, null, { b: [1] }], ["b", 2, { b: [2] }]],
  ["const", { const: 5 }, [5], ["5", 6]],
  ["minimum", { minimum: 2, maximum: 4 }, [2, 4, "text"], [1, 5]],
  ["exclusive", { exclusiveMinimum: 2, exclusiveMaximum: 4 }, [3], [2, 4]],
  ["multipleOf", { multipleOf: 0.1 }, [0.3, 1, 0], [0.35]],
  ["length", { minLength: 2, maxLength: 3 }, ["ab", "👩🦰a", 5], ["a", "abcd"]],
  ["date-time", { format: "date-time" }, ["2026-11-21T09:30:00Z", "2026-11-21T09:30:00+02:00"], ["2026-11-21", "now"]],
  ["email", { format: "email" }, ["dana@example.com"], ["dana", "a".repeat(5_000)]],
  ["uri", { format: "uri" }, ["https://example.com/a"], ["example"]],
  ["items", { items: { type: "number" }, minItems: 1, maxItems: 2 }, [[1], [1, 2]], [[], [1, 2, 3], ["a"]]],
  ["prefixItems", { prefixItems: [{ type: "string" }], items: false }, [["a"], []], [[1], ["a", "b"]]],
  [
    "uniqueItems",
    { uniqueItems: true },
    [
      [1, 2],
      [{ a: 1 }, { a: 2 }],
    ],
    [
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
      [1, 1],
    ],
  ],
  ["contains", { contains: { const: 1 } }, [[2, 1]], [[], [2]]],
  ["required", { required: ["a"], properties: { a: {} } }, [{ a: null }, "text"], [{}, { b: 1 }]],
  ["additionalProperties", { properties: { a: {} }, additionalProperties: false }, [{}, { a: 1 }], [{ b: 1 }]],
  ["additional schema", { additionalProperties: { type: "number" } }, [{ a: 1 }], [{ a: "1" }]],
  ["minProperties", { minProperties: 1, maxProperties: 1 }, [{ a: 1 }], [{}, { a: 1, b: 2 }]],
  ["anyOf", { anyOf: [{ type: "string" }, { minimum: 5 }] }, ["a", 5], [4]],
  ["oneOf", { oneOf: [{ minimum: 5 }, { maximum: 7 }] }, [4, 8], [6]],
  ["allOf", { allOf: [{ minimum: 5 }, { maximum: 7 }] }, [6], [4, 8]],
  ["not", { not: { type: "string" } }, [1], ["a"]],
  [
    "toString is a field like any other",
    { properties: { a: {} }, additionalProperties: false },
    [{}],
    [{ toString: 1 }],
  ],
])("%s", (_name, field, good, bad) => {
  const schema = objectOf({ field });
  for (const value of good) expect([value, wrong(schema, { field: value })]).toEqual([value, []]);
  for (const value of bad) expect([value, wrong(schema, { field: value })]).not.toEqual([value, []]);
});

test("a fault is named by its place", () => {
  const schema = objectOf({ "a/b": { type: "array", items: { type: "number" } }, who: { required: ["name"] } });
  expect(wrong(schema, { "a/b": [1, "2"], who: {} })).toEqual(["/data/a~1b/1", "/data/who/name"]);
});

test("a schema may refer to itself, as deep as the data goes", () => {
  const node = { type: "object", properties: { next: { $ref: "#/$defs/node" }, n: { type: "number" } } };
  const schema = DataSchema.parse({ ...node, $defs: { node } });
  expect(wrong(schema, { n: 1, next: { n: 2, next: { n: 3 } } })).toEqual([]);
  expect(wrong(schema, { next: { next: { n: "3" } } })).toEqual(["/data/next/next/n"]);
});

test("what would take for ever, or goes in circles, is wrong", () => {
  const circle = DataSchema.parse({
    type: "object",
    $defs: { a: { $ref: "#/$defs/a" } },
    properties: { a: { $ref: "#/$defs/a" } },
  });
  expect(wrong(circle, { a: 1 })).toEqual(["/data"]);
  // Each level asks for the next one twice: two to the power of forty.
  const names = Array.from({ length: 40 }, (_, i) => `d${i}`);
  const twice = (i: number) => ({ allOf: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] });
  const $defs = Object.fromEntries([...names.map((name, i) => [name, twice(i)]), ["d40", { type: "number" }]]);
  const bomb = DataSchema.parse({ type: "object", $defs, properties: { a: { $ref: "#/$defs/d0" } } });
  expect(wrong(bomb, { a: 1 })).toEqual(["/data"]);
});

test("no more than twenty faults are told", () => {
  const schema = objectOf({ a: { type: "array", items: { type: "number" } } });
  expect(wrong(schema, { a: Array.from({ length: 200_000 }, () => "x") })).toHaveLength(20);
});

test.each([
  [{ type: "string" }, "type"],
  [{ type: "object", pattern: "a" }, ""],
  [{ type: "object", properties: { a: { pattern: "(a+)+$" } } }, "properties/a"],
  [{ type: "object", properties: { a: { type: "strng" } } }, "properties/a/type"],
  [{ type: "object", properties: { a: { items: { minLength: -1 } } } }, "properties/a/items/minLength"],
  [{ type: "object", properties: { a: 5 } }, "properties/a"],
  [{ type: "object", anyOf: [] }, "anyOf"],
  [{ type: "object", required: "a" }, "required"],
  [{ type: "object", $ref: "https://example.com/schema" }, "$ref"],
  [{ type: "object", properties: { a: { $ref: "#/$defs/none" } } }, "properties/a/$ref"],
  [{ type: "object", if: {} }, ""],
  [{ type: "object", properties: { a: { enum: [] } } }, "properties/a/enum"],
])("%j is no schema: %s", (schema, place) => {
  expect(DataSchema.safeParse(schema).error?.issues.map(({ path }) => path.join("/"))).toContain(place);
});

test("whatever is sent, it is right or wrong, and says so in no time", () => {
  const schema = objectOf({
    a: {
      oneOf: [
        { type: "array", uniqueItems: true },
        { type: "object", minProperties: 1 },
      ],
    },
  });
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(Array.isArray(faultsOf(schema, value, "/data"))).toBe(true);
    }),
  );
});

test("it judges as zod does", () => {
  const json = {
    type: "object",
    properties: { a: { type: "integer", minimum: 0 }, b: { type: ["string", "null"], maxLength: 3 } },
    required: ["a"],
  };
  const oracle = z.fromJSONSchema(json as Parameters<typeof z.fromJSONSchema>[0]);
  const value = fc.record(
    { a: fc.oneof(fc.integer(), fc.double({ min: -1e6, max: 1e6 }), fc.string()), b: fc.option(fc.string()) },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(value, (one) => {
      const sent: unknown = JSON.parse(JSON.stringify(one));
      expect(wrong(DataSchema.parse(json), sent).length === 0).toBe(oracle.safeParse(sent).success);
    }),
  );
});
