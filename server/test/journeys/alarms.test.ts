import { eventTypes, type EventTypeName } from "@aftercall/contract/events.ts";
import { fromPublicId } from "@aftercall/contract/id.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { composeAlarms } from "#/app/alarms.ts";
import { createEndpointBook } from "#/delivery/endpoints/book.ts";
import { createIds } from "#/kernel/ids.ts";
import { createSecretBox } from "#/kernel/secrets.ts";

import { environment, startTestApp, type TestApp } from "../harness/app.ts";
import { createFakeClock } from "../harness/clock.ts";
import { type Customer, makeCustomer, newUuid } from "../harness/customer.ts";
import { startReceiver, type Receiver } from "../harness/receiver.ts";
import { startTwoServers } from "../live/servers.ts";

let app: TestApp;
let receiver: Receiver;
beforeAll(async () => {
  // It delivers nothing and looks at nothing by itself: what is due stays due.
  app = await startTestApp({ AFTERCALL_ROLE: "api" });
  receiver = await startReceiver();
});
afterAll(async () => {
  await receiver.close();
  await app.stop();
});

const minute = 60_000;
const hour = 60 * minute;

/** A customer with a source and somebody who is told of its operation, watched by a clock that is moved by hand. */
async function scene() {
  const customer = await makeCustomer(app);
  const { source } = await customer.connect("vapi");
  const clock = createFakeClock();
  const book = createEndpointBook({ clock, box: createSecretBox(environment()["AFTERCALL_SECRET"] ?? "") });
  const config = { sourceSilentMinutes: 60, sourceRejectingPercent: 50, queueLaggingSeconds: 60 };
  const alarms = composeAlarms({ db: app.db, clock, ids: createIds(clock), book, config });
  const line = {
    tenant_id: customer.tenantId,
    source_id: fromPublicId("source", source.id),
    provider: "vapi",
  } as const;
  const more = { route: "own", verification: null, problem: null, status: 200, body_bytes: 1, events: [] } as const;
  const times = { verify_ms: 1, stored_ms: 1, duration_ms: 1 };
  const observe = (result: string, code: string | null = null) =>
    alarms.observe({ ...line, ...more, ...times, result, code });
  return {
    customer,
    source,
    clock,
    receive: () => observe("stored"),
    refuse: (count: number) => Array.from({ length: count }, () => observe("unauthorized", "wrong_signature")),
    /** Lets time pass and looks, twice as another process does at the same time. */
    async look(ms: number) {
      await clock.advance(ms);
      await alarms.counting.run();
      await Promise.all([alarms.watching.run(), alarms.watching.run()]);
    },
    count: () => alarms.counting.run(),
    listen: () =>
      customer.post("/v1/endpoints", { url: receiver.url, kind: "operational", types: ["source.*", "queue.*"] }),
    told: () => told(customer),
  };
}

/** The operational messages of a customer, oldest first, each in the shape of the catalogue. */
async function told(customer: Customer): Promise<{ type: string; data: Record<string, unknown> }[]> {
  const { data } = await customer.get("/v1/messages?limit=100");
  const messages: { id: string; type: string }[] = data.toReversed();
  const bodies = await Promise.all(messages.map(({ id }) => customer.get(`/v1/messages/${id}`)));
  return bodies.map(({ bodies: { standard } }) => {
    const { type, data: said } = JSON.parse(standard) as { type: EventTypeName; data: Record<string, unknown> };
    expect(eventTypes[type].data.parse(said)).toEqual(said);
    return { type, data: said };
  });
}

test("a source that goes quiet is told of once, and once when it is back", async () => {
  const { receive, count, look, listen, told: heard, clock, source } = await scene();
  await listen();
  for (let n = 0; n < 8 * 24; n++) {
    receive();
    await count();
    await clock.advance(hour);
  }
  await look(30 * minute);
  expect(await heard()).toEqual([]);
  await look(hour);
  for (let n = 0; n < 3; n++) await look(hour);
  const ref = { id: source.id, slug: source.slug, provider: "vapi", name: source.name };
  const silent = { type: "source.silent", data: { source: ref, last_event_at: expect.any(String) } };
  expect(await heard()).toEqual([silent]);
  receive();
  await look(minute);
  await look(minute);
  const since = expect.any(String);
  expect(await heard()).toEqual([
    silent,
    { type: "source.recovered", data: { source: ref, was: "source.silent", since } },
  ]);
});

test("a source half of whose requests are refused is told of once, and once when they are not any more", async () => {
  const { receive, refuse, look, listen, told: heard } = await scene();
  await listen();
  refuse(9);
  await look(minute);
  expect(await heard()).toEqual([]);
  refuse(6);
  for (let n = 0; n < 15; n++) receive();
  await look(minute);
  await look(minute);
  const rejecting = {
    type: "source.rejecting",
    data: { source: expect.anything(), since: expect.any(String), refused_count: 15, reasons: { wrong_signature: 15 } },
  };
  expect(await heard()).toEqual([rejecting]);
  // Less than half, and not yet less than a quarter: neither is said.
  for (let n = 0; n < 20; n++) receive();
  await look(minute);
  expect(await heard()).toEqual([rejecting]);
  await look(15 * minute);
  expect((await heard()).map(({ type }) => type)).toEqual(["source.rejecting", "source.recovered"]);
});

test("a queue that is late for five minutes is told of once, and once when it is not any more", async () => {
  const { customer, look, listen, told: heard } = await scene();
  await listen();
  const endpoint = await customer.subscribe(receiver, { types: ["call.ended"] });
  const line = await customer.connect("vapi");
  await line.own({
    message: { type: "end-of-call-report", timestamp: 1, call: { id: newUuid() }, endedReason: "customer-ended-call" },
  });
  const due = (ago: string) =>
    app.db.inTransaction([customer.tenantId], (tx) =>
      tx.run("update deliveries set due_at = now() - $2::interval where tenant_id = $1 and endpoint_id = $3", [
        customer.tenantId,
        ago,
        fromPublicId("endpoint", endpoint.id),
      ]),
    );
  const types = async () => (await heard()).map(({ type }) => type).filter((type) => type.startsWith("queue."));
  await due("90 seconds");
  await look(minute);
  await look(4 * minute);
  expect(await types()).toEqual([]);
  await look(minute);
  await look(minute);
  expect(await types()).toEqual(["queue.lagging"]);
  // What the endpoint holds up itself is not ours.
  await customer.ask("PATCH", `/v1/endpoints/${endpoint.id}`, { rate: { limit: 1, per_seconds: 60, burst: 1 } });
  await look(minute);
  await look(4 * minute);
  expect(await types()).toEqual(["queue.lagging"]);
  await look(minute);
  await look(minute);
  expect(await types()).toEqual(["queue.lagging", "queue.recovered"]);
});

test("what nobody listens to is not looked at; what goes on when somebody begins to is told then", async () => {
  const { refuse, look, listen, told: heard } = await scene();
  refuse(20);
  await look(minute);
  expect(await heard()).toEqual([]);
  await listen();
  await look(minute);
  expect((await heard()).map(({ type }) => type)).toEqual(["source.rejecting"]);
});

test("what webhooks become is counted by the process that took them, at the latest when it stops", async () => {
  const { servers, stop } = await startTwoServers();
  const [one, other] = servers;
  const customer = await makeCustomer(one);
  const line = await customer.connect("vapi");
  const body = () => ({ message: { type: "hang", timestamp: 1, call: { id: newUuid() } } });
  expect((await line.own(body())).status).toBe(200);
  const { body: signed } = line.sign(body());
  const refused = await one.post(`/webhooks/${line.source.slug}`, {
    headers: { "content-type": "application/json" },
    body: signed,
  });
  expect(refused.status).toBe(401);
  await one.stop();
  const rows = await other.db.inTransaction([customer.tenantId], (tx) =>
    tx.rows<{ days: { count: number }[]; minutes: { received: number; refused: number }[] }>(
      "select days, minutes from source_traffic",
    ),
  );
  expect(rows).toMatchObject([{ days: [{ count: 1 }], minutes: [{ received: 1, refused: 1 }] }]);
  await stop();
});
