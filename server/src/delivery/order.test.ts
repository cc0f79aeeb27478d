import { UpdateEndpoint } from "@aftercall/contract/endpoint.ts";
import { toPublicId } from "@aftercall/contract/id.ts";
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { type Receiver, startReceiver } from "../../test/harness/receiver.ts";
import { tenantsWithBlockedDeliveries, unblockStranded } from "./queue/line-store.ts";
import { deliverInEachTest, type Delivering, startDelivering } from "./test-setup.ts";

let delivering: Delivering;
let receiver: Receiver;
deliverInEachTest((made) => {
  ({ delivering, receiver } = made);
});

/** A message of a line, with its place in the body. */
const said = (orderKey: string, text: string) =>
  delivering.fact({ orderKey, render: () => Buffer.from(JSON.stringify({ line: orderKey, text })) });
const arrived = () => receiver.received.map(({ body }) => (JSON.parse(body.toString("utf8")) as { text: string }).text);
const rounds = async (count = 4) => {
  for (let i = 0; i < count; i++) await delivering.worker.runOnce();
};

test("messages of a call are numbered without gaps, whatever else is written and written twice", async () => {
  const { write, call, fact, worker } = delivering;
  await delivering.endpoint({ url: receiver.url });
  const [one, two] = await Promise.all([call(), call()]);
  const twice = fact({ callId: one, type: "call.ended" });
  await write([twice, fact({ callId: two, type: "call.ended" })]);
  await write([twice, fact({ callId: one, type: "call.completed" }), fact({ callId: two, type: "call.completed" })]);
  await write([fact()]);
  await rounds();
  const seen = receiver.received.map(({ headers }) => [headers["aftercall-order-key"], headers["aftercall-sequence"]]);
  expect(seen.toSorted()).toEqual(
    [
      [toPublicId("call", one), "1"],
      [toPublicId("call", one), "2"],
      [toPublicId("call", two), "1"],
      [toPublicId("call", two), "2"],
      [undefined, undefined],
    ].toSorted(),
  );
  expect(await worker.runOnce()).toBe(0);
});

test("a first attempt from memory carries the number too", async () => {
  const { write, call, fact, worker } = delivering;
  await delivering.endpoint({ url: receiver.url });
  const id = await call();
  worker.handOff(await write([fact({ callId: id, type: "call.ended" }), fact({ callId: id })], () => 10));
  await worker.idle();
  expect(receiver.received.map(({ headers }) => headers["aftercall-sequence"]).toSorted()).toEqual(["1", "2"]);
});

test("many transactions at once give the numbers of a line once each", async () => {
  const { write, sql } = delivering;
  await Promise.all(
    Array.from({ length: 12 }, (_, i) => write([said("line", `${i}`), said(`other ${i % 3}`, `${i}`)])),
  );
  const rows = await sql<{ order_key: string; numbers: number[] }>(
    "select order_key, array_agg(sequence order by sequence) as numbers from messages where order_key is not null group by 1 order by 1",
  );
  expect(rows).toEqual([
    { order_key: "line", numbers: Array.from({ length: 12 }, (_, i) => i + 1) },
    ...[0, 1, 2].map((i) => ({ order_key: `other ${i}`, numbers: [1, 2, 3, 4] })),
  ]);
});

test("strict: a message that fails holds up its own line and no other, and its retry comes soon", async () => {
  const { write, endpoint, worker, deliveries, makeDue, sql, handlers, request } = delivering;
  await endpoint({
    url: receiver.url,
    order: { mode: "strict", strict_delay_max_ms: 2_000 },
    schedule_ms: [3_600_000],
  });
  receiver.answer(({ body }, count) => ({ status: count < 3 && body.includes("a1") ? 500 : 200 }));
  await write([said("a", "a1"), said("a", "a2"), said("b", "b1"), said("a", "a3"), said("b", "b2")]);
  await rounds();
  expect(arrived().toSorted()).toEqual(["a1", "b1", "b2"]);
  const waiting = (await deliveries()).filter(({ state }) => state === "due");
  expect(waiting.map(({ attempt_count }) => attempt_count)).toEqual([1, 0, 0]);
  expect(waiting[0]?.due_in_ms).toBeLessThan(2_300);
  expect(await sql("select is_blocked from deliveries where state = 'due' order by sequence")).toEqual([
    { is_blocked: false },
    { is_blocked: true },
    { is_blocked: true },
  ]);
  const held = await handlers.listHeld({ ...request, query: { limit: 10, cause: "order" } });
  const first = toPublicId("delivery", waiting[0]?.id ?? "");
  expect(held.data.map(({ blocked_by: by, cause }) => [cause, by])).toEqual([
    ["order", first],
    ["order", first],
  ]);
  expect(await worker.runOnce()).toBe(0);
  await makeDue();
  await rounds();
  expect(arrived().slice(3)).toEqual(["a1", "a2", "a3"]);
});

test("strict: when the first is given up the line moves on, and the next says what is missing", async () => {
  const { write, endpoint, makeDue, deliveries } = delivering;
  await endpoint({ url: receiver.url, order: { mode: "strict" }, schedule_ms: [1_000] });
  receiver.answer(({ body }) => ({ status: body.includes("a1") ? 400 : 200 }));
  await write([said("a", "a1"), said("a", "a2"), said("a", "a3")]);
  await rounds();
  await makeDue();
  await rounds();
  expect(arrived()).toEqual(["a1", "a1", "a2", "a3"]);
  expect((await deliveries()).map(({ state }) => state)).toEqual(["undelivered", "delivered", "delivered"]);
  expect(receiver.received.map(({ headers }) => headers["aftercall-gap"])).toEqual([undefined, undefined, "1", "1"]);
});

test("skip: a failed one is retried beside the later ones, which say what is missing; never two of a line at once", async () => {
  const { write, endpoint, makeDue } = delivering;
  await endpoint({ url: receiver.url, order: { mode: "skip" }, schedule_ms: [1_000, 1_000] });
  let open = 0;
  let most = 0;
  receiver.answer(({ body }, count) => {
    most = Math.max(most, ++open);
    const after = new Promise<void>((resolve) => setImmediate(resolve)).finally(() => open--);
    return { status: count === 1 && body.includes("a1") ? 500 : 200, after };
  });
  await write([said("a", "a1"), said("a", "a2"), said("a", "a3")]);
  await rounds();
  expect(arrived()).toEqual(["a1", "a2", "a3"]);
  expect(receiver.received.map(({ headers }) => headers["aftercall-gap"])).toEqual([undefined, "1", "1"]);
  await makeDue();
  await rounds();
  expect(arrived()).toEqual(["a1", "a2", "a3", "a1"]);
  expect(receiver.received.at(-1)?.headers["aftercall-gap"]).toBeUndefined();
  expect(most).toBe(1);
});

test("a line whose first was taken out by hand moves on, and so does one whose endpoint wants no order any more", async () => {
  const { write, endpoint, sql, db, tenant, handlers, request } = delivering;
  const { uuid } = await endpoint({ url: receiver.url, order: { mode: "strict" } });
  receiver.answer(({ body }) => ({ status: body.includes("1") ? 500 : 200 }));
  await write([said("a", "a1"), said("a", "a2"), said("b", "b1"), said("b", "b2")]);
  await rounds();
  const unblock = async () => {
    expect(await db.inTransaction([], tenantsWithBlockedDeliveries)).toEqual([tenant]);
    return db.inTransaction([tenant], (tx) => unblockStranded(tx, [tenant]));
  };
  expect(await unblock()).toBe(0);
  await sql("update deliveries set state = 'undelivered', reason = 'cancelled' where order_key = 'a' and sequence = 1");
  expect(await unblock()).toBe(1);
  await rounds();
  expect(arrived().slice(2)).toEqual(["a2"]);
  await handlers.updateEndpoint({ ...request, params: { id: uuid }, body: UpdateEndpoint.parse({ order: null }) });
  expect(await unblock()).toBe(1);
  await rounds();
  expect(arrived().slice(2)).toEqual(["a2", "b2"]);
});

test("strict: whatever fails and whoever sends, each line arrives in its order and nothing is lost", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ line: fc.constantFrom("x", "y", "z"), failures: fc.integer({ min: 0, max: 2 }) }), {
        minLength: 1,
        maxLength: 12,
      }),
      async (plan) => {
        const one = await startDelivering(delivering.db);
        const other = one.newNode("node-2").worker;
        const target = await startReceiver();
        const left = new Map(plan.map(({ failures }, i) => [`${i}`, failures]));
        target.answer(({ body }) => {
          const { text } = JSON.parse(body.toString("utf8")) as { text: string };
          const failures = left.get(text) ?? 0;
          left.set(text, failures - 1);
          return { status: failures > 0 ? 500 : 200 };
        });
        await one.endpoint({
          url: target.url,
          order: { mode: "strict" },
          is_breaker_on: false,
          schedule_ms: [1_000, 1_000],
        });
        const facts = plan.map(({ line }, i) =>
          one.fact({ orderKey: line, render: () => Buffer.from(JSON.stringify({ line, text: `${i}` })) }),
        );
        for (const fact of facts) await one.write([fact]);
        for (let round = 0; round < 40; round++) {
          await Promise.all([one.worker.runOnce(), other.runOnce()]);
          await one.makeDue();
        }
        const order = target.received.map(
          ({ body }) => JSON.parse(body.toString("utf8")) as { line: string; text: string },
        );
        for (const line of ["x", "y", "z"]) {
          const texts = order.filter((message) => message.line === line).map(({ text }) => Number(text));
          expect(texts).toEqual(texts.toSorted((a, b) => a - b));
        }
        expect(new Set(order.map(({ text }) => text)).size).toBe(plan.length);
        await target.close();
        await one.close();
      },
    ),
    { numRuns: 4 },
  );
});
