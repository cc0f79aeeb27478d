import { readFileSync } from "node:fs";

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import type { DeliveryWorker } from "#/delivery/worker.ts";

import { type Delivering, startDelivering } from "../src/delivery/test-setup.ts";
import { discardDatabase, ownDatabase, type TestDatabase } from "./harness/database.ts";
import { type Receiver, startReceiver } from "./harness/receiver.ts";
import { type HostileReceiver, hostileReceivers } from "./hostile/receivers.ts";

type Case = {
  readonly id: string;
  readonly title: string;
  readonly receiver: string;
  readonly expect: {
    readonly deliveryState?: readonly string[];
    readonly victimHits?: number;
    readonly attemptMaxMs?: number;
    readonly workerFree?: boolean;
    readonly maxRssMb?: number;
    readonly storedBodyMaxBytes?: number;
    readonly nextAttemptMaxMs?: number;
    readonly endpointDisabled?: boolean;
    readonly otherTenantP99Ms?: number;
    readonly maxMs: number;
  };
};

const file = new URL("./hostile/deliveries.json", import.meta.url);
const { cases } = JSON.parse(readFileSync(file, "utf8")) as { cases: readonly Case[] };

let database: TestDatabase;
beforeAll(async () => {
  database = await ownDatabase();
});
afterAll(() => discardDatabase(database));

let delivering: Delivering;
let good: Receiver;
let victim: Receiver;
let hostile: HostileReceiver | undefined;
let running: DeliveryWorker | undefined;
beforeEach(async () => {
  [good, victim] = await Promise.all([startReceiver(), startReceiver()]);
});
afterEach(async () => {
  await running?.stop(0);
  running = undefined;
  await Promise.all([good.close(), victim.close(), hostile?.close()]);
  await delivering.close();
});

/** The shortest timeout there is: what holds for it holds for 30 s, the longest. */
const timeoutMs = 1_000;
const isCrowd = ({ receiver }: Case) => receiver === "tarpit";

test.each(cases.filter((one) => !isCrowd(one)).map((one) => [one.id, one.title, one] as const))(
  "%s: %s",
  async (_id, _title, one) => {
    const { expect: wanted } = one;
    hostile = await hostileReceivers[one.receiver]?.(victim.url);
    const resolver = async () => ["127.0.0.1"];
    const isRebinding = one.receiver === "rebind";
    delivering = await startDelivering(database.db, isRebinding ? { privateTargets: [], resolver } : {});
    const { handlers, request, write, fact, newNode, deliveries } = delivering;
    const { uuid } = await delivering.endpoint({
      url: hostile?.url ?? "",
      timeout_ms: timeoutMs,
      types: ["call.ended"],
    });
    if (!isRebinding) await delivering.endpoint({ url: good.url, types: ["call.completed"] });

    const memory = process.memoryUsage().rss;
    const { worker } = newNode("node-of-the-case");
    running = worker;
    worker.start();
    const tries = one.receiver === "retry-after-junk" ? 3 : 1;
    for (let count = 1; count <= tries; count++) {
      if (count === 1) worker.handOff(await write([fact({ type: "call.ended" })], () => 1));
      else await Promise.all([delivering.makeDue(), delivering.age(uuid, 2 * 86_400_000)]);
      while ((await attemptsOf(uuid)).length < count) {
        // Somebody else's messages go through meanwhile.
        if (!isRebinding && good.received.length === 0) worker.handOff(await write([fact()], () => 1));
        const asked = performance.now();
        await handlers.listDeliveries({ ...request, query: { limit: 10 } });
        expect(performance.now() - asked).toBeLessThan(wanted.maxMs);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const [waiting] = (await deliveries()).filter(({ endpoint_id: id, state }) => id === uuid && state === "due");
      if (wanted.nextAttemptMaxMs) expect(waiting?.due_in_ms).toBeLessThanOrEqual(wanted.nextAttemptMaxMs);
    }

    const [row] = (await deliveries()).filter(({ endpoint_id: id }) => id === uuid);
    const shown = await handlers.getDelivery({ ...request, params: { id: row?.id ?? "" } });
    const [attempt] = await attemptsOf(uuid);
    const states = [
      ...(attempt?.class === "blocked_target" ? ["blocked"] : []),
      { due: "retrying", undelivered: "failed", delivered: "delivered", claimed: "claimed" }[shown.state],
    ];
    if (wanted.deliveryState) expect(wanted.deliveryState).toEqual(expect.arrayContaining([states[0]]));
    if (wanted.victimHits !== undefined) expect(victim.received).toHaveLength(wanted.victimHits);
    if (wanted.attemptMaxMs) expect(attempt?.duration_ms).toBeLessThan(timeoutMs + (wanted.attemptMaxMs - 30_000));
    if (wanted.workerFree) expect(good.received.length).toBeGreaterThan(0);
    if (wanted.storedBodyMaxBytes) expect(attempt?.body_bytes).toBe(wanted.storedBodyMaxBytes);
    if (wanted.maxRssMb) expect((process.memoryUsage().rss - memory) / 1e6).toBeLessThan(wanted.maxRssMb);
    if (wanted.endpointDisabled) {
      const endpoint = await handlers.getEndpoint({ ...request, params: { id: uuid } });
      expect(endpoint).toMatchObject({ is_enabled: false, disabled_reason: "gone" });
    }
    // What the tenant reads of it names no path, no statement, and no address that was refused.
    const words = shown.attempts.map((tried) => `${shown.reason} ${tried.class} ${tried.error}`);
    expect(words.join("\n")).not.toMatch(/node_modules|node:|select |insert |127\.0\.0\.1|blocked/i);
  },
);

function attemptsOf(endpointId: string) {
  return delivering.sql<{ class: string; duration_ms: number; body_bytes: number }>(
    `select a.class, a.duration_ms, coalesce(length(b.response_body), 0) as body_bytes
       from deliveries d join attempts a on a.tenant_id = d.tenant_id and a.delivery_id = d.id
       left join attempt_bodies b on b.tenant_id = a.tenant_id and b.delivery_id = a.delivery_id and b.number = a.number and b.started_at = a.started_at
      where d.endpoint_id = $1`,
    [endpointId],
  );
}

test.each(cases.filter(isCrowd).map((one) => [one.id, one.title, one] as const))(
  "%s: %s",
  { timeout: 120_000 },
  async (_id, _title, one) => {
    const tarpit = await hostileReceivers[one.receiver]?.(victim.url);
    hostile = tarpit;
    delivering = await startDelivering(database.db);
    const { write, fact, newNode, otherTenant } = delivering;
    const crowd = await otherTenant();
    for (let n = 0; n < 500; n += 25) {
      const urls = Array.from({ length: 25 }, (_, own) => `${tarpit?.url}?own=${n + own}`);
      await Promise.all(urls.map((url) => delivering.endpoint({ url, timeout_ms: 30_000 }, crowd)));
    }
    await delivering.endpoint({ url: good.url });
    for (let n = 0; n < 3; n++) await write([fact({ tenantId: crowd })]);
    expect((await delivering.deliveries(crowd)).length).toBe(1_500);

    let announce = () => {};
    const onWake = (woken: () => void) => {
      announce = woken;
      return () => {};
    };
    const { worker } = newNode("node-of-the-case", { onWake });
    running = worker;
    worker.start();
    const waits: number[] = [];
    for (let n = 1; n <= 100; n++) {
      const startedAt = performance.now();
      // In turn from memory and by the claim.
      const handOffs = await write([fact()], () => (n % 2 === 0 ? 1 : 0));
      worker.handOff(handOffs);
      announce();
      await good.waitFor(n);
      waits.push(performance.now() - startedAt);
    }
    const claimed = (await delivering.deliveries(crowd)).filter(({ state }) => state === "claimed");
    expect(claimed.length).toBeGreaterThan(400);
    expect(waits.toSorted((a, b) => a - b)[98]).toBeLessThan(one.expect.otherTenantP99Ms ?? 0);
  },
);
