import { expect, test } from "vitest";

import { createFakeClock } from "./clock.ts";

test("sleepers wake in the order of their time, also those who fall asleep again", async () => {
  const clock = createFakeClock(0);
  const woken: string[] = [];
  void clock.sleep(30).then(() => woken.push(`late at ${clock.now()}`));
  void (async () => {
    await clock.sleep(10);
    woken.push(`first at ${clock.now()}`);
    await clock.sleep(10);
    woken.push(`second at ${clock.now()}`);
  })();
  await clock.advance(25);
  expect(woken).toEqual(["first at 10", "second at 20"]);
  await clock.advance(5);
  expect(woken).toEqual(["first at 10", "second at 20", "late at 30"]);
  expect(clock.monotonic()).toBe(30);
});

test("an aborted sleep ends at once", async () => {
  const clock = createFakeClock();
  const abort = new AbortController();
  const slept = clock.sleep(1_000_000, abort.signal);
  abort.abort();
  await expect(slept).resolves.toBeUndefined();
  await expect(clock.sleep(1, abort.signal)).resolves.toBeUndefined();
  expect(clock.sleepers).toBe(0);
});
