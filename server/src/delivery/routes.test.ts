import {
  CreateEndpoint,
  defaultScheduleMs,
  RotateEndpointSecret,
  type UpdateEndpoint,
} from "@aftercall/contract/endpoint.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";

import type { FieldError } from "#/kernel/errors.ts";

import { type Receiver, startReceiver } from "../../test/harness/receiver.ts";
import { deliverInEachTest, type Delivering, startDelivering } from "./test-setup.ts";

let delivering: Delivering;
let receiver: Receiver;
deliverInEachTest((made) => {
  ({ delivering, receiver } = made);
});

const list = { limit: 25 };
const url = "https://hooks.example.com/a";
const errorsOf = (work: Promise<unknown>) =>
  work.then(
    () => [],
    (error: { errors: readonly FieldError[] }) => error.errors,
  );
const statusOf = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: { status?: number }) => error.status ?? String(error),
  );
test("201: an endpoint gets everything at once unless told otherwise, and its secret is shown", async () => {
  const { handlers, request } = delivering;
  const created = await handlers.createEndpoint({ ...request, body: CreateEndpoint.parse({ url }) });
  expect(created).toMatchObject({
    url,
    types: ["*"],
    direction: "any",
    format: "standard",
    schedule_ms: defaultScheduleMs,
    timeout_ms: 15_000,
    in_flight_max: 10,
    is_enabled: true,
  });
  expect(created.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  const read = await handlers.getEndpoint({ ...request, params: { id: fromPublicId("endpoint", created.id) ?? "" } });
  expect(read).not.toHaveProperty("secret");
});

test.each([24, 32, 64])("a secret of %i bytes may be brought along", async (size) => {
  const secret = `whsec_${Buffer.alloc(size, 7).toString("base64")}`;
  const created = await delivering.endpoint({ url, secret });
  expect(created.secret).toBe(secret);
});

test("422: a URL that is not accepted names the rule and the field, on creating and on changing", async () => {
  const { handlers, request } = delivering;
  const { uuid } = await delivering.endpoint({ url });
  const bad = "ftp://example.com/";
  const expected = [{ pointer: "/url", detail: "The scheme must be https or http" }];
  expect(await errorsOf(handlers.createEndpoint({ ...request, body: CreateEndpoint.parse({ url: bad }) }))).toEqual(
    expected,
  );
  expect(await errorsOf(handlers.updateEndpoint({ ...request, params: { id: uuid }, body: { url: bad } }))).toEqual(
    expected,
  );
});

test("what is absent stays, null goes back to the default", async () => {
  const { handlers, request } = delivering;
  const { uuid } = await delivering.endpoint({ url, types: ["call.ended"], description: "CRM", schedule_ms: [1000] });
  const patch = (body: UpdateEndpoint) => handlers.updateEndpoint({ ...request, params: { id: uuid }, body });
  expect(await patch({ description: "ERP" })).toMatchObject({ description: "ERP", types: ["call.ended"], url });
  expect(await patch({ types: null, schedule_ms: null })).toMatchObject({
    description: "ERP",
    types: ["*"],
    schedule_ms: defaultScheduleMs,
  });
});

test("a new URL holds from the next attempt on", async () => {
  const { handlers, request, fact, write, worker } = delivering;
  const { uuid } = await delivering.endpoint({ url: `${receiver.url}old`, schedule_ms: [1000] });
  receiver.answer((_request, count) => ({ status: count === 1 ? 500 : 200 }));
  await write([fact()]);
  await worker.runOnce();
  await handlers.updateEndpoint({ ...request, params: { id: uuid }, body: { url: `${receiver.url}new` } });
  await delivering.makeDue();
  await worker.runOnce();
  expect(receiver.received.map(({ path }) => path)).toEqual(["/old", "/new"]);
  const [row] = await delivering.deliveries();
  const { attempts } = await handlers.getDelivery({ ...request, params: { id: row?.id ?? "" } });
  expect(attempts.map((one) => one.url)).toEqual([`${receiver.url}old`, `${receiver.url}new`]);
});

test("disabling an endpoint lists what it had not got as undelivered, and nothing is sent to it", async () => {
  const { handlers, request, fact, write, worker, deliveries } = delivering;
  const { uuid } = await delivering.endpoint({ url: receiver.url });
  await write([fact()]);
  await handlers.updateEndpoint({ ...request, params: { id: uuid }, body: { is_enabled: false } });
  expect(await deliveries()).toMatchObject([{ state: "undelivered", reason: "endpoint_disabled" }]);
  await worker.runOnce();
  expect(receiver.received).toHaveLength(0);
  const enabled = await handlers.updateEndpoint({ ...request, params: { id: uuid }, body: { is_enabled: true } });
  expect(enabled).toMatchObject({ is_enabled: true, disabled_reason: null, disabled_at: null });
});

test("deleting an endpoint ends its deliveries and leaves their record", async () => {
  const { handlers, request, fact, write, deliveries } = delivering;
  const { uuid } = await delivering.endpoint({ url: receiver.url });
  await write([fact()]);
  await handlers.deleteEndpoint({ ...request, params: { id: uuid } });
  expect(await deliveries()).toMatchObject([{ state: "undelivered", reason: "endpoint_deleted" }]);
  expect(await statusOf(handlers.getEndpoint({ ...request, params: { id: uuid } }))).toBe(404);
  expect((await handlers.listEndpoints({ ...request, query: list })).data).toEqual([]);
  await write([fact()]);
  expect(await deliveries()).toHaveLength(1);
});

test("intake of another process that still knows a deleted endpoint loses nothing: the delivery is undelivered", async () => {
  const { request, fact, write, worker, deliveries, newNode } = delivering;
  const { uuid } = await delivering.endpoint({ url: receiver.url });
  await write([fact()]);
  const other = newNode("node-2");
  await other.handlers.deleteEndpoint({ ...request, params: { id: uuid } });
  await write([fact()]);
  await worker.runOnce();
  expect(receiver.received).toHaveLength(0);
  expect((await deliveries()).map(({ reason }) => reason)).toEqual(["endpoint_deleted", "endpoint_deleted"]);
});

test("after a rotation both secrets verify until the grace ends", async () => {
  const { handlers, request, fact, write, worker, db, tenant, book } = delivering;
  const { uuid, secret: old } = await delivering.endpoint({ url: receiver.url });
  const body = RotateEndpointSecret.parse({});
  const { secrets } = await handlers.rotateEndpointSecret({ ...request, params: { id: uuid }, body });
  expect(secrets.map(({ secret }) => secret)).toHaveLength(2);
  expect(secrets[0]).toMatchObject({ expires_at: null });
  expect(secrets[1]).toMatchObject({ secret: old, expires_at: expect.stringMatching(/Z$/) as string });
  await write([fact()]);
  await worker.runOnce();
  const first = receiver.received[0];
  for (const { secret } of secrets) {
    expect(new Webhook(secret).verify(first?.body ?? "", first?.headers as Record<string, string>)).toBeTruthy();
  }
  await db.inTransaction([tenant], (tx) =>
    tx.run("update endpoint_secrets set expires_at = now() where expires_at is not null"),
  );
  book.forget(null);
  await write([fact()]);
  await worker.runOnce();
  expect(receiver.received[1]?.headers["webhook-signature"]).not.toContain(" ");
});

test("a grace of 0 ends the old secrets at once", async () => {
  const { handlers, request } = delivering;
  const { uuid, secret: old } = await delivering.endpoint({ url });
  const rotated = await handlers.rotateEndpointSecret({ ...request, params: { id: uuid }, body: { grace_seconds: 0 } });
  expect(rotated.secrets).toHaveLength(1);
  expect(rotated.secrets[0]?.secret).not.toBe(old);
});

test("409: an eleventh secret inside the grace is refused, and nothing changes", async () => {
  const { handlers, request } = delivering;
  const { uuid } = await delivering.endpoint({ url });
  const rotate = () =>
    handlers.rotateEndpointSecret({ ...request, params: { id: uuid }, body: { grace_seconds: 604_800 } });
  for (let i = 0; i < 9; i++) await rotate();
  expect(await statusOf(rotate())).toBe(409);
  const { secrets } = await handlers.revealEndpointSecret({ ...request, params: { id: uuid } });
  expect(secrets).toHaveLength(10);
});

test("secrets are stored sealed, and every look at them is audited", async () => {
  const { handlers, request, db, tenant } = delivering;
  const { uuid, id, secret } = await delivering.endpoint({ url });
  await handlers.revealEndpointSecret({ ...request, params: { id: uuid } });
  await db.inTransaction([tenant], async (tx) => {
    const [row] = await tx.rows<{ sealed: Buffer }>("select sealed from endpoint_secrets");
    expect(row?.sealed.includes(secret)).toBe(false);
    const deeds = await tx.rows<{ action: string; subject: string; detail: object }>(
      "select action, subject, detail from audit_log order by id",
    );
    expect(deeds).toEqual([
      { action: "endpoint.created", subject: id, detail: { host: "hooks.example.com" } },
      { action: "endpoint.secret_revealed", subject: id, detail: { host: "hooks.example.com" } },
    ]);
  });
});

test("404: what belongs to another tenant is not there, whatever is asked", async () => {
  const { handlers, request, otherTenant, fact, write, deliveries } = delivering;
  const { uuid } = await delivering.endpoint({ url: receiver.url });
  await write([fact()]);
  const [delivery] = await deliveries();
  const foreign = { ...request, tenant: await otherTenant() };
  const of = (id: string | undefined) => ({ ...foreign, params: { id: id ?? "" } });
  expect(await statusOf(handlers.getEndpoint(of(uuid)))).toBe(404);
  expect(await statusOf(handlers.updateEndpoint({ ...of(uuid), body: { description: "x" } }))).toBe(404);
  expect(await statusOf(handlers.deleteEndpoint(of(uuid)))).toBe(404);
  expect(await statusOf(handlers.revealEndpointSecret(of(uuid)))).toBe(404);
  expect(await statusOf(handlers.rotateEndpointSecret({ ...of(uuid), body: { grace_seconds: 0 } }))).toBe(404);
  expect(await statusOf(handlers.getMessage(of(delivery?.message_id)))).toBe(404);
  expect(await statusOf(handlers.getDelivery(of(delivery?.id)))).toBe(404);
  expect(await statusOf(handlers.retryDelivery({ ...of(delivery?.id), query: {} }))).toBe(404);
  expect((await handlers.listDeliveries({ ...foreign, query: list })).data).toEqual([]);
  expect((await handlers.listMessages({ ...foreign, query: list })).data).toEqual([]);
});

test("a message that no endpoint got is listed with the reason and its bytes", async () => {
  const { handlers, request, fact, write } = delivering;
  await write([fact()]);
  await delivering.endpoint({ url: receiver.url, types: ["campaign.*"] });
  await write([fact()]);
  const { data } = await handlers.listMessages({ ...request, query: { ...list, unrouted: "true" } });
  expect(data.map(({ unrouted_reason }) => unrouted_reason)).toEqual(["filtered", "no_endpoint"]);
  const id = fromPublicId("message", data[0]?.id ?? "") ?? "";
  expect(await handlers.getMessage({ ...request, params: { id } })).toMatchObject({
    bodies: { standard: '{"format":"standard","text":"שלום"}' },
    deliveries: [],
  });
});

test("lists give every row once, newest first, however they are paged", async () => {
  const { handlers, request, fact, write } = delivering;
  await delivering.endpoint({ url: receiver.url });
  await write(Array.from({ length: 25 }, () => fact()));
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await handlers.listDeliveries({
      ...request,
      query: { limit: 10, ...(cursor !== undefined && { cursor }) },
    });
    seen.push(...page.data.map(({ id }) => id));
    expect(page.has_more).toBe(page.next_cursor !== null);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  expect(seen).toHaveLength(25);
  expect(seen).toEqual([...new Set(seen)].toSorted().toReversed());
});

test("422: a cursor of something else is refused", async () => {
  const { handlers, request } = delivering;
  const query = { limit: 10, cursor: toPublicId("call", request.tenant) };
  expect(await statusOf(handlers.listDeliveries({ ...request, query }))).toBe(422);
  expect(await statusOf(handlers.listMessages({ ...request, query }))).toBe(422);
  expect(await statusOf(handlers.listEndpoints({ ...request, query }))).toBe(422);
});

test("deliveries are found by state, reason, endpoint, message, call and type", async () => {
  const { handlers, request, fact, call, write, worker, deliveries } = delivering;
  receiver.answer({ status: 400 });
  const { uuid } = await delivering.endpoint({ url: receiver.url, schedule_ms: [] });
  const callId = await call();
  await write([fact({ callId }), fact({ type: "call.ended" })]);
  await worker.runOnce();
  const [first] = await deliveries();
  const found = async (query: object) =>
    (await handlers.listDeliveries({ ...request, query: { ...list, ...query } })).data.length;
  expect(await found({ state: "undelivered" })).toBe(2);
  expect(await found({ state: "delivered" })).toBe(0);
  expect(await found({ reason: "exhausted" })).toBe(2);
  expect(await found({ reason: "gone" })).toBe(0);
  expect(await found({ endpoint_id: uuid })).toBe(2);
  expect(await found({ endpoint_id: request.tenant })).toBe(0);
  expect(await found({ message_id: first?.message_id })).toBe(1);
  expect(await found({ call_id: callId })).toBe(1);
  expect(await found({ type: "call.ended" })).toBe(1);
});

test("a delivery shows its attempts with what the receiver answered", async () => {
  const { handlers, request, fact, write, worker, deliveries } = delivering;
  await delivering.endpoint({ url: receiver.url, schedule_ms: [60_000] });
  receiver.answer({ status: 500, body: "<b>שגיאה</b>", headers: { "x-request-id": "r1" } });
  await write([fact()]);
  await worker.runOnce();
  const [row] = await deliveries();
  const shown = await handlers.getDelivery({ ...request, params: { id: row?.id ?? "" } });
  expect(shown).toMatchObject({ state: "due", reason: null, attempt_count: 1, finished_at: null });
  expect(shown.next_attempt_at).not.toBeNull();
  expect(shown.attempts).toMatchObject([
    {
      number: 1,
      status: 500,
      class: "http_5xx",
      error: null,
      response_body: "<b>שגיאה</b>",
      response_headers: { "x-request-id": "r1" },
    },
  ]);
});

test("a delivery shows what was sent in each attempt, with everything secret masked", async () => {
  const { handlers, request, fact, write, worker, deliveries } = delivering;
  const headers = { "X-Region": "eu", "X-Api-Token": "t-secret", "X-Plain": { value: "p-secret", is_sensitive: true } };
  const auth = { type: "bearer", token: "b-secret" };
  await delivering.endpoint({ url: receiver.url, headers, auth });
  await write([fact()]);
  await worker.runOnce();
  const [row] = await deliveries();
  const { attempts } = await handlers.getDelivery({ ...request, params: { id: row?.id ?? "" } });
  const [got] = await receiver.waitFor(1);
  const sent = attempts[0]?.request_headers ?? {};
  expect(sent).toMatchObject({
    "X-Region": "eu",
    "X-Api-Token": "********",
    "X-Plain": "********",
    authorization: "********",
    "webhook-id": got?.headers["webhook-id"],
    "webhook-signature": got?.headers["webhook-signature"],
    "aftercall-attempt": "1",
  });
  expect(got?.headers).toMatchObject({
    "x-api-token": "t-secret",
    "x-plain": "p-secret",
    authorization: "Bearer b-secret",
  });
  const kept = await delivering.sql<{ text: string }>("select request_headers::text as text from attempt_bodies");
  expect(kept[0]?.text).not.toContain("-secret");
});

test("202: a retry by hand is one attempt now; if it fails, the schedule goes on where it was", async () => {
  const { handlers, request, fact, write, worker, deliveries } = delivering;
  await delivering.endpoint({ url: receiver.url, schedule_ms: [600_000, 600_000] });
  receiver.answer({ status: 500 });
  await write([fact()]);
  await worker.runOnce();
  const [waiting] = await deliveries();
  const params = { id: waiting?.id ?? "" };
  await handlers.retryDelivery({ ...request, params, query: {} });
  expect(await worker.runOnce()).toBe(1);
  expect(await worker.runOnce()).toBe(0);
  expect(receiver.received).toHaveLength(2);
  const [after] = await deliveries();
  expect(after).toMatchObject({ state: "due", attempt_count: 2 });
  expect(Math.abs((after?.due_in_ms ?? 0) - (waiting?.due_in_ms ?? 0))).toBeLessThan(10_000);
  for (let round = 0; round < 4; round++) {
    await delivering.makeDue();
    await worker.runOnce();
  }
  expect(receiver.received).toHaveLength(4);
  expect(await deliveries()).toMatchObject([{ state: "undelivered", reason: "exhausted", attempt_count: 4 }]);
});

test("202: two retries at once are two attempts, both recorded, and the schedule goes on where it was", async () => {
  const { handlers, request, fact, write, worker, deliveries, attempts } = delivering;
  await delivering.endpoint({ url: receiver.url, schedule_ms: [600_000] });
  receiver.answer({ status: 500 });
  await write([fact()]);
  await worker.runOnce();
  const [waiting] = await deliveries();
  const retry = () => handlers.retryDelivery({ ...request, params: { id: waiting?.id ?? "" }, query: {} });
  await Promise.all([retry(), retry()]);
  while ((await worker.runOnce()) > 0);
  expect((await attempts()).map(({ number, status }) => [number, status])).toEqual([1, 2, 3].map((n) => [n, 500]));
  const [after] = await deliveries();
  expect(after).toMatchObject({ state: "due", attempt_count: 3 });
  expect(Math.abs((after?.due_in_ms ?? 0) - (waiting?.due_in_ms ?? 0))).toBeLessThan(10_000);
});

test("202: a retry while another one is under way follows it, unless that one arrives", async () => {
  const { handlers, request, fact, write, worker, deliveries } = delivering;
  await delivering.endpoint({ url: receiver.url, schedule_ms: [] });
  receiver.answer({ status: 500 });
  await write([fact()]);
  await worker.runOnce();
  const [row] = await deliveries();
  const retry = () => handlers.retryDelivery({ ...request, params: { id: row?.id ?? "" }, query: {} });
  for (const status of [500, 200]) {
    let answer = () => {};
    const after = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const before = receiver.received.length;
    receiver.answer({ status, after });
    await retry();
    const round = worker.runOnce();
    await receiver.waitFor(before + 1);
    await retry();
    answer();
    await round;
    while ((await worker.runOnce()) > 0);
    expect(receiver.received.length - before).toBe(status === 500 ? 2 : 1);
  }
  expect(await deliveries()).toMatchObject([{ state: "delivered", attempt_count: 4 }]);
});

test("202: an undelivered one can be tried again, and stays undelivered with its reason when that fails", async () => {
  const { handlers, request, fact, write, worker, deliveries } = delivering;
  await delivering.endpoint({ url: receiver.url, schedule_ms: [] });
  receiver.answer((_request, count) => ({ status: count < 3 ? 500 : 200 }));
  await write([fact()]);
  await worker.runOnce();
  const [row] = await deliveries();
  const params = { id: row?.id ?? "" };
  expect(row).toMatchObject({ state: "undelivered", reason: "exhausted" });
  expect(await handlers.retryDelivery({ ...request, params, query: {} })).toMatchObject({ state: "due", reason: null });
  await worker.runOnce();
  expect(await deliveries()).toMatchObject([{ state: "undelivered", reason: "exhausted", attempt_count: 2 }]);
  await handlers.retryDelivery({ ...request, params, query: {} });
  await worker.runOnce();
  expect(await deliveries()).toMatchObject([{ state: "delivered", reason: null, attempt_count: 3 }]);
});

test("409: what has arrived, or whose endpoint is disabled, is not tried again", async () => {
  const { handlers, request, fact, write, worker, deliveries } = delivering;
  const { uuid } = await delivering.endpoint({ url: receiver.url, schedule_ms: [] });
  await write([fact()]);
  await worker.runOnce();
  receiver.answer({ status: 500 });
  await write([fact()]);
  await worker.runOnce();
  await handlers.updateEndpoint({ ...request, params: { id: uuid }, body: { is_enabled: false } });
  const [arrived, failed] = await deliveries();
  expect(await statusOf(handlers.retryDelivery({ ...request, params: { id: arrived?.id ?? "" }, query: {} }))).toBe(
    409,
  );
  expect(await statusOf(handlers.retryDelivery({ ...request, params: { id: failed?.id ?? "" }, query: {} }))).toBe(409);
});

test("an address that is not allowed is never dialled, kept as such for the operator, and shown like a closed port", async () => {
  const { handlers, request, fact, write, deliveries, attempts } = delivering;
  const guarded = await startDelivering(delivering.db, { privateTargets: [] });
  await guarded.endpoint({ url: receiver.url });
  await guarded.write([guarded.fact()]);
  await guarded.worker.runOnce();
  expect(receiver.received).toHaveLength(0);
  const [row] = await guarded.deliveries();
  expect(row).toMatchObject({ state: "due", attempt_count: 1 });
  expect(row?.due_in_ms).toBeGreaterThan(3_000);
  expect(await guarded.attempts()).toMatchObject([{ class: "blocked_target", status: 0 }]);
  const blocked = await guarded.handlers.getDelivery({ ...guarded.request, params: { id: row?.id ?? "" } });

  const closed = await startReceiver();
  await closed.close();
  await delivering.endpoint({ url: closed.url });
  await write([fact()]);
  await delivering.worker.runOnce();
  expect(await attempts()).toMatchObject([{ class: "connect", status: 0 }]);
  const refusedOne = await handlers.getDelivery({ ...request, params: { id: (await deliveries())[0]?.id ?? "" } });
  const said = ({ attempts: [one] }: typeof blocked) => ({ class: one?.class, error: one?.error, status: one?.status });
  expect(said(blocked)).toEqual(said(refusedOne));
  await guarded.close();
});
