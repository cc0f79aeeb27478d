import type { Event, Replay, ReplayResult } from "@aftercall/contract/event.ts";
import type { Source } from "@aftercall/contract/source.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, randomToken, type Customer } from "../harness/customer.ts";
import { fixture } from "../harness/fixture.ts";
import { startReceiver } from "../harness/receiver.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

/** A customer whose system was mapped wrongly: the city is looked for where it is not. */
async function withWrongMapping(count: number) {
  const customer = await makeCustomer(app);
  const value = randomToken("secret");
  const source: Source = await customer.post("/v1/sources", {
    slug: randomToken("pbx"),
    provider: "generic",
    setup: { fields: { city: ["wrong.place"] } },
    secrets: [{ slot: "secret", value }],
  });
  for (let i = 0; i < count; i++) {
    const answer = await app.post(`/webhooks/${source.slug}`, {
      headers: { "content-type": "application/json", "x-webhook-secret": value },
      body: JSON.stringify({ call_id: `${source.slug}-${i}`, status: "completed", where: "בית שאן", type: "hangup" }),
    });
    expect(answer.status).toBe(200);
  }
  await customer.settled();
  const mend = () => customer.ask("PATCH", `/v1/sources/${source.id}`, { setup: { fields: { city: ["where"] } } });
  return { customer, mend };
}

const citiesOf = async (customer: Customer) => (await customer.calls()).map(({ city }) => city);
const messagesOf = async (customer: Customer) => (await customer.get("/v1/messages?limit=100")).data.length;

test("one event run again says what today's parser reads; no event and no message is made", async () => {
  const { customer, mend } = await withWrongMapping(1);
  const [event] = await customer.events();
  const messages = await messagesOf(customer);
  const replay = (): Promise<ReplayResult> => customer.post(`/v1/events/${event?.id}/replay`, {});
  expect(await replay()).toMatchObject({ result: "unchanged", status: "ended", outcome: "completed", problem: null });
  expect(await citiesOf(customer)).toEqual([null]);

  await mend();
  expect(await replay()).toMatchObject({ result: "changed", event_id: event?.id });
  expect(await citiesOf(customer)).toEqual(["בית שאן"]);
  expect(await replay()).toMatchObject({ result: "unchanged" });

  const events: Event[] = await customer.events();
  expect(events).toEqual([event]);
  const detail = await customer.get(`/v1/events/${event?.id}`);
  expect(detail.applications.map(({ cause }: { cause: string }) => cause)).toEqual(["replay", "replay", "replay"]);
  expect(await messagesOf(customer)).toBe(messages);
});

test("a range run again as a job: counted first, then every event once, with progress", async () => {
  const { customer, mend } = await withWrongMapping(60);
  await mend();
  const elevenlabs = await customer.connect("elevenlabs");
  await elevenlabs.own(fixture("elevenlabs", "real/post_call_transcription.twilio-inbound.json"));
  const before = await customer.events();
  const messages = await messagesOf(customer);
  const range = { provider: "generic", type: "hangup" };
  const dry = await customer.ask("POST", "/v1/events/replay", { ...range, dry_run: true });
  expect([dry.status, dry.json]).toEqual([202, { count: 60, replay: null }]);

  const operations = await startReceiver();
  const types = ["replay.finished"];
  await customer.post("/v1/endpoints", { url: operations.url, kind: "operational", types });
  const { status, json } = await customer.ask("POST", "/v1/events/replay", range);
  expect([status, json.count, json.replay.state]).toEqual([202, 60, "running"]);
  const progress = (): Promise<Replay> => customer.get(`/v1/replays/${json.replay.id}`);
  await expect.poll(async () => (await progress()).state, { timeout: 15_000 }).toBe("done");
  expect(await progress()).toMatchObject({ changed_count: 60, unchanged_count: 0, problem_count: 0 });
  expect(new Set(await citiesOf(customer))).toEqual(new Set(["בית שאן"]));
  expect((await customer.events()).map(({ id }) => id)).toEqual(before.map(({ id }) => id));
  expect(await messagesOf(customer)).toBe(messages);
  const [told] = await operations.waitFor(1);
  expect(JSON.parse(String(told?.body)).data.replay).toMatchObject({
    id: json.replay.id,
    state: "done",
    counts: { changed: 60, unchanged: 0, problems: 0 },
  });
  await operations.close();
});

test("a range by time, and one that is stopped", async () => {
  const { customer } = await withWrongMapping(3);
  const [first, second, third] = await customer.events();
  const count = async (range: Record<string, unknown>) =>
    (await customer.ask("POST", "/v1/events/replay", { ...range, dry_run: true })).json.count;
  expect(await count({ received_after: second?.received_at })).toBe(2);
  expect(await count({ received_before: third?.received_at })).toBe(2);
  expect(await count({ received_after: first?.received_at, received_before: first?.received_at })).toBe(0);

  const { json } = await customer.ask("POST", "/v1/events/replay", {});
  const canceled = await customer.ask("POST", `/v1/replays/${json.replay.id}/cancel`, {});
  expect([200, 409]).toContain(canceled.status);
  const state = async () => (await customer.get(`/v1/replays/${json.replay.id}`)).state;
  await expect.poll(state, { timeout: 15_000 }).toBe(canceled.status === 200 ? "canceled" : "done");
});

test("a replay of everything changes nothing where nothing is wrong, for every provider", async () => {
  const customer = await makeCustomer(app);
  const [vapi, elevenlabs, livekit, twilio] = [
    await customer.connect("vapi"),
    await customer.connect("elevenlabs"),
    await customer.connect("livekit"),
    await customer.connect("twilio"),
  ];
  for (const file of ["status-update.in-progress", "status-update.ended", "end-of-call-report"]) {
    await vapi.own(fixture("vapi", `real/${file}.json`));
  }
  await elevenlabs.own(fixture("elevenlabs", "real/post_call_transcription.twilio-inbound.json"));
  for (const file of ["participant_joined.sip", "participant_left.agent", "room_finished"]) {
    await livekit.own(fixture("livekit", `real/${file}.raw.txt`));
  }
  await twilio.own(
    fixture("twilio", "real/status.3-completed.txt", { AC00000000000000000000000000000000: twilio.keyId }),
  );
  await customer.settled();
  const before = await customer.calls();
  for (const { id } of await customer.events()) {
    expect(await customer.post(`/v1/events/${id}/replay`, {})).toMatchObject({ result: "unchanged", problem: null });
  }
  expect(await customer.calls()).toEqual(before);
});
