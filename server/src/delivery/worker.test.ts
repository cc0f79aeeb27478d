import { afterEach, expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";
import { limits } from "#/kernel/limits.ts";

import { createFakeClock, type FakeClock } from "../../test/harness/clock.ts";
import type { Receiver } from "../../test/harness/receiver.ts";
import { deliverInEachTest, type Delivering } from "./test-setup.ts";
import type { DeliveryWorker } from "./worker.ts";

let delivering: Delivering;
let receiver: Receiver;
let running: DeliveryWorker | undefined;
deliverInEachTest((made) => {
  ({ delivering, receiver } = made);
});
afterEach(async () => {
  await running?.stop(0);
  running = undefined;
});

test("a running worker sends what is announced, without waiting for the next look", async () => {
  let announce = () => {};
  let isSubscribed = true;
  const { worker } = delivering.newNode("running", {
    // Looking again takes a second that never passes here, so nothing but the announcement can start a claim.
    clock: patientClock(),
    onWake: (woken) => {
      announce = woken;
      return () => {
        isSubscribed = false;
      };
    },
  });
  running = worker;
  await delivering.endpoint({ url: receiver.url });
  worker.start();
  await delivering.write([delivering.fact()]);
  announce();
  await receiver.waitFor(1);
  expect(isSubscribed).toBe(true);
});

test("a running worker finds what nobody announced", async () => {
  const { worker } = delivering.newNode("running");
  running = worker;
  await delivering.endpoint({ url: receiver.url });
  await delivering.write([delivering.fact()]);
  worker.start();
  await receiver.waitFor(1);
  await worker.idle();
  expect(await delivering.deliveries()).toMatchObject([{ state: "delivered" }]);
});

test("a claim is renewed while its attempt is under way, and what waits too long behind it goes back", async () => {
  const clock = patientClock();
  const { worker } = delivering.newNode("running", { clock });
  running = worker;
  await delivering.endpoint({ url: receiver.url, in_flight_max: 1 });
  receiver.answer("hang");
  worker.start();
  worker.handOff(await delivering.write([delivering.fact(), delivering.fact()], () => 2));
  await receiver.waitFor(1);
  await delivering.db.inTransaction([delivering.tenant], (tx) =>
    tx.run("update deliveries set lease_until = now() + interval '20 seconds' where state = 'claimed'"),
  );
  await clock.advance(limits.deliveryHeartbeatMs);
  const leases = () =>
    delivering.db.inTransaction([delivering.tenant], (tx) =>
      tx.rows<{ state: string; lease_ms: number | null }>(
        "select state, extract(epoch from lease_until - now())::float8 * 1000 as lease_ms from deliveries order by id",
      ),
    );
  await until(async () => (await leases()).some(({ lease_ms }) => (lease_ms ?? 0) > 30_000));
  const [first, second] = await leases();
  expect(first).toMatchObject({ state: "claimed" });
  expect(first?.lease_ms).toBeGreaterThan(limits.deliveryLeaseMs - 10_000);
  expect(second).toMatchObject({ state: "due", lease_ms: null });
});

test("results that cannot be stored are kept and stored once the database is back", async () => {
  let isDown = false;
  const { worker } = delivering.newNode("running", {
    db: {
      inTransaction: (tenants, work) =>
        isDown ? Promise.reject(new Error("connection refused")) : delivering.db.inTransaction(tenants, work),
    },
  });
  await delivering.endpoint({ url: receiver.url });
  const handOffs = await delivering.write([delivering.fact()], () => 1);
  isDown = true;
  worker.handOff(handOffs);
  await receiver.waitFor(1);
  isDown = false;
  await worker.idle();
  expect(await delivering.deliveries()).toMatchObject([{ state: "delivered", attempt_count: 1 }]);
});

/** Pauses shorter than a second pass by themselves, longer ones when the test says so. */
function patientClock(): FakeClock {
  const fake = createFakeClock(Date.now());
  return { ...fake, sleep: (ms, signal) => (ms < 1000 ? systemClock : fake).sleep(ms, signal) };
}

/** Asks again until it is so. */
async function until(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setImmediate(resolve));
}

test("the metrics name the endpoint whose messages are latest, and what holds it back", async () => {
  const { worker, metrics } = delivering.newNode("running");
  running = worker;
  const { id, uuid } = await delivering.endpoint({ url: receiver.url });
  await delivering.write([delivering.fact()]);
  await delivering.sql("update deliveries set due_at = now() - interval '90 seconds'");
  await delivering.sql("update endpoint_health set not_before = now() + interval '1 hour' where endpoint_id = $1", [
    uuid,
  ]);
  worker.start();
  const shown = async () => (await metrics.latestEndpoints.get()).values;
  await expect.poll(shown, { timeout: 10_000 }).toHaveLength(1);
  const [series] = await shown();
  expect(series?.labels).toEqual({ endpoint: id, cause: "throttled" });
  expect(series?.value).toBeGreaterThan(89);
});
