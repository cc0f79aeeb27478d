import fc from "fast-check";
import { expect, test } from "vitest";

import type { CallState, Final } from "./state.ts";
import { stateFrom, storedState } from "./stored-state.ts";

const stamp = fc.record({
  weight: fc.integer({ min: 1, max: 19 }),
  at: fc.integer({ min: 1, max: 3 }),
  received_at: fc.integer({ min: 1, max: 3 }),
  by: fc.constantFrom("source:a", "source:b"),
});
const claimOf = <Value>(value: fc.Arbitrary<Value>) =>
  fc.tuple(value, stamp).map(([said, by]) => ({ value: said, ...by }));
const final: fc.Arbitrary<Final> = fc
  .tuple(
    fc.constantFrom("ended", "failed", "timeout" as const),
    fc.constantFrom(null, "completed", "busy" as const),
    stamp,
  )
  .map(([status, outcome, by]) => ({ status, outcome, ...by }));
const state: fc.Arbitrary<CallState> = fc.record({
  facts: fc.record(
    {
      summary: claimOf(fc.string()),
      duration_ms: claimOf(fc.nat()),
      analysis: claimOf(fc.dictionary(fc.string(), fc.jsonValue())),
    },
    { requiredKeys: [] },
  ),
  progress: fc.constantFrom(null, "ringing", "in_progress" as const),
  final: fc.option(final),
  final_unless_sip: fc.option(final),
  transcript: fc.option(claimOf(fc.record({ event_id: fc.uuid() }))),
  moments: fc.array(claimOf(fc.record({ event_id: fc.uuid() }))),
  is_reported: fc.boolean(),
  awaits_report: fc.boolean(),
});

test("a state comes back from the store as it went in", () => {
  fc.assert(
    fc.property(state, (given) => {
      const read = JSON.parse(JSON.stringify(storedState(given))) as ReturnType<typeof storedState>;
      expect(stateFrom(read)).toEqual(JSON.parse(JSON.stringify(given)));
    }),
  );
});

test("what one event said is stored with one stamp", () => {
  const by = { weight: 15, at: 1, received_at: 2, by: "source:key" };
  const facts = { summary: { value: "s", ...by }, city: { value: "c", ...by } };
  const given: CallState = {
    facts,
    progress: null,
    final: { status: "ended", outcome: null, ...by },
    final_unless_sip: null,
    transcript: null,
    moments: [],
    is_reported: true,
    awaits_report: false,
  };
  expect(storedState(given).stamps).toHaveLength(1);
});
