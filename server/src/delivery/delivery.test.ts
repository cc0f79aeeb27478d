import { toPublicId } from "@aftercall/contract/id.ts";
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";

import { type Receiver, startReceiver } from "../../test/harness/receiver.ts";
import { deliverInEachTest, type Delivering } from "./test-setup.ts";

let delivering: Delivering;
let receiver: Receiver;
deliverInEachTest((made) => {
  ({ delivering, receiver } = made);
});

test("a message arrives once, signed, with the bytes that were written", async () => {
  const { worker, fact, write, deliveries, attempts } = delivering;
  const { secret } = await delivering.endpoint({ url: receiver.url });
  await write([fact()]);
  expect(await worker.runOnce()).toBe(1);
  expect(await worker.runOnce()).toBe(0);
  expect(receiver.received).toHaveLength(1);
  const [{ headers, body }] = (await receiver.waitFor(1)) as [Receiver["received"][number]];
  expect(body.toString("utf8")).toBe('{"format":"standard","text":"שלום"}');
  expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toEqual({
    format: "standard",
    text: "שלום",
  });
  const [delivery] = await deliveries();
  expect(delivery).toMatchObject({ state: "delivered", attempt_count: 1, claim_id: null, reason: null });
  expect(headers).toMatchObject({
    "webhook-id": toPublicId("message", delivery?.message_id ?? ""),
    "aftercall-attempt": "1",
    "content-type": "application/json",
    "user-agent": "aftercall/test",
  });
  expect(await attempts()).toEqual([{ number: 1, status: 200, class: "ok", body_bytes: 0, node: "node-1" }]);
});

test("a first attempt handed over from memory is sent without a claim, once", async () => {
  const { worker, fact, write, deliveries } = delivering;
  await delivering.endpoint({ url: receiver.url });
  const handOffs = await write([fact(), fact()], () => 10);
  expect(handOffs).toHaveLength(2);
  expect((await deliveries()).map(({ state }) => state)).toEqual(["claimed", "claimed"]);
  worker.handOff(handOffs);
  await worker.idle();
  expect(await worker.runOnce()).toBe(0);
  expect(receiver.received).toHaveLength(2);
  expect((await deliveries()).map(({ state }) => state)).toEqual(["delivered", "delivered"]);
});

test("what does not fit into the room of this process is left to the claim", async () => {
  const { fact, write, deliveries } = delivering;
  await delivering.endpoint({ url: receiver.url });
  expect(await write([fact(), fact(), fact()], () => 2)).toHaveLength(2);
  expect((await deliveries()).map(({ state }) => state)).toEqual(["claimed", "claimed", "due"]);
});

test("the same fact written twice is one message and one delivery", async () => {
  const { worker, fact, write, deliveries } = delivering;
  await delivering.endpoint({ url: receiver.url });
  const same = fact();
  expect(await write([same, same], () => 10)).toHaveLength(1);
  expect(await write([same], () => 10)).toHaveLength(0);
  expect(await deliveries()).toHaveLength(1);
  await delivering.expireLeases();
  await worker.runOnce();
  expect(receiver.received).toHaveLength(1);
});

test("a failed attempt is made again after the delay of the schedule, with the same id and a fresh signature", async () => {
  const { worker, fact, write, deliveries, attempts } = delivering;
  const { secret } = await delivering.endpoint({ url: receiver.url, schedule_ms: [5_000, 300_000] });
  receiver.answer((_request, count) => ({ status: count === 1 ? 500 : 204, body: count === 1 ? "no" : "" }));
  await write([fact()]);
  await worker.runOnce();
  const [waiting] = await deliveries();
  expect(waiting).toMatchObject({ state: "due", attempt_count: 1, claim_id: null });
  expect(waiting?.due_in_ms).toBeGreaterThan(4_000);
  expect(waiting?.due_in_ms).toBeLessThan(5_600);
  expect(await worker.runOnce()).toBe(0);
  await delivering.makeDue();
  expect(await worker.runOnce()).toBe(1);
  const [first, second] = receiver.received;
  expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
  expect(second?.headers["aftercall-attempt"]).toBe("2");
  expect(new Webhook(secret).verify(second?.body ?? "", second?.headers as Record<string, string>)).toBeTruthy();
  expect(await deliveries()).toMatchObject([{ state: "delivered", attempt_count: 2 }]);
  expect(await attempts()).toMatchObject([
    { number: 1, status: 500, class: "http_5xx", body_bytes: 2 },
    { number: 2, status: 204, class: "ok" },
  ]);
});

test("a schedule of N delays makes N + 1 attempts, then the delivery is listed as undelivered", async () => {
  const { worker, fact, write, deliveries } = delivering;
  await delivering.endpoint({ url: receiver.url, schedule_ms: [1_000, 1_000] });
  receiver.answer({ status: 403 });
  await write([fact()]);
  for (let round = 0; round < 5; round++) {
    await worker.runOnce();
    await delivering.makeDue();
  }
  expect(receiver.received).toHaveLength(3);
  expect(await deliveries()).toMatchObject([{ state: "undelivered", reason: "exhausted", attempt_count: 3 }]);
});

test("Retry-After postpones the next attempt", async () => {
  const { worker, fact, write, deliveries, attempts } = delivering;
  await delivering.endpoint({ url: receiver.url });
  receiver.answer({ status: 503, headers: { "retry-after": "120" } });
  await write([fact()]);
  await worker.runOnce();
  const [delivery] = await deliveries();
  expect(delivery?.due_in_ms).toBeGreaterThan(115_000);
  expect(delivery?.due_in_ms).toBeLessThanOrEqual(120_000);
  expect(await attempts()).toMatchObject([{ class: "throttled", status: 503 }]);
});

test("410 disables the endpoint at once, and everything it had not got is undelivered: gone", async () => {
  const { worker, fact, write, deliveries, handlers, request, tenant, db } = delivering;
  const { id, uuid } = await delivering.endpoint({ url: receiver.url, in_flight_max: 1 });
  receiver.answer({ status: 410 });
  await write([fact(), fact(), fact()], () => 1);
  await delivering.expireLeases();
  await write([fact()]);
  const [first] = await write([fact()], () => 1);
  worker.handOff(first ? [first] : []);
  await worker.idle();
  expect(receiver.received).toHaveLength(1);
  await worker.runOnce();
  expect(receiver.received).toHaveLength(1);
  const all = await deliveries();
  expect(all.map(({ state, reason }) => `${state} ${reason}`)).toEqual(all.map(() => "undelivered gone"));
  const endpoint = await handlers.getEndpoint({ ...request, params: { id: uuid } });
  expect(endpoint).toMatchObject({ is_enabled: false, disabled_reason: "gone" });
  expect(await write([fact()])).toEqual([]);
  const audit = await db.inTransaction([tenant], (tx) =>
    tx.rows("select actor, action, subject from audit_log where action = 'endpoint.disabled'"),
  );
  expect(audit).toEqual([{ actor: "system:delivery", action: "endpoint.disabled", subject: id }]);
});

test("a process that dies in mid-flight loses nothing: its claim runs out and the message goes out again under the same id", async () => {
  const { worker, fact, write, deliveries } = delivering;
  await delivering.endpoint({ url: receiver.url });
  const lost = await write([fact()], () => 1);
  expect(await worker.runOnce()).toBe(0);
  expect(await deliveries()).toMatchObject([{ state: "claimed" }]);
  await delivering.expireLeases();
  expect(await worker.runOnce()).toBe(1);
  expect(receiver.received[0]?.headers["webhook-id"]).toBe(toPublicId("message", lost[0]?.messageId ?? ""));
  expect(await deliveries()).toMatchObject([{ state: "delivered" }]);
});

test("a process that lost its claim cannot overwrite what the new owner did", async () => {
  const { fact, write, deliveries, attempts, worker, newNode } = delivering;
  await delivering.endpoint({ url: receiver.url });
  const { promise: held, resolve: finish } = Promise.withResolvers<void>();
  receiver.answer((_request, count) => (count === 1 ? { status: 500, after: held } : { status: 200 }));
  worker.handOff(await write([fact()], () => 1));
  await receiver.waitFor(1);
  await delivering.expireLeases();
  const other = newNode("node-2");
  await other.worker.runOnce();
  expect(await deliveries()).toMatchObject([{ state: "delivered", attempt_count: 1 }]);
  finish();
  await worker.idle();
  expect(await deliveries()).toMatchObject([{ state: "delivered", attempt_count: 1 }]);
  expect(await attempts()).toMatchObject([{ number: 1, status: 200, node: "node-2" }]);
});

test("a result counts although its claim is renewed in the very moment in which it is written", async () => {
  const { fact, write, deliveries, worker, sql, db, tenant } = delivering;
  await delivering.endpoint({ url: receiver.url });
  const { promise: held, resolve: finish } = Promise.withResolvers<void>();
  receiver.answer(() => ({ status: 200, after: held }));
  worker.handOff(await write([fact()], () => 1));
  await receiver.waitFor(1);
  await db.inTransaction([tenant], async (tx) => {
    await tx.run("update deliveries set lease_until = now() + interval '1 minute'");
    finish();
    const waiting = "select from pg_locks where not granted";
    while ((await sql(waiting)).length === 0) await new Promise(setImmediate);
  });
  await worker.idle();
  expect(await deliveries()).toMatchObject([{ state: "delivered", attempt_count: 1 }]);
});

test("two workers that claim at the same time send nothing twice", async () => {
  const { fact, write, deliveries, worker, newNode } = delivering;
  await delivering.endpoint({ url: receiver.url, in_flight_max: 50 });
  await write(Array.from({ length: 400 }, () => fact()));
  const other = newNode("node-2");
  let rounds = 0;
  while ((await deliveries()).some(({ state }) => state !== "delivered") && rounds++ < 20) {
    await Promise.all([worker.runOnce(), other.worker.runOnce()]);
  }
  const sent = receiver.received.map(({ headers }) => headers["webhook-id"]);
  expect(sent).toHaveLength(400);
  expect(new Set(sent).size).toBe(400);
});

test("a claim takes no more than may start: in_flight_max deliveries of an endpoint", async () => {
  const { fact, write, deliveries, worker } = delivering;
  await delivering.endpoint({ url: receiver.url, in_flight_max: 3 });
  await write(Array.from({ length: 10 }, () => fact()));
  let most = 0;
  let open = 0;
  receiver.answer(() => {
    most = Math.max(most, ++open);
    const after = new Promise<void>((resolve) => setImmediate(resolve)).finally(() => open--);
    return { status: 200, after };
  });
  for (let round = 0; round < 5; round++) await worker.runOnce();
  expect((await deliveries()).every(({ state }) => state === "delivered")).toBe(true);
  expect(most).toBeLessThanOrEqual(3);
});

test("an endpoint that hangs delays nobody else", async () => {
  const { fact, write, worker, deliveries } = delivering;
  const slow = await startReceiver();
  slow.answer("hang");
  const { uuid: hanging } = await delivering.endpoint({ url: slow.url, timeout_ms: 1_000, types: ["call.ended"] });
  await delivering.endpoint({ url: receiver.url, types: ["call.completed"] });
  worker.handOff(
    await write(
      Array.from({ length: 30 }, () => fact({ type: "call.ended" })),
      () => 30,
    ),
  );
  await slow.waitFor(10);
  const startedAt = performance.now();
  worker.handOff(
    await write(
      Array.from({ length: 30 }, () => fact()),
      () => 30,
    ),
  );
  await receiver.waitFor(30);
  expect(performance.now() - startedAt).toBeLessThan(800);
  expect(slow.received).toHaveLength(10);
  expect(
    (await deliveries()).filter(({ endpoint_id, state }) => endpoint_id === hanging && state === "claimed"),
  ).toHaveLength(30);
  await slow.close();
});

test("a worker that stops gives back what has not started and finishes what has", async () => {
  const { fact, write, worker, deliveries } = delivering;
  await delivering.endpoint({ url: receiver.url, in_flight_max: 1 });
  const { promise: held, resolve: finish } = Promise.withResolvers<void>();
  receiver.answer({ status: 200, after: held });
  worker.handOff(await write([fact(), fact(), fact()], () => 3));
  await receiver.waitFor(1);
  const stopped = worker.stop(5_000);
  finish();
  await stopped;
  expect((await deliveries()).map(({ state, attempt_count }) => `${state} ${attempt_count}`)).toEqual([
    "delivered 1",
    "due 0",
    "due 0",
  ]);
  expect(worker.roomFor((await write([fact()], () => 1))[0]?.target ?? raise())).toBe(0);
});

test("an attempt that is cut off because the process has to go is no attempt: it is due again at once", async () => {
  const { fact, write, worker, deliveries, attempts } = delivering;
  await delivering.endpoint({ url: receiver.url });
  receiver.answer("hang");
  worker.handOff(await write([fact()], () => 1));
  await receiver.waitFor(1);
  await worker.stop(0);
  expect(await deliveries()).toMatchObject([{ state: "due", attempt_count: 0, claim_id: null }]);
  expect(await attempts()).toEqual([]);
});

test("a redirect is a failed attempt and its target sees no request", async () => {
  const { fact, write, worker, deliveries, attempts } = delivering;
  const elsewhere = await startReceiver();
  await delivering.endpoint({ url: receiver.url });
  receiver.answer({ status: 308, headers: { location: elsewhere.url } });
  await write([fact()]);
  await worker.runOnce();
  expect(elsewhere.received).toHaveLength(0);
  expect(await deliveries()).toMatchObject([{ state: "due", attempt_count: 1 }]);
  expect(await attempts()).toMatchObject([{ status: 308, class: "redirect" }]);
  await elsewhere.close();
});

test("of a long answer 64 kB are kept", async () => {
  const { fact, write, worker, attempts } = delivering;
  await delivering.endpoint({ url: receiver.url });
  receiver.answer({ status: 200, body: "x".repeat(5_000_000) });
  await write([fact()]);
  await worker.runOnce();
  expect(await attempts()).toMatchObject([{ status: 200, class: "ok", body_bytes: 65_536 }]);
});

test("an answer with bytes that are no text is kept as it came", async () => {
  const { fact, write, worker, attempts } = delivering;
  await delivering.endpoint({ url: receiver.url });
  receiver.answer({ status: 500, body: "\u0000\ud800", headers: { "x-odd": "caf\u00e9" } });
  await write([fact()]);
  await worker.runOnce();
  expect(await attempts()).toMatchObject([{ status: 500, body_bytes: 4 }]);
});

test("a receiver that breaks the connection or does not listen is a failed attempt without a status", async () => {
  const { fact, write, worker, attempts, endpoint } = delivering;
  const closed = await startReceiver();
  await closed.close();
  await endpoint({ url: receiver.url, types: ["call.ended"] });
  await endpoint({ url: closed.url, types: ["call.failed"] });
  receiver.answer("reset");
  await write([fact({ type: "call.ended" }), fact({ type: "call.failed" })]);
  await worker.runOnce();
  expect((await attempts()).map(({ status, class: name }) => `${status} ${name}`).toSorted()).toEqual([
    "0 connect",
    "0 reset",
  ]);
});

test("calls go to the endpoint of their direction, and what is not about a call to the generic one", async () => {
  const { fact, call, write, worker, endpoint } = delivering;
  await endpoint({ url: `${receiver.url}inbound`, direction: "inbound" });
  await endpoint({ url: `${receiver.url}outbound`, direction: "outbound" });
  await endpoint({ url: `${receiver.url}generic`, direction: "generic" });
  const [inbound, outbound, unknown] = await Promise.all([call(), call(), call()]);
  await write([
    fact({ callId: inbound, direction: "inbound", render: () => Buffer.from("in") }),
    fact({ callId: outbound, direction: "outbound", render: () => Buffer.from("out") }),
    fact({ callId: unknown, direction: null, render: () => Buffer.from("unknown") }),
    fact({ direction: null, render: () => Buffer.from("campaign") }),
  ]);
  await worker.runOnce();
  expect(receiver.received.map(({ path, body }) => `${path} ${body.toString()}`).toSorted()).toEqual([
    "/generic campaign",
    "/inbound in",
    "/inbound unknown",
    "/outbound out",
  ]);
});

test("a message of one tenant never goes to an endpoint of another", async () => {
  const { fact, write, worker, otherTenant, deliveries } = delivering;
  const other = await otherTenant();
  await delivering.endpoint({ url: `${receiver.url}other` }, other);
  await write([fact()]);
  await worker.runOnce();
  expect(receiver.received).toHaveLength(0);
  expect(await deliveries(other)).toEqual([]);
});

test("a body that is no text is sent byte for byte, and holds up nothing beside it", async () => {
  const { fact, write, deliveries, worker, endpoint, sql, tenant } = delivering;
  await endpoint({ url: receiver.url });
  await write([fact(), fact()]);
  const [first] = await deliveries();
  const body = Buffer.from([0x7b, 0xff, 0x00, 0x7d]);
  await sql("delete from message_bodies where message_id = $1", [first?.message_id]);
  await sql("insert into message_bodies (tenant_id, message_id, format, body) values ($1, $2, 'standard', $3)", [
    tenant,
    first?.message_id,
    body,
  ]);
  expect(await worker.runOnce()).toBe(2);
  expect(receiver.received.filter((request) => request.body.equals(body))).toHaveLength(1);
});

test("one claim serves many tenants", async () => {
  const { fact, write, worker, otherTenant, endpoint, tenant } = delivering;
  const others = await Promise.all([otherTenant(), otherTenant()]);
  for (const one of [tenant, ...others]) await endpoint({ url: receiver.url }, one);
  await write([tenant, ...others].map((tenantId) => fact({ tenantId })));
  expect(await worker.runOnce()).toBe(3);
  expect(receiver.received).toHaveLength(3);
});

test("each format is rendered once and each endpoint gets its own", async () => {
  const { fact, write, worker, endpoint } = delivering;
  await endpoint({ url: `${receiver.url}a` });
  await endpoint({ url: `${receiver.url}b` });
  await endpoint({ url: `${receiver.url}flat`, format: "flat" });
  const rendered: string[] = [];
  const render = (format: string) => {
    rendered.push(format);
    return Buffer.from(`"${format}"`);
  };
  await write([fact({ render })]);
  await worker.runOnce();
  expect(rendered.toSorted()).toEqual(["flat", "standard"]);
  expect(receiver.received.map(({ path, body }) => `${path} ${body.toString()}`).toSorted()).toEqual([
    '/a "standard"',
    '/b "standard"',
    '/flat "flat"',
  ]);
});

function raise(): never {
  throw new Error("missing");
}
