import * as fc from "fast-check";
import { expect, test } from "vitest";

import { messageIdOf } from "./message-id.ts";

const call = "019aa000-0000-7000-8000-000000000001";

test("one fact has one id, and another type, call or time has another", () => {
  const id = messageIdOf(1_763_720_000_000, call, "call.ended");
  expect(messageIdOf(1_763_720_000_000, call, "call.ended")).toBe(id);
  expect(messageIdOf(1_763_720_000_000, call, "call.completed")).not.toBe(id);
  expect(messageIdOf(1_763_720_000_000, call.replace("1", "2"), "call.ended")).not.toBe(id);
  expect(messageIdOf(1_763_720_000_001, call, "call.ended")).not.toBe(id);
});

test("ids sort by the time of their facts, and are UUIDs for any time", () => {
  const time = fc.integer({ min: 0, max: 4_102_444_800_000 });
  fc.assert(
    fc.property(time, time, (a, b) => {
      const [early, late] = [Math.min(a, b), Math.max(a, b)];
      expect(messageIdOf(early, call, "x").slice(0, 13) <= messageIdOf(late, call, "x").slice(0, 13)).toBe(true);
    }),
  );
  fc.assert(
    fc.property(fc.double({ noNaN: true }), (ms) => {
      expect(messageIdOf(ms, call, "x")).toMatch(
        /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      );
    }),
  );
});
