import type { CallMoment } from "@aftercall/contract/moment.ts";
import fc from "fast-check";
import { expect, test } from "vitest";

import { jsonOrText, type Moment, momentsOf } from "#/providers/moment.ts";
import { callEvent } from "#/providers/provider.ts";

import { momentsIn } from "./moments.ts";
import { join, nothingKnown, stateOf } from "./state.ts";
import type { HeardEvent } from "./state.ts";

const startedAt = 1_000_000;

/** An event that tells of these, a second after the one before it. */
function telling(key: number, moments: readonly Moment[], weight = 5): HeardEvent {
  const occurredAt = startedAt + key * 1000;
  const event = callEvent({ key: String(key), type: "t", occurredAt, weight, moments });
  return { event, eventId: `event-${key}`, by: `source:${key}`, receivedAt: occurredAt };
}

function seen(events: readonly HeardEvent[], started: number | null = startedAt): CallMoment[] {
  const start = { ...telling(0, []), event: callEvent({ key: "0", type: "t", facts: { answered_at: started } }) };
  const state = [start, ...events].map(stateOf).reduce(join, nothingKnown);
  return momentsIn(state, new Map(events.map(({ event, eventId }) => [eventId, event.moments])));
}

const moment: fc.Arbitrary<Moment> = fc.record(
  {
    kind: fc.constantFrom("tool_call", "tool_result", "hold", "marker"),
    ref: fc.constantFrom("1", "2", "3"),
    name: fc.constantFrom("a", "b"),
    at_ms: fc.nat(5000),
    at: fc.integer({ min: startedAt, max: startedAt + 5000 }),
    end_at: fc.integer({ min: startedAt, max: startedAt + 5000 }),
    result: fc.jsonValue(),
    is_error: fc.boolean(),
    latency_ms: fc.nat(100),
  },
  { requiredKeys: ["kind", "ref"] },
);
const history = fc
  .array(
    fc.record({ moments: fc.array(moment, { minLength: 1, maxLength: 4 }), weight: fc.integer({ min: 1, max: 9 }) }),
    {
      minLength: 1,
      maxLength: 8,
    },
  )
  .map((told) => told.map(({ moments, weight }, i) => telling(i + 1, momentsOf(moments), weight)));

test("any order, any repetition and any merging of what events tell gives the same moments", () => {
  fc.assert(
    fc.property(
      history.chain((events) =>
        fc.tuple(
          fc.constant(events),
          fc.shuffledSubarray(events, { minLength: events.length }),
          fc.array(fc.constantFrom(...events), { maxLength: 5 }),
        ),
      ),
      ([events, shuffled, repeats]) => {
        const expected = seen(events);
        expect(seen([...shuffled, ...repeats])).toEqual(expected);
        // As two records that turn out to be one call.
        const half = (from: number, to?: number) => shuffled.slice(from, to).map(stateOf).reduce(join, nothingKnown);
        const start = stateOf({
          ...telling(0, []),
          event: callEvent({ key: "0", type: "t", facts: { answered_at: startedAt } }),
        });
        const merged = join(join(half(2), start), half(0, 2));
        expect(momentsIn(merged, new Map(events.map(({ event, eventId }) => [eventId, event.moments])))).toEqual(
          expected,
        );
        expect(new Set(expected.map(({ id }) => id)).size).toBe(expected.length);
      },
    ),
    { numRuns: 300 },
  );
});

test("of each thing that is said about a moment, the best event's word holds, and the others fill what it leaves out", () => {
  const live = telling(
    1,
    momentsOf([{ kind: "tool_call", ref: "1", name: "book", args: { a: 1 }, at: startedAt + 900 }]),
  );
  const report = telling(9, momentsOf([{ kind: "tool_call", ref: "1", name: "book_meeting", at_ms: 850 }]));
  expect(seen([live, report])).toMatchObject([
    {
      id: "tool_call:1",
      name: "book_meeting",
      args: { a: 1 },
      at_ms: 850,
      at: new Date(startedAt + 900).toISOString(),
    },
  ]);
  expect(seen([live, report], null)).toMatchObject([{ at_ms: 850 }]);
});

test("a tool's latency is what the provider says, else the time from its call to its result, else null", () => {
  const at = (ms: number) => ({ at_ms: ms });
  const [, stated, counted, unplaced] = seen([
    telling(
      1,
      momentsOf([
        { kind: "tool_call", ref: "1", ...at(100) },
        { kind: "tool_result", ref: "1", ...at(150), latency_ms: 40 },
        { kind: "tool_call", ref: "2", ...at(160) },
        { kind: "tool_result", ref: "2", ...at(960) },
        { kind: "tool_call", ref: "3", ...at(990) },
        { kind: "tool_result", ref: "3", ...at(990) },
      ]),
    ),
  ]).filter(({ kind, id }) => kind === "tool_result" || id === "tool_call:1");
  expect([stated, counted, unplaced].map((one) => one?.latency_ms)).toEqual([40, 800, null]);
});

test("the end of a hold goes to the hold of the same leg that was going on, and to no other", () => {
  const hold = (ref: string, name: string, when: object) => momentsOf([{ kind: "hold", ref, name, ...when }]);
  const events = [
    telling(1, hold("1", "a", { at: startedAt + 1000 })),
    telling(2, hold("2", "b", { at: startedAt + 2000 })),
    telling(3, hold("3", "a", { end_at: startedAt + 3000 })),
    telling(4, hold("4", "a", { at: startedAt + 4000 })),
    telling(5, hold("5", "a", { end_at: startedAt + 500 })),
  ];
  expect(seen(events.toReversed()).map(({ at_ms, end_ms }) => [at_ms, end_ms])).toEqual([
    [1000, 3000],
    [2000, null],
    [4000, null],
  ]);
});

test("JSON in a text of a tool is read as strictly as a body: what is nested a thousand deep stays a text", () => {
  const deep = `${"[".repeat(5_000)}${"]".repeat(5_000)}`;
  for (const text of [deep, '{"__proto__":{"x":1}}', '{"a":1,"a":2}', "42", '"words"', "{broken", "plain"]) {
    expect(jsonOrText(text), text.slice(0, 20)).toBe(text);
  }
  expect([jsonOrText('{"a":[1]}'), jsonOrText(" "), jsonOrText({ a: 1 }), jsonOrText(null)]).toEqual([
    { a: [1] },
    null,
    { a: 1 },
    null,
  ]);
});

test("what a tool was given or answered is bounded, and a thousand moments of one event are enough", () => {
  const long = momentsOf([{ kind: "tool_result", ref: "1", result: { text: "x".repeat(50_000) } }]);
  expect(JSON.stringify(long[0]?.result).length).toBeLessThan(17_000);
  expect(momentsOf(Array.from({ length: 2000 }, () => ({ kind: "dtmf" as const, at_ms: 1 })))).toHaveLength(1000);
});
