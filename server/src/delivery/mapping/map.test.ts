import { Mapping, type MappingStep } from "@aftercall/contract/endpoint/mapping.ts";
import {
  assert,
  property,
  type JsonValue,
  jsonValue,
  object,
  string,
  stringMatching,
  array,
  oneof,
  record,
  constant,
  integer,
  dictionary,
} from "fast-check";
import { expect, test } from "vitest";

import { mapBody } from "./map.ts";

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
const text = (value: unknown, steps: readonly MappingStep[]) => mapBody(bytes(value), steps).body.toString("utf8");
const mapped = (value: unknown, steps: unknown[]): unknown =>
  JSON.parse(text(value, Mapping.parse({ steps }).steps)) as unknown;

const body = {
  type: "call.completed",
  data: {
    call: { id: "call_1", from: "+972501234567", city: "חיפה", duration_ms: 61_000, lead: null },
    transcript: {
      turns: [
        { role: "agent", text: "שלום" },
        { role: "customer", text: "רגע", at: 2 },
      ],
    },
  },
};

test("pick keeps what is named, in the body's own order, also in each element of a list", () => {
  const step = { op: "pick", paths: ["data.transcript.turns.text", "data.call.city", "data.call.nothing", "type"] };
  expect(text(body, Mapping.parse({ steps: [step] }).steps)).toBe(
    '{"type":"call.completed","data":{"call":{"city":"חיפה"},"transcript":{"turns":[{"text":"שלום"},{"text":"רגע"}]}}}',
  );
  expect(mapped(body, [{ op: "pick", paths: ["data.transcript.turns.1"] }])).toEqual({
    data: { transcript: { turns: [body.data.transcript.turns[1]] } },
  });
  expect(mapped(body, [{ op: "pick", paths: ["nothing"] }])).toEqual({});
});

test("drop takes away what is named and leaves the rest as it was", () => {
  const dropped = mapped(body, [{ op: "drop", paths: ["data.call.from", "data.transcript.turns.at"] }]);
  const { call, transcript } = (dropped as typeof body).data;
  expect(call).not.toHaveProperty("from");
  expect(call.city).toBe("חיפה");
  expect(transcript.turns).toEqual([
    { role: "agent", text: "שלום" },
    { role: "customer", text: "רגע" },
  ]);
});

test("mask makes texts and numbers unreadable; the last characters stay only where most are masked", () => {
  const steps = [
    {
      op: "mask",
      paths: ["data.call.from", "data.call.city", "data.call.duration_ms", "data.call.lead"],
      keep_last: 4,
    },
  ];
  expect(mapped(body, steps)).toMatchObject({
    data: { call: { from: "********4567", city: "********", duration_ms: "********", lead: null } },
  });
  expect(mapped(body, [{ op: "mask", paths: ["data.transcript"] }])).toMatchObject({
    data: { transcript: { turns: [{ role: "********", text: "********" }, { at: "********" }] } },
  });
});

test("rename moves values, makes the objects on the way, and leaves alone what cannot go there", () => {
  const names = { "data.call.id": "call_id", "data.transcript.turns.0.text": "said.first", "data.call.none": "none" };
  const result = mapped(body, [{ op: "rename", names }]) as Record<string, unknown>;
  expect(result).toMatchObject({ call_id: "call_1", said: { first: "שלום" } });
  expect(result).not.toHaveProperty("none");
  expect(mapped(body, [{ op: "rename", names: { type: "data.transcript.turns.9" } }])).toEqual(body);
  expect(mapped({ list: ["a"] }, [{ op: "rename", names: { "list.0": "list.x" } }])).toEqual({ list: ["a"] });
});

test("constants are written, also over what stands there", () => {
  const values = { source: "aftercall", "data.call.city": null, "data.tags": ["a", { b: 1 }] };
  expect(mapped(body, [{ op: "constant", values }])).toMatchObject({
    source: "aftercall",
    data: { tags: ["a", { b: 1 }], call: { id: "call_1", city: null } },
  });
});

test("steps follow each other: a later one sees what the earlier left, and paths that found nothing are named", () => {
  const steps = Mapping.parse({
    steps: [
      { op: "rename", names: { "data.call.from": "phone", "data.call.gone": "x" } },
      { op: "mask", paths: ["phone", "data.call.from"], keep_last: 2 },
      { op: "pick", paths: ["phone"] },
    ],
  }).steps;
  const result = mapBody(bytes(body), steps);
  expect(JSON.parse(result.body.toString("utf8"))).toEqual({ phone: "********67" });
  expect(result.unmatched).toEqual(["0.names.data.call.gone", "1.paths.1"]);
});

const name = oneof(stringMatching(/^[a-c]$/), constant("0"), constant("1"), stringMatching(/^[^.]{1,3}$/));
const path = array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("."));
const paths = array(path, { minLength: 1, maxLength: 4 });
const step = oneof(
  record({ op: constant("pick"), paths }),
  record({ op: constant("drop"), paths }),
  record({ op: constant("mask"), paths, keep_last: integer({ min: 0, max: 8 }) }),
  record({ op: constant("rename"), names: dictionary(path, path, { minKeys: 1, maxKeys: 4 }) }),
  record({
    op: constant("constant"),
    values: dictionary(path, jsonValue({ maxDepth: 2 }), { minKeys: 1, maxKeys: 3 }),
  }),
);
const anyBody = object({
  key: name,
  values: [string(), integer(), constant(null)],
  withNullPrototype: false,
  maxDepth: 4,
});

test("any mapping of any body makes a JSON object, the same each time, and pollutes nothing", () => {
  assert(
    property(anyBody, array(step, { minLength: 1, maxLength: 5 }), (value, steps) => {
      const parsed = Mapping.safeParse({ steps });
      if (!parsed.success) return;
      const once = text(value, parsed.data.steps);
      expect(once.startsWith("{")).toBe(true);
      expect(text(value, parsed.data.steps)).toBe(once);
      expect(Object.prototype).not.toHaveProperty("a");
    }),
    { numRuns: 500 },
  );
});

test("what is dropped or masked at a path is nowhere in the body any more, wherever else it was moved from there", () => {
  const secret = "secret-of-a-caller";
  assert(
    property(paths, anyBody, (way, value) => {
      const at = way[0] ?? "a";
      const holding = JSON.parse(
        text(value, Mapping.parse({ steps: [{ op: "constant", values: { [at]: secret } }] }).steps),
      ) as JsonValue;
      for (const op of ["drop", "mask"] as const) {
        expect(text(holding, Mapping.parse({ steps: [{ op, paths: [at] }] }).steps)).not.toContain(secret);
      }
    }),
    { numRuns: 300 },
  );
});

test.each([
  ["a step that is none", { steps: [{ op: "compute", paths: ["a"] }] }],
  ["no step", { steps: [] }],
  ["a path with an empty name", { steps: [{ op: "drop", paths: ["a..b"] }] }],
  ["the name of a prototype", { steps: [{ op: "constant", values: { "__proto__.a": 1 } }] }],
  ["a path of eleven names", { steps: [{ op: "drop", paths: ["a.".repeat(10) + "a"] }] }],
  ["more than it may hold", { steps: [{ op: "constant", values: { a: "x".repeat(17_000) } }] }],
])("422: %s is refused", (_name, mapping) => {
  expect(Mapping.safeParse(mapping).success).toBe(false);
});
