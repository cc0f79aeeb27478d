import { DeliveryFrame, type ServerFrame } from "@aftercall/contract/live-frames.ts";
import { streamItems } from "@aftercall/contract/live.ts";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { makeKey } from "../harness/api.ts";
import { type Customer, makeCustomer, newUuid } from "../harness/customer.ts";
import { type Receiver, startReceiver } from "../harness/receiver.ts";
import { follow, openSocket, type StreamItem } from "./clients.ts";
import { type LiveServer, type LiveServers, startTwoServers } from "./servers.ts";

/** Longer than any machine takes. */
const patience = { timeout: 25_000 };
let live: LiveServers;
let one: LiveServer;
let other: LiveServer;
let receiver: Receiver;
let customer: Customer;
beforeAll(async () => {
  live = await startTwoServers();
  [one, other] = live.servers;
});
afterAll(() => live.stop());
beforeEach(async () => {
  receiver = await startReceiver();
  customer = await makeCustomer(one);
  return () => receiver.close();
});

const topics = "deliveries";
const is = (type: string) => (item: StreamItem) => item.data.types?.includes(type) === true;
const subscribe = (changes: Record<string, unknown> = {}) =>
  customer.subscribe(receiver, { types: ["call.ended"], ...changes });

/** Calls of the customer, each of which ends at once and makes one message. */
async function ender(of = customer): Promise<() => Promise<unknown>> {
  const line = await of.connect("vapi");
  return async () => {
    const message = { type: "end-of-call-report", timestamp: Date.now(), call: { id: newUuid() } };
    const { status } = await line.own({ message: { ...message, endedReason: "customer-ended-call" } });
    expect(status).toBe(200);
  };
}

test("200: that an attempt failed, and when the next one is due; then that it arrived, each as it stands in the list", async () => {
  const { id: endpoint } = await subscribe();
  const end = await ender();
  const client = await follow(other.url, customer.key, { topics });
  receiver.answer((_request, count) => ({ status: count === 1 ? 500 : 204 }));
  await end();
  const [failed] = await client.until(is("delivery.failed"));
  expect(streamItems.delivery.parse(failed?.data)).toEqual(failed?.data);
  expect(failed).toMatchObject({
    event: "delivery",
    data: {
      types: ["delivery.failed"],
      delivery: { endpoint_id: endpoint, type: "call.ended", state: "due", attempt_count: 1 },
      attempt: { number: 1, trigger: "schedule", status: 500, class: "http_5xx" },
    },
  });
  const { id, next_attempt_at } = streamItems.delivery.parse(failed?.data).delivery;
  expect(Date.parse(next_attempt_at ?? "")).toBeGreaterThan(Date.parse(failed?.data.at));
  expect((await customer.get(`/v1/deliveries/${id}`)).next_attempt_at).toBe(next_attempt_at);

  await customer.post(`/v1/deliveries/${id}/retry`, {});
  const arrived = (await client.until(is("delivery.succeeded"))).find(is("delivery.succeeded"));
  const { attempts, ...listed } = await customer.get(`/v1/deliveries/${id}`);
  expect(arrived?.data).toMatchObject({
    delivery: listed,
    attempt: { number: 2, status: 204, class: "ok", error: null },
  });
  expect(attempts).toHaveLength(2);
  client.cut();
});

test("200: what is given up comes with the reason, and the endpoint that is gone as disabled", async () => {
  const { id: endpoint } = await subscribe();
  const end = await ender();
  const client = await follow(other.url, customer.key, { topics });
  receiver.answer({ status: 410 });
  await end();
  const items = await client.until(is("endpoint.disabled"));
  expect(items.find(is("delivery.undelivered"))?.data).toMatchObject({
    delivery: { state: "undelivered", reason: "gone", next_attempt_at: null },
    attempt: { status: 410, class: "gone" },
  });
  const disabled = items.find(({ event }) => event === "endpoint");
  expect(streamItems.endpoint.parse(disabled?.data)).toEqual(disabled?.data);
  expect(disabled?.data).toMatchObject({ endpoint_id: endpoint, details: { reason: "gone" } });
  client.cut();
});

test("200: who was cut off hears from the other server what came meanwhile, each once", async () => {
  await subscribe();
  const end = await ender();
  const client = await follow(one.url, customer.key, { topics });
  const idsOf = (items: readonly StreamItem[]) => items.map(({ data }) => data.delivery.id as string);
  await end();
  await client.until(is("delivery.succeeded"));
  const heard = idsOf(client.items);
  client.cut();
  for (let count = 0; count < 5; count++) await end();
  await receiver.waitFor(6);
  const back = await follow(other.url, customer.key, { topics, lastEventId: client.lastEventId() });
  await end();
  await back.until(() => back.items.length >= 6);
  const all = [...heard, ...idsOf(back.items)];
  const listed = (await customer.get("/v1/deliveries?limit=100")).data.map(({ id }: { id: string }) => id);
  expect(all.toSorted()).toEqual(listed.toSorted());
  back.cut();
});

test("nothing is written for a tenant of which nobody follows deliveries", async () => {
  await subscribe();
  const end = await ender();
  const calls = await follow(one.url, customer.key, { topics: "calls" });
  await end();
  await receiver.waitFor(1);
  const isDone = async () => (await customer.get("/v1/deliveries")).data[0]?.state;
  await expect.poll(isDone, patience).toBe("delivered");
  const kinds = await one.db.inTransaction([customer.tenantId], (tx) =>
    tx.rows<{ kind: string }>("select distinct kind from changes"),
  );
  expect(kinds).toEqual([{ kind: "call" }]);
  calls.cut();
});

test("200: a cursor from before deliveries were followed is answered by a reset: what came between was not kept", async () => {
  await subscribe();
  const end = await ender();
  const calls = await follow(one.url, customer.key, { topics: "calls" });
  await end();
  await calls.until(({ event }) => event === "call");
  calls.cut();
  const lastEventId = calls.lastEventId();
  const both = await follow(other.url, customer.key, { topics: "calls,deliveries", lastEventId });
  await both.until(({ event }) => event === "reset");
  await end();
  await both.until(is("delivery.succeeded"));
  expect(both.items[0]?.data).toEqual({ reason: "too_old" });
  both.cut();
});

test("200: nothing of another tenant's deliveries, and nothing for who asked for calls", async () => {
  await subscribe();
  const stranger = await makeCustomer(one);
  const [spy, calls, own] = await Promise.all([
    follow(one.url, stranger.key, { topics }),
    follow(one.url, customer.key, { topics: "calls" }),
    follow(one.url, customer.key, { topics }),
  ]);
  await (
    await ender()
  )();
  await own.until(is("delivery.succeeded"));
  const endTheirs = await ender(stranger);
  await stranger.subscribe(receiver, { types: ["call.ended"] });
  await endTheirs();
  await spy.until(is("delivery.succeeded"));
  expect(spy.items).toHaveLength(1);
  const [theirs] = (await stranger.get("/v1/deliveries")).data;
  expect(spy.items[0]?.data.delivery.id).toBe(theirs.id);
  await calls.until(({ event }) => event === "call");
  expect(calls.items.every(({ event }) => event === "call")).toBe(true);
  for (const client of [spy, calls, own]) client.cut();
});

test("403: an embed token and a key without the scope do not follow deliveries, by either way", async () => {
  const { token } = await customer.post("/v1/embed-tokens", { business_id: "10" });
  const { key } = await customer.post("/v1/api-keys", { name: "calls", role: "viewer", scopes: ["calls:read"] });
  for (const credential of [token, key]) {
    expect((await follow(one.url, credential, { topics: "calls,deliveries" })).status).toBe(403);
    const socket = await openSocket(one.url, credential);
    socket.send({ action: "subscribe", identifier: "deliveries" });
    const [refusal] = await socket.until(({ type }) => type === "error");
    expect(refusal).toMatchObject({ type: "error", code: "forbidden" });
    socket.close();
  }
  const viewer = await makeKey(one.db, customer.tenantId, "viewer");
  const client = await follow(one.url, viewer, { topics });
  expect(client.status).toBe(200);
  client.cut();
});

test("a socket subscribes to deliveries, and after a cut resumes without missing or repeating one", async () => {
  await subscribe();
  const end = await ender();
  const first = await openSocket(one.url, customer.key);
  expect(await first.subscribe("deliveries")).toMatchObject({ kind: "deliveries", call_id: null });
  await end();
  const isDelivery = (frame: ServerFrame) => frame.type === "delivery";
  const frames = [...(await first.until(isDelivery))];
  first.close();
  const cursor = frames.flatMap((frame) => ("cursor" in frame ? (frame.cursor ?? []) : [])).at(-1);
  await end();
  await end();
  await receiver.waitFor(3);
  const second = await openSocket(other.url, customer.key);
  second.send({ action: "resume", cursor, identifiers: ["deliveries"] });
  await end();
  await second.until(() => second.frames.filter(isDelivery).length >= 3);
  const told = [...frames, ...second.frames].filter(isDelivery).map((frame) => DeliveryFrame.parse(frame).delivery.id);
  expect(new Set(told).size).toBe(4);
  expect(told).toHaveLength(4);
  second.close();
});

test("who waits for all calls is told of no delivery", async () => {
  await subscribe();
  const end = await ender();
  const [all, deliveries] = await Promise.all([openSocket(one.url, customer.key), openSocket(one.url, customer.key)]);
  await all.subscribe("*");
  await deliveries.subscribe("deliveries");
  await end();
  await deliveries.until(({ type }) => type === "delivery");
  await all.until(({ type }) => type === "data");
  expect(all.frames.map(({ type }) => type)).toEqual(["subscribed", "status", "data"]);
  for (const socket of [all, deliveries]) socket.close();
});
