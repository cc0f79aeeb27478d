import { afterEach, expect, test } from "vitest";

import { openAppPool } from "#/db/connect.ts";
import { createDb, type Db } from "#/db/transaction.ts";
import { createWake, type Wake } from "#/db/wake.ts";
import { type Clock, systemClock } from "#/kernel/clock.ts";
import { silentLog } from "#/kernel/log.ts";

import { createFakeClock } from "../../test/harness/clock.ts";
import type { TestDatabase } from "../../test/harness/database.ts";
import type { Receiver } from "../../test/harness/receiver.ts";
import { releaseDeliveries } from "./queue/store.ts";
import { deliverInEachTest, type Delivering } from "./test-setup.ts";
import type { DeliveryWorker } from "./worker.ts";

type Process = { readonly db: Db; readonly wake: Wake; end(): Promise<void> };

let database: TestDatabase;
let delivering: Delivering;
let receiver: Receiver;
let processes: Process[] = [];
const running: DeliveryWorker[] = [];
deliverInEachTest((made) => {
  ({ delivering, receiver, database } = made);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((worker) => worker.stop(0)));
  await Promise.all(processes.map((one) => one.end()));
  processes = [];
});

/** The connections that one process of the server has. */
function open(presence: number): Process {
  const { connection } = database;
  const log = silentLog();
  const pool = openAppPool({ connection, name: "test", log, mayExit: true, presence });
  const wake = createWake({ connection, log, clock: systemClock, presence });
  let isOpen = true;
  const one = {
    db: createDb(pool),
    wake,
    async end() {
      if (!isOpen) return;
      isOpen = false;
      await Promise.all([wake.stop(), pool.end()]);
    },
  };
  processes.push(one);
  return one;
}

function workIn(process: Process, node: string, clock: Clock = systemClock): DeliveryWorker {
  const onWake = (woken: (what?: string | null) => void) => process.wake.on("deliveries", woken);
  const { worker } = delivering.newNode(node, { db: process.db, onWake, clock });
  running.push(worker);
  return worker;
}

const alive = () => delivering.db.inTransaction([], (tx) => tx.rows("select live_processes()"));
const untilAlive = async (count: number) => {
  while ((await alive()).length !== count) await new Promise(setImmediate);
};

test("what a process held that is gone goes out again within seconds, long before its claim runs out", async () => {
  const [dead, other] = [open(1), open(2)];
  await untilAlive(2);
  await delivering.endpoint({ url: receiver.url, in_flight_max: 50 });
  await delivering.write(Array.from({ length: 20 }, () => delivering.fact()));
  receiver.answer("hang");
  void workIn(dead, "dead").runOnce();
  await receiver.waitFor(20);
  receiver.answer({ status: 200 });
  const survivor = workIn(other, "survivor");
  survivor.start();
  // As long as the process holds its lock its claims are its own.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect(receiver.received).toHaveLength(20);
  await dead.wake.stop();
  const goneAt = performance.now();
  await receiver.waitFor(40);
  expect(performance.now() - goneAt).toBeLessThan(10_000);
  await survivor.idle();
  expect((await delivering.deliveries()).every(({ state }) => state === "delivered")).toBe(true);
});

test("a worker that comes is announced, and one whose process is gone is not counted any more", async () => {
  const [first, second] = [open(11), open(12)];
  await untilAlive(2);
  const [one, two] = [workIn(first, "one"), workIn(second, "two")];
  const { uuid } = await delivering.endpoint({ url: receiver.url, in_flight_max: 100 });
  const [target] = await first.db.inTransaction([delivering.tenant], (tx) =>
    delivering.book.named(tx, [delivering.tenant], [uuid]),
  );
  if (!target) throw new Error("no target");
  const own = (worker: DeliveryWorker) => worker.roomFor({ ...target, inFlightMax: 100 });
  one.start();
  const alone = own(one);
  two.start();
  while (own(one) >= alone) await new Promise((resolve) => setTimeout(resolve, 20));
  await second.wake.stop();
  await untilAlive(1);
  await delivering.db.inTransaction([], (tx) => tx.run("select pg_notify('deliveries', 'joined')"));
  const deadline = performance.now() + 15_000;
  while (own(one) < alone && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    await delivering.db.inTransaction([], (tx) => tx.run("select pg_notify('deliveries', 'joined')"));
  }
  expect(own(one)).toBe(alone);
});

test("what one process gives back is sent by another that had looked past it already", async () => {
  const process = open(31);
  await process.wake.ready;
  await delivering.endpoint({ url: receiver.url });
  await delivering.write(Array.from({ length: 3 }, () => delivering.fact()));
  await delivering.sql("update deliveries set due_at = now() - interval '1 minute'");
  const [first] = await delivering.sql<{ id: string }>(
    "update deliveries set state = 'claimed', claim_id = id where id = (select min(id::text)::uuid from deliveries) returning id",
  );
  // Time stands still for whatever takes a second or more: nobody looks again by himself, and nothing remembered gets old.
  const clock = createFakeClock(Date.now());
  const patient: Clock = { ...clock, sleep: (ms, signal) => (ms < 1_000 ? systemClock : clock).sleep(ms, signal) };
  const worker = workIn(process, "other", patient);
  worker.start();
  await receiver.waitFor(2);
  await worker.idle();
  const held = { tenantId: delivering.tenant, deliveryId: first?.id ?? "", claimId: first?.id ?? "" };
  await delivering.db.inTransaction([delivering.tenant], (tx) => releaseDeliveries(tx, [held]));
  expect(await receiver.waitFor(3)).toHaveLength(3);
  await worker.idle();
});
