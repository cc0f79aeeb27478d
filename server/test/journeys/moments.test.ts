import type { CallMoment } from "@aftercall/contract/moment.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newCallSid, newUuid, type Customer } from "../harness/customer.ts";
import { fixture, fixtureIds } from "../harness/fixture.ts";
import { startReceiver, type Receiver } from "../harness/receiver.ts";

let app: TestApp;
let receiver: Receiver;
beforeAll(async () => {
  [app, receiver] = await Promise.all([startTestApp(), startReceiver()]);
});
afterAll(async () => {
  await receiver.close();
  await app.stop();
});

const momentsOf = async (customer: Customer): Promise<CallMoment[]> => {
  const [call] = await customer.calls();
  return (await customer.get(`/v1/calls/${call?.id}/moments`)).data;
};

const booking = {
  name: "book_meeting",
  end_ms: null,
  is_error: null,
};
const called = {
  ...booking,
  id: "tool_call:call_A1b2C3",
  kind: "tool_call",
  at_ms: 8_600,
  at: "2026-03-02T14:23:27.720Z",
  args: { city: "בית שאן" },
  result: null,
  latency_ms: null,
};
const answered = {
  ...booking,
  id: "tool_result:call_A1b2C3",
  kind: "tool_result",
  at_ms: 9_300,
  at: "2026-03-02T14:23:28.420Z",
  args: null,
  result: { ok: true },
  latency_ms: 700,
};

test("a tool that was called is told once, with its answer and how long it took, whatever came first and how often", async () => {
  const files = ["real/tool-calls.json", "real/end-of-call-report.json", "real/transfer-update.json"];
  const seen: CallMoment[][] = [];
  for (const order of [files, files.toReversed(), [...files, ...files], [files[1], files[0], files[1], files[2]]]) {
    const customer = await makeCustomer(app);
    const vapi = await customer.connect("vapi");
    const ids = { [fixtureIds.vapiCall]: newUuid(), [fixtureIds.callSid]: newCallSid() };
    for (const file of order) await vapi.own(fixture("vapi", file ?? "", ids));
    await customer.settled();
    seen.push(await momentsOf(customer));
  }
  const [first, ...others] = seen;
  expect(first?.slice(0, 2)).toEqual([called, answered]);
  expect(first?.[2]).toMatchObject({ kind: "transfer", at_ms: 20_500, args: { destination: "+97239999999" } });
  expect(first).toHaveLength(3);
  for (const other of others) expect(other).toEqual(first);
});

test("a hold that two callbacks tell of has its beginning and its end, the end first or last", async () => {
  const hold = ["real/conference.participant-hold.txt", "real/conference.participant-unhold.txt"];
  for (const order of [hold, hold.toReversed()]) {
    const customer = await makeCustomer(app);
    const twilio = await customer.connect("twilio");
    const ids = { [fixtureIds.callSid]: newCallSid(), [fixtureIds.accountSid]: twilio.keyId };
    for (const file of ["real/status.2-answered-in-progress.txt", ...order, "real/status.3-completed.txt"]) {
      await twilio.own(fixture("twilio", file, ids));
    }
    const [moment, ...others] = await momentsOf(customer);
    expect(others).toEqual([]);
    expect(moment).toMatchObject({ kind: "hold", at: "2026-03-02T14:23:40.000Z" });
    expect((moment?.end_ms ?? 0) - (moment?.at_ms ?? 0)).toBe(25_000);
  }
});

test("two calls that turn out to be one have the moments of both", async () => {
  const customer = await makeCustomer(app);
  const [twilio, vapi] = [await customer.connect("twilio"), await customer.connect("vapi")];
  const [callSid, other] = [newCallSid(), newCallSid()];
  const ids = { [fixtureIds.vapiCall]: newUuid(), [fixtureIds.callSid]: callSid };
  const leg = { [fixtureIds.accountSid]: twilio.keyId, [fixtureIds.callSid]: callSid };
  await twilio.own(fixture("twilio", "real/conference.participant-hold.txt", leg));
  await vapi.own(fixture("vapi", "real/tool-calls.json", { ...ids, [fixtureIds.callSid]: other }));
  expect(await customer.calls()).toHaveLength(2);
  await vapi.own(fixture("vapi", "real/end-of-call-report.json", ids));
  await customer.settled();
  expect(await customer.calls()).toHaveLength(1);
  expect((await momentsOf(customer)).map(({ kind }) => kind).toSorted()).toEqual(["hold", "tool_call", "tool_result"]);
});

test("they stand in the timeline without what they were about, and whole in call.completed", async () => {
  const customer = await makeCustomer(app);
  await customer.subscribe(receiver, { types: ["call.completed"] });
  const vapi = await customer.connect("vapi");
  await vapi.own(fixture("vapi", "real/end-of-call-report.json", { [fixtureIds.vapiCall]: newUuid() }));
  const [message] = await receiver.waitFor(1);
  expect(JSON.parse(message?.body.toString() ?? "{}").data.moments).toEqual([called, answered]);
  const [call] = await customer.calls();
  const timeline = await customer.get(`/v1/calls/${call?.id}/timeline`);
  expect(timeline.data.filter((entry: { kind: string }) => entry.kind === "moment")).toEqual([
    { ...inTimeline("tool_call"), at: called.at, at_ms: called.at_ms },
    { ...inTimeline("tool_result"), at: answered.at, at_ms: answered.at_ms },
  ]);
});

const inTimeline = (moment: string) => ({
  kind: "moment",
  moment,
  moment_id: `${moment}:call_A1b2C3`,
  name: "book_meeting",
});

test("a call without moments has none, and no row for them", async () => {
  const customer = await makeCustomer(app);
  const vapi = await customer.connect("vapi");
  await vapi.own(fixture("vapi", "real/status-update.ended.json", { [fixtureIds.vapiCall]: newUuid() }));
  expect(await momentsOf(customer)).toEqual([]);
  const rows = await app.db.inTransaction([customer.tenantId], (tx) => tx.rows("select 1 from call_moments"));
  expect(rows).toEqual([]);
});

test("404: nobody else sees them", async () => {
  const [customer, stranger] = [await makeCustomer(app), await makeCustomer(app)];
  const vapi = await customer.connect("vapi");
  await vapi.own(fixture("vapi", "real/tool-calls.json", { [fixtureIds.vapiCall]: newUuid() }));
  const [call] = await customer.calls();
  expect((await stranger.ask("GET", `/v1/calls/${call?.id}/moments`)).status).toBe(404);
});

test("without analysis they are told with call.completed all the same", async () => {
  const [plain, own] = [await startTestApp({ AFTERCALL_ANALYSIS: "off" }), await startReceiver()];
  try {
    const customer = await makeCustomer(plain);
    await customer.subscribe(own, { types: ["call.completed"] });
    const vapi = await customer.connect("vapi");
    const ids = { [fixtureIds.vapiCall]: newUuid(), [fixtureIds.callSid]: newCallSid() };
    for (const file of ["real/tool-calls.json", "real/end-of-call-report.json"]) {
      await vapi.own(fixture("vapi", file, ids));
    }
    const [message] = await own.waitFor(1);
    expect(JSON.parse(message?.body.toString() ?? "{}").data.moments).toEqual([called, answered]);
  } finally {
    await own.close();
    await plain.stop();
  }
});
