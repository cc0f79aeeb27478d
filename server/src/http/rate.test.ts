import * as fc from "fast-check";
import { expect, test } from "vitest";

import { createFakeClock } from "../../test/harness/clock.ts";
import { createFloodGate } from "./flood.ts";
import { createRate } from "./rate.ts";

test("of any requests within a minute at most a minute's worth and what refilled gets through", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 200 }), async (gaps) => {
      const clock = createFakeClock();
      const rate = createRate({ perMinute: 60, clock });
      let taken = 0;
      for (const gap of gaps) {
        await clock.advance(gap);
        if (rate.take("a")) taken++;
      }
      expect(taken).toBeLessThanOrEqual(60 + clock.monotonic() / 1000);
    }),
    { numRuns: 50 },
  );
});

test("whoever waits as long as told is let through", async () => {
  const clock = createFakeClock();
  const rate = createRate({ perMinute: 7, clock });
  while (rate.take("a"));
  const seconds = rate.retryAfterSeconds("a");
  expect(seconds).toBe(9);
  await clock.advance(seconds * 1_000);
  expect(rate.take("a")).toBe(true);
});

test("keys do not slow each other, and memory is bounded", () => {
  const rate = createRate({ perMinute: 1, clock: createFakeClock(), keysMax: 3 });
  for (const key of ["a", "b", "c"]) expect([rate.take(key), rate.take(key)]).toEqual([true, false]);
  rate.take("d");
  expect(rate.take("a")).toBe(true);
});

test("only failed requests count, and only their network", () => {
  const gate = createFloodGate({ clock: createFakeClock(), perMinute: 2 });
  expect([gate.allow("192.0.2.1"), gate.allow("192.0.2.1"), gate.allow("192.0.2.1")]).toEqual([
    { ok: true },
    { ok: true },
    { ok: true },
  ]);
  gate.failed("192.0.2.1");
  gate.failed("192.0.2.1");
  expect(gate.allow("192.0.2.1")).toEqual({ ok: false, retryAfterSeconds: 30 });
  expect(gate.allow("192.0.2.2")).toEqual({ ok: true });
});

test.each([
  ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true],
  ["2001:db8:1:2::1", "2001:db8:1:3::1", false],
  ["::ffff:192.0.2.1", "::ffff:192.0.2.2", false],
])("IPv6: %s and %s are one network: %s", (one, other, same) => {
  const gate = createFloodGate({ clock: createFakeClock(), perMinute: 1 });
  gate.failed(one);
  expect(gate.allow(other).ok).toBe(!same);
});
