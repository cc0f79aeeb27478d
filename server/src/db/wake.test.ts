import { setImmediate } from "node:timers/promises";

import { afterAll, beforeAll, expect, test } from "vitest";

import { testDatabase } from "../../test/harness/database.ts";
import { systemClock } from "../kernel/clock.ts";
import { silentLog } from "../kernel/log.ts";
import { createWake, notify, type Wake } from "./wake.ts";

const { db, ownerPool, connection } = await testDatabase();

let wake: Wake;
beforeAll(async () => {
  wake = createWake({ connection, log: silentLog(), clock: systemClock });
});
afterAll(() => wake.stop());

test("an announcement wakes when its transaction has committed, and not when it was rolled back", async () => {
  const heard = await listener("wake_commit");
  const rolledBack = db.inTransaction([], async (tx) => {
    await notify(tx, "wake_commit", "never");
    throw new Error("no");
  });
  await expect(rolledBack).rejects.toThrow("no");
  await db.inTransaction([], (tx) => notify(tx, "wake_commit", "once"));
  await until(() => heard.includes("once"));
  expect(heard).not.toContain("never");
});

test("equal announcements of one transaction are one", async () => {
  const heard = await listener("wake_fold");
  await db.inTransaction([], async (tx) => {
    for (let i = 0; i < 10; i++) await notify(tx, "wake_fold", "same");
  });
  await db.inTransaction([], (tx) => notify(tx, "wake_fold", "end"));
  await until(() => heard.includes("end"));
  expect(heard.filter((payload) => payload === "same")).toHaveLength(1);
});

test("a lost connection is opened again, and everybody is told that something may have been missed", async () => {
  const heard = await listener("wake_again");
  heard.length = 0;
  await ownerPool.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'aftercall wake' and datname = current_database()",
  );
  await until(() => heard.includes(null));
  await db.inTransaction([], (tx) => notify(tx, "wake_again", "after"));
  await until(() => heard.includes("after"));
  expect(heard.indexOf(null)).toBeLessThan(heard.indexOf("after"));
});

test("who has stopped listening is not called", async () => {
  const heard: (string | null)[] = [];
  const off = wake.on("wake_off", (payload) => heard.push(payload));
  off();
  const others = await listener("wake_off");
  await db.inTransaction([], (tx) => notify(tx, "wake_off", "x"));
  await until(() => others.includes("x"));
  expect(heard).toEqual([]);
});

test("stopping closes the connection and returns, also before it was ever open", async () => {
  const other = createWake({ connection, log: silentLog(), clock: systemClock });
  await other.stop();
  const unreachable = createWake({ connection: { host: "/nowhere" }, log: silentLog(), clock: systemClock });
  await expect(unreachable.stop()).resolves.toBeUndefined();
});

/** What a channel's listener hears, once it is sure to hear. */
async function listener(channel: string): Promise<(string | null)[]> {
  const heard: (string | null)[] = [];
  wake.on(channel, (payload) => heard.push(payload));
  while (!heard.includes("ready")) {
    await db.inTransaction([], (tx) => notify(tx, channel, "ready"));
    await setImmediate();
  }
  return heard;
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await setImmediate();
}
