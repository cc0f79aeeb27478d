import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newUuid, type Customer, type Line } from "../harness/customer.ts";
import { startReceiver, type Receiver } from "../harness/receiver.ts";
import { follow } from "../live/clients.ts";

let app: TestApp;
let receiver: Receiver;
let customer: Customer;
let vapi: Line;
beforeAll(async () => {
  app = await startTestApp();
  receiver = await startReceiver();
  customer = await makeCustomer(app);
  vapi = await customer.connect("vapi");
});
afterAll(async () => {
  await receiver.close();
  await app.stop();
});

async function register(more: Record<string, unknown> = {}): Promise<{ id: string; providerId: string }> {
  const providerId = newUuid();
  const { id } = await customer.post("/v1/calls", { provider: "vapi", provider_call_id: providerId, ...more });
  return { id, providerId };
}

async function end(providerId: string, line: Line = vapi): Promise<void> {
  const report = { type: "end-of-call-report", endedReason: "customer-ended-call", call: { id: providerId } };
  expect((await line.own({ message: report })).status).toBe(200);
}

describe("the timeline of a call", () => {
  test("200: what came in, what was done, what went out and how that went, in order", async () => {
    const own = await makeCustomer(app);
    const endpoint = await own.subscribe(receiver);
    const line = await own.connect("vapi");
    const providerId = newUuid();
    const { id } = await own.post("/v1/calls", { provider: "vapi", provider_call_id: providerId });
    const before = receiver.received.length;
    await end(providerId, line);
    await receiver.waitFor(before + 2);
    const [event] = await own.events();
    await own.post(`/v1/events/${event?.id}/replay`, {});
    await own.ask("PATCH", `/v1/calls/${id}`, { metadata: { crm: 1 } });

    const timeline = async () => (await own.get(`/v1/calls/${id}/timeline`)) as { data: Record<string, unknown>[] };
    // An attempt is written when it is over, which the receiver does not know of.
    let data: Record<string, unknown>[] = [];
    while (data.filter(({ kind }) => kind === "attempt").length < 2) ({ data } = await timeline());
    expect(data.map(({ at }) => at)).toEqual(data.map(({ at }) => at).toSorted());
    const kinds = data.map(({ kind }) => kind);
    expect(kinds[0]).toBe("change");
    expect(kinds.slice(1, 2)).toEqual(["event"]);
    const counts = Object.fromEntries([...Map.groupBy(kinds, String)].map(([kind, all]) => [kind, all.length]));
    expect(counts).toEqual({ change: 2, event: 1, application: 1, message: 2, delivery: 2, attempt: 2 });
    expect(data.find(({ kind }) => kind === "event")).toMatchObject({
      event_id: event?.id,
      type: "end-of-call-report",
      effect: "applied",
      status_after: "ended",
    });
    expect(data.find(({ kind }) => kind === "delivery")).toMatchObject({
      endpoint_id: endpoint.id,
      state: "delivered",
    });
    expect(data.find(({ kind }) => kind === "attempt")).toMatchObject({ number: 1, status: 200, class: "ok" });
    expect(data.filter(({ kind }) => kind === "change").map(({ action }) => action)).toEqual([
      "call.registered",
      "call.updated",
    ]);
  });

  test("404: of another tenant's call", async () => {
    const { id } = await register();
    const stranger = await makeCustomer(app);
    expect((await stranger.ask("GET", `/v1/calls/${id}/timeline`)).status).toBe(404);
  });
});

describe("PATCH of a call", () => {
  const patch = (id: string, body: unknown) => customer.ask("PATCH", `/v1/calls/${id}`, body);

  test("200: metadata is merged, null takes away, what is not named stays, and who listens is told", async () => {
    const { id } = await register({ metadata: { crm: { id: 7, open: true }, tags: ["a"] }, lead_id: "1" });
    const stream = await follow(app.url, customer.key, { topics: `call:${id}` });
    const first = await patch(id, { metadata: { crm: { open: null, stage: 2 }, note: "x" }, business_id: "10" });
    expect(first.json).toMatchObject({
      metadata: { crm: { id: 7, stage: 2 }, tags: ["a"], note: "x" },
      business_id: "10",
      lead_id: "1",
      version: 2,
    });
    expect(first.json.metadata.crm).not.toHaveProperty("open");
    const [item] = await stream.until(({ data }) => data.call?.version === 2);
    expect(item?.data.types).toEqual(["call.updated"]);
    const second = await patch(id, { metadata: { note: null, tags: null, crm: null } });
    expect(second.json.metadata).toEqual({});
    stream.cut();
  });

  test("200: events that come later do not undo it", async () => {
    const { id, providerId } = await register();
    await patch(id, { customer_name: "דנה לוי", metadata: { a: 1 } });
    await end(providerId);
    expect(await customer.get(`/v1/calls/${id}`)).toMatchObject({
      status: "ended",
      customer_name: "דנה לוי",
      metadata: { a: 1 },
    });
  });

  test("200: it is audited, without what people wrote", async () => {
    const { id } = await register();
    await patch(id, { metadata: { secret_note: "hush" } });
    const { data } = await customer.get(`/v1/audit-log?subject=${id}&action=call.updated`);
    expect(data).toMatchObject([{ detail: { changed: ["metadata"], metadata_keys: ["secret_note"] } }]);
    expect(JSON.stringify(data)).not.toContain("hush");
  });

  test("412: somebody changed it since it was read", async () => {
    const { id } = await register();
    const etag = (await customer.ask("GET", `/v1/calls/${id}`)).headers.get("etag") ?? "";
    await patch(id, { lead_id: "2" });
    const late = await fetch(`${app.url}/v1/calls/${id}`, {
      method: "PATCH",
      headers: { authorization: `Bearer ${customer.key}`, "content-type": "application/json", "if-match": etag },
      body: JSON.stringify({ lead_id: "3" }),
    });
    expect(late.status).toBe(412);
    expect((await customer.get(`/v1/calls/${id}`)).lead_id).toBe("2");
  });

  test("422: more than a record can hold, all together", async () => {
    const { id } = await register();
    const half = "x".repeat(40_000);
    expect((await patch(id, { metadata: { a: half } })).status).toBe(200);
    const { status, json } = await patch(id, { metadata: { b: half } });
    expect([status, json.errors[0].pointer]).toEqual([422, "/metadata"]);
  });
});

describe("a campaign", () => {
  test("201: calls are added, all or none, and counted", async () => {
    const { id } = await customer.post("/v1/campaigns", { name: "Spring" });
    const calls = [1, 2, 3].map((i) => ({ provider: "vapi", provider_call_id: newUuid(), lead_id: String(i) }));
    const { status, json } = await customer.ask("POST", `/v1/campaigns/${id}/calls`, { calls });
    expect(status).toBe(201);
    expect(json.data.map((call: { campaign_id: string; lead_id: string }) => [call.campaign_id, call.lead_id])).toEqual(
      ["1", "2", "3"].map((lead) => [id, lead]),
    );
    const more = [
      { provider: "vapi", provider_call_id: newUuid() },
      { provider: "nobody", provider_call_id: "x" },
    ];
    const refused = await customer.ask("POST", `/v1/campaigns/${id}/calls`, { calls: more });
    expect([refused.status, refused.json.errors[0].pointer]).toEqual([422, "/calls/1/provider"]);
    expect(await customer.get(`/v1/campaigns/${id}/progress`)).toMatchObject({ total: 3, active: 3 });
  });

  test("200: paused, nothing of its calls goes out, and all of it when it goes on; other calls do not wait", async () => {
    const own = await makeCustomer(app);
    const line = await own.connect("vapi");
    const to = await startReceiver();
    await own.subscribe(to, { types: ["call.ended"] });
    const campaign = await own.post("/v1/campaigns", { name: "Paused" });
    const ids = [newUuid(), newUuid()];
    const calls = ids.map((id) => ({ provider: "vapi", provider_call_id: id }));
    const added = await own.post(`/v1/campaigns/${campaign.id}/calls`, { calls });
    const paused = await own.post(`/v1/campaigns/${campaign.id}/pause`, {});
    expect(paused.deliveries_paused_at).not.toBeNull();
    for (const id of ids) await end(id, line);
    await end(newUuid(), line);
    const [first] = await to.waitFor(1);
    expect(first?.body.toString()).not.toContain(campaign.id);
    const { data } = await own.get("/v1/held?cause=campaign_paused");
    expect(data.map((one: { call_id: string }) => one.call_id).toSorted()).toEqual(
      added.data.map((one: { id: string }) => one.id).toSorted(),
    );
    expect(to.received).toHaveLength(1);

    const resumed = await own.post(`/v1/campaigns/${campaign.id}/resume`, {});
    expect(resumed.deliveries_paused_at).toBeNull();
    await to.waitFor(3);
    expect((await own.get("/v1/held")).data).toEqual([]);
    const audit = await own.get(`/v1/audit-log?subject=${campaign.id}`);
    expect(audit.data.map((one: { action: string; detail: unknown }) => [one.action, one.detail])).toEqual([
      ["campaign.resumed", { deliveries: 2 }],
      ["campaign.paused", { deliveries: 0 }],
      ["campaign.created", {}],
    ]);
    await to.close();
  });

  test("200: what was being tried again waits as well", async () => {
    const own = await makeCustomer(app);
    const line = await own.connect("vapi");
    const to = await startReceiver();
    let letItFail = () => {};
    const gate = new Promise<void>((resolve) => (letItFail = resolve));
    to.answer({ status: 500, after: gate });
    await own.subscribe(to, { types: ["call.ended"] });
    const campaign = await own.post("/v1/campaigns", { name: "Failing" });
    const id = newUuid();
    await own.post(`/v1/campaigns/${campaign.id}/calls`, { calls: [{ provider: "vapi", provider_call_id: id }] });
    await end(id, line);
    await to.waitFor(1);
    await own.post(`/v1/campaigns/${campaign.id}/pause`, {});
    letItFail();
    let held: { cause: string }[] = [];
    while (held.length === 0) held = (await own.get("/v1/held")).data;
    expect(held).toMatchObject([{ cause: "campaign_paused" }]);
    expect(to.received).toHaveLength(1);
    to.answer({ status: 200 });
    await own.post(`/v1/campaigns/${campaign.id}/resume`, {});
    await to.waitFor(2);
    await to.close();
  });
});

describe("usage", () => {
  test("200: each day of the range with what it brought, and the sum", async () => {
    const own = await makeCustomer(app);
    const line = await own.connect("vapi");
    const to = await startReceiver();
    await own.subscribe(to);
    for (let i = 0; i < 2; i++) await end(newUuid(), line);
    await to.waitFor(4);
    let usage = await own.get("/v1/usage");
    while (usage.total.attempts < 4) usage = await own.get("/v1/usage");
    expect(usage.total).toEqual({ events: 2, calls: 2, messages: 4, deliveries: 4, attempts: 4 });
    expect(usage.data).toHaveLength(30);
    expect(usage.data.at(-1)).toEqual({ day: usage.to, ...usage.total });
    expect(
      (await own.get("/v1/usage?from=2026-01-01&to=2026-01-03")).data.map(({ day }: { day: string }) => day),
    ).toEqual(["2026-01-01", "2026-01-02", "2026-01-03"]);
    await to.close();
  });

  test.each(["from=2026-01-02&to=2026-01-01", "from=2026-01-01&to=2026-04-30", "from=yesterday", "to=2026-02-30"])(
    "422: %s",
    async (query) => {
      expect((await customer.ask("GET", `/v1/usage?${query}`)).status).toBe(422);
    },
  );
});
