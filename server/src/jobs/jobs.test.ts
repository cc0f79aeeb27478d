import { setImmediate } from "node:timers/promises";

import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { systemClock } from "#/kernel/clock.ts";
import { silentLog } from "#/kernel/log.ts";

import { discardDatabase, ownDatabase, type TestDatabase } from "../../test/harness/database.ts";
import { makeTenant } from "../../test/harness/tenant.ts";
import { defineJob, GiveUp, jobId } from "./define.ts";
import { type Jobs, type Running, startJobs } from "./jobs.ts";

const data = z.object({ tenant: z.string(), number: z.number() });
const count = defineJob({ name: "test.count", data });
const fail = defineJob({ name: "test.fail", data, retriesMax: 1 });
const refuse = defineJob({ name: "test.refuse", data });
const idle = defineJob({ name: "test.idle", data });

let database: TestDatabase;
let jobs: Jobs;
const done: { data: z.infer<typeof data>; running: Running }[] = [];
const tried: number[] = [];
const refused: number[] = [];

beforeAll(async () => {
  database = await ownDatabase();
  jobs = await startJobs({
    connection: database.connection,
    definitions: [count, fail, refuse, idle],
    isWorker: true,
    log: silentLog(),
    clock: systemClock,
  });
  await jobs.work(count, async (given, running) => void done.push({ data: given, running }));
  await jobs.work(fail, async (_, { tries }) => {
    tried.push(tries);
    throw new Error("not yet");
  });
  await jobs.work(refuse, async (_, { tries }) => {
    refused.push(tries);
    throw new GiveUp("never");
  });
});
afterAll(async () => {
  await jobs.stop();
  await discardDatabase(database);
});

test("work queued in a transaction is done once it has committed, with its data", async () => {
  const tenant = await makeTenant(database.db);
  await database.db.inTransaction([tenant], (tx) => jobs.enqueue(tx, count, { tenant, number: 7 }));
  await until(() => done.some((each) => each.data.tenant === tenant));
  expect(done.find((each) => each.data.tenant === tenant)).toMatchObject({
    data: { tenant, number: 7 },
    running: { tries: 1 },
  });
});

test("work queued in a transaction that fails is never done", async () => {
  const tenant = await makeTenant(database.db);
  const work = database.db.inTransaction([tenant], async (tx) => {
    await jobs.enqueue(tx, idle, { tenant, number: 1 });
    throw new Error("changed my mind");
  });
  await expect(work).rejects.toThrow("changed my mind");
  expect(await rowsOf(tenant)).toEqual([]);
});

test("the same job queued twice is one job, also within one batch", async () => {
  const tenant = await makeTenant(database.db);
  const id = jobId(tenant, "step", "input");
  for (let i = 0; i < 2; i++) {
    await database.db.inTransaction([tenant], (tx) =>
      jobs.enqueueAll(tx, idle, [
        { id, data: { tenant, number: 1 } },
        { id, data: { tenant, number: 2 } },
      ]),
    );
  }
  expect(await rowsOf(tenant)).toMatchObject([{ id }]);
});

test("work that fails is tried again later, and then marked as failed with its reason", async () => {
  const tenant = await makeTenant(database.db);
  await database.db.inTransaction([tenant], (tx) => jobs.enqueue(tx, fail, { tenant, number: 1 }));
  await until(async () => (await rowsOf(tenant))[0]?.state === "retry");
  expect(tried).toEqual([1]);
  await makeDue(tenant);
  await until(async () => (await rowsOf(tenant))[0]?.state === "failed");
  expect(tried).toEqual([1, 2]);
  expect(await rowsOf(tenant)).toMatchObject([{ output: { message: "not yet" } }]);
});

test("work that can never succeed is given up at once", async () => {
  const tenant = await makeTenant(database.db);
  await database.db.inTransaction([tenant], (tx) => jobs.enqueue(tx, refuse, { tenant, number: 1 }));
  await until(async () => (await rowsOf(tenant))[0]?.state === "failed");
  expect(refused).toEqual([1]);
});

test("data of the wrong form is refused before it is queued", async () => {
  const tenant = await makeTenant(database.db);
  const wrong = { tenant, number: "seven" } as unknown as z.infer<typeof data>;
  await expect(database.db.inTransaction([tenant], (tx) => jobs.enqueue(tx, idle, wrong))).rejects.toThrow(
    "expected number",
  );
});

test("what may be queued later waits", async () => {
  const tenant = await makeTenant(database.db);
  await database.db.inTransaction([tenant], (tx) =>
    jobs.enqueue(tx, count, { tenant, number: 1 }, { startAfterSeconds: 3600 }),
  );
  expect(await rowsOf(tenant)).toMatchObject([{ state: "created" }]);
});

test("equal parts make equal ids, and no others do", () => {
  expect(jobId("a", "b")).toBe(jobId("a", "b"));
  expect(jobId("a", "b")).not.toBe(jobId("ab"));
  expect(jobId("a")).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

async function rowsOf(tenant: string) {
  const { rows } = await database.appPool.query<{ id: string; state: string; output: unknown }>(
    "select id, state, output from pgboss.job where data ->> 'tenant' = $1",
    [tenant],
  );
  return rows;
}

/** Instead of waiting for the delay to pass and for the next look. */
async function makeDue(tenant: string): Promise<void> {
  await database.appPool.query(
    "update pgboss.job set start_after = now() - interval '1 second' where data ->> 'tenant' = $1",
    [tenant],
  );
  await database.appPool.query("select pg_notify('pgboss_' || left(encode(sha224('pgboss'), 'hex'), 24), $1)", [
    fail.name,
  ]);
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await setImmediate();
}
