import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { type Customer, makeCustomer, newUuid, randomToken } from "../harness/customer.ts";
import { fixture } from "../harness/fixture.ts";
import { fileOf, pastCall } from "../harness/import.ts";
import { startReceiver } from "../harness/receiver.ts";

let app: TestApp;
let customer: Customer;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());
beforeEach(async () => {
  customer = await makeCustomer(app);
});

const send = (file: string, { of = customer, query = "" }: { of?: Customer; query?: string } = {}) =>
  of.import(file, `/v1/imports${query}`);

async function messages(of: Customer): Promise<string[]> {
  await of.settled();
  const { data } = await of.get("/v1/messages?limit=100");
  return data.map((message: { type: string }) => message.type);
}

test("201: every line becomes a call with its words; bad lines are named and stop nothing; nothing is sent to endpoints", async () => {
  const receiver = await startReceiver();
  await customer.subscribe(receiver);
  const ids = [randomToken("call"), randomToken("call")];
  const file = fileOf([pastCall(ids[0] ?? ""), "{broken", "", pastCall(ids[1] ?? ""), { status: "completed" }]);
  const { status, json } = await send(file);
  expect(status).toBe(201);
  expect(json).toMatchObject({
    state: "done",
    is_delivered: false,
    line_count: 5,
    applied_count: 2,
    repeated_count: 0,
    skipped_count: 1,
    failed_count: 2,
    byte_count: Buffer.byteLength(file),
    failures: [{ line: 2 }, { line: 5, reason: "Nothing in it names a call" }],
  });
  expect(await customer.get(`/v1/imports/${json.id}`)).toEqual(json);

  const calls = await customer.calls();
  expect(calls.map((call) => call.provider_call_id).toSorted()).toEqual(ids.toSorted());
  expect(calls[0]).toMatchObject({
    status: "ended",
    outcome: "completed",
    duration_ms: 26_000,
    from: "+972501234567",
  });
  const transcript = await customer.get(`/v1/calls/${calls[0]?.id}/transcript`);
  expect(transcript.turns).toHaveLength(2);
  const [event] = await customer.events();
  expect(event).toMatchObject({ verification: "import", effect: "applied" });
  expect(await messages(customer)).toEqual([]);

  // Also not when an event is run again, or a further webhook of the call comes.
  await customer.post(`/v1/events/${event?.id}/replay`, {});
  expect(await messages(customer)).toEqual([]);
  expect(receiver.received).toEqual([]);
  await receiver.close();
});

test("deliver=true sends what follows from the calls, and a call that is told already is not silenced", async () => {
  const receiver = await startReceiver();
  await customer.subscribe(receiver);
  const [first, second] = [randomToken("call"), randomToken("call")];
  await send(fileOf([pastCall(first)]), { query: "?deliver=true" });
  expect((await messages(customer)).filter((type) => type === "call.completed")).toHaveLength(1);

  await send(fileOf([{ id: second, status: "in_progress" }]), { query: "?deliver=true" });
  await send(fileOf([pastCall(second)]));
  expect((await messages(customer)).filter((type) => type === "call.completed")).toHaveLength(2);
  await receiver.close();
});

test("a campaign of imported calls completes without a word, and aloud when a call ends in it that came by itself", async () => {
  const receiver = await startReceiver();
  await customer.subscribe(receiver);
  const campaign = randomToken("campaign");
  await send(fileOf([1, 2].map(() => ({ ...pastCall(randomToken("call")), campaign_id: campaign }))));
  const completed = async () => (await messages(customer)).filter((type) => type === "campaign.completed");
  const [shown] = (await customer.get("/v1/campaigns")).data;
  expect(shown).toMatchObject({ external_id: campaign, status: "completed", progress: { statuses: { ended: 2 } } });
  expect(await completed()).toEqual([]);

  const vapi = await customer.connect("vapi");
  const id = newUuid();
  await customer.post("/v1/calls", { provider: "vapi", provider_call_id: id, campaign });
  await vapi.own({ type: "call.ended", call: { id, endedReason: "customer-ended-call" } });
  expect(await completed()).toHaveLength(1);
  await send(fileOf([{ ...pastCall(randomToken("call")), campaign_id: campaign }]));
  expect(await completed()).toHaveLength(1);

  const asked = randomToken("campaign");
  await send(fileOf([{ ...pastCall(randomToken("call")), campaign_id: asked }]), { query: "?deliver=true" });
  expect(await completed()).toHaveLength(2);
  await receiver.close();
});

test("feedback on an imported practice call is there, and no training.feedback_ready is sent", async () => {
  const practice = await startReceiver();
  practice.answer({ status: 200, body: fixture("wonderful", "real-ish/transcript-records.json") });
  const wonderful = await customer.connect("wonderful", { setup: { api: { base_url: practice.url } } });
  const sessions = [newUuid(), newUuid()];
  for (const session_id of sessions) await customer.post("/v1/training-sessions", { session_id });
  const lines = sessions.map((session_id) => ({ communication_id: randomToken("comm"), session_id }));
  await send(fileOf(lines.slice(0, 1)), { query: `?source=${wonderful.source.slug}` });
  await send(fileOf(lines.slice(1)), { query: `?source=${wonderful.source.slug}&deliver=true` });
  const ready = async () => {
    for (;;) {
      const { data } = await customer.get("/v1/training-sessions");
      if (data.every((one: { state: string }) => one.state === "ready")) return data.length;
      await systemClock.sleep(20);
    }
  };
  expect(await ready()).toBe(2);
  expect((await messages(customer)).filter((type) => type === "training.feedback_ready")).toHaveLength(1);
  await practice.close();
});

test("the same Idempotency-Key again gives the first answer, and reads no file", async () => {
  const headers = {
    authorization: `Bearer ${customer.key}`,
    "content-type": "application/x-ndjson",
    "idempotency-key": newUuid(),
  };
  const post = async (body: string) => {
    const answer = await fetch(`${app.url}/v1/imports`, { method: "POST", headers, body });
    return { replayed: answer.headers.get("idempotency-replayed"), json: await answer.json() };
  };
  const first = await post(fileOf([pastCall(randomToken("call"))]));
  const again = await post(fileOf([pastCall(randomToken("call"))]));
  expect([first.replayed, again.replayed, again.json]).toEqual([null, "true", first.json]);
  expect(await customer.calls()).toHaveLength(1);
  expect((await customer.get("/v1/imports")).data).toHaveLength(1);
});

test("429 and the draft headers: files count as any other request", async () => {
  const answer = await customer.import("{}\n");
  expect(answer.headers.get("ratelimit-policy")).toMatch(/^"writes";q=\d+;w=60$/);
  expect((await customer.ask("GET", "/v1/export")).headers.get("ratelimit")).toMatch(/^"reads";r=\d+;t=\d+$/);
});

test("?source= reads each line as that source's provider reads a webhook", async () => {
  const line = await customer.connect("vapi");
  const report = JSON.stringify(JSON.parse(fixture("vapi", "real/end-of-call-report.json")));
  expect((await send(fileOf([report]), { query: `?source=${line.source.slug}` })).json).toMatchObject({
    source_id: line.source.id,
    applied_count: 1,
  });
  expect(await customer.calls()).toMatchObject([{ provider: "vapi", duration_ms: 26_500 }]);
  const stranger = await makeCustomer(app);
  expect((await send("{}\n", { of: stranger, query: `?source=${line.source.slug}` })).status).toBe(422);
});

test("409: without ?source=, where the tenant's own source for imports is disabled", async () => {
  const { json } = await send("{}\n");
  await customer.ask("PATCH", `/v1/sources/${json.source_id}`, { is_enabled: false });
  const refused = await send("{}\n");
  expect([refused.status, refused.json.code]).toEqual([409, "conflict"]);
  expect(refused.json.detail).toMatch(/is disabled: enable it/);
});
