import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import { pullLimits } from "#/inbox/pull/limits.ts";
import { type Clock, systemClock } from "#/kernel/clock.ts";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { type Customer, makeCustomer, randomToken } from "../harness/customer.ts";
import { discardDatabase, ownDatabase, type TestDatabase } from "../harness/database.ts";
import { type Receiver, startReceiver } from "../harness/receiver.ts";

// Two processes on one database: each of them looks for sources whose turn it is.
const time = createSweepTime();
let database: TestDatabase;
let app: TestApp;
let other: TestApp;
let api: Receiver;
beforeAll(async () => {
  database = await ownDatabase();
  const options = { clock: time.clock, shared: database };
  app = await startTestApp({}, options);
  other = await startTestApp({}, options);
  await time.allWait(2);
});
afterAll(async () => {
  await Promise.all([app.stop(), other.stop()]);
  await discardDatabase(database);
});
beforeEach(async () => {
  api = await startReceiver();
  api.answer(empty);
});
afterEach(() => api.close());

const empty = { status: 200, headers: { "content-type": "application/json" }, body: "[]" };

test("a provider is asked five minutes after its source was made, then every five minutes, by one process", async () => {
  const customer = await makeCustomer(app);
  await connect(customer);
  expect(await askedAfter(customer, 0)).toBe(0);
  expect(await askedAfter(customer, pullLimits.everyMs + 1_000)).toBe(1);
  expect(await askedAfter(customer, 0)).toBe(1);
  expect(await askedAfter(customer, pullLimits.everyMs / 2)).toBe(1);
  expect(await askedAfter(customer, pullLimits.everyMs)).toBe(2);
});

test("a turn that is still on is not begun again, however often is looked", async () => {
  const customer = await makeCustomer(app);
  const held = Promise.withResolvers<void>();
  api.answer({ ...empty, after: held.promise });
  await connect(customer);
  time.pass(pullLimits.everyMs + 1_000);
  await time.sweep();
  await api.waitFor(1);
  await time.sweep();
  await time.sweep();
  held.resolve();
  expect(await askedAfter(customer, 0)).toBe(1);
});

test("a source without a key for the API, or that is not to be polled, has no turn", async () => {
  const customer = await makeCustomer(app);
  await customer.connect("vapi");
  await connect(customer, { polls: false });
  expect(await askedAfter(customer, pullLimits.everyMs + 1_000)).toBe(0);
  expect(await turnsOf(customer)).toEqual([]);
});

function connect(customer: Customer, more: object = {}) {
  return customer.connect("vapi", {
    setup: { api: { base_url: api.url, ...more } },
    secrets: [
      { slot: "secret", value: randomToken("secret") },
      { slot: "api_key", value: "key-of-the-api" },
    ],
  });
}

/** How often the provider was asked, `ms` later, when both processes have looked and nothing is left to do. */
async function askedAfter(customer: Customer, ms: number): Promise<number> {
  time.pass(ms);
  await time.sweep();
  while ((await turnsOf(customer)).some((state) => state !== "completed")) await systemClock.sleep(10);
  return api.received.length;
}

async function turnsOf({ tenantId }: Customer): Promise<string[]> {
  const rows = await app.db.inTransaction([tenantId], (tx) =>
    tx.rows<{ state: string }>(
      "select state::text as state from pgboss.job where name = 'inbox.pull' and data->>'tenantId' = $1",
      [tenantId],
    ),
  );
  return rows.map(({ state }) => state);
}

/** A clock that is moved by hand, and on which whoever looks for turns looks when told to. */
function createSweepTime() {
  let passed = 0;
  const waiting = new Set<() => void>();
  const clock: Clock = {
    ...systemClock,
    now: () => systemClock.now() + passed,
    sleep(ms, signal) {
      if (ms !== pullLimits.sweepMs) return systemClock.sleep(ms, signal);
      return new Promise((resolve) => {
        const wake = () => {
          waiting.delete(wake);
          resolve();
        };
        if (signal?.aborted) return resolve();
        signal?.addEventListener("abort", wake, { once: true });
        waiting.add(wake);
      });
    },
  };
  const allWait = async (count: number) => {
    while (waiting.size < count) await systemClock.sleep(5);
  };
  return {
    clock,
    pass: (ms: number) => void (passed += ms),
    allWait,
    /** Resolves when everybody has looked once. */
    async sweep() {
      const sleepers = [...waiting];
      for (const wake of sleepers) wake();
      await allWait(sleepers.length);
    },
  };
}
