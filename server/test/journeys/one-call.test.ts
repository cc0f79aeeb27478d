import type { Call } from "@aftercall/contract/call.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newCallSid, randomToken, type Customer } from "../harness/customer.ts";
import { fixture, fixtureIds } from "../harness/fixture.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

type Send = () => Promise<unknown>;

/** One physical call, as each of its witnesses tells of it. */
async function witnesses(customer: Customer, callSid: string): Promise<Record<"twilio" | "elevenlabs" | "vapi", Send>> {
  const [twilio, elevenlabs, vapi] = [
    await customer.connect("twilio"),
    await customer.connect("elevenlabs"),
    await customer.connect("vapi"),
  ];
  const ids = { [fixtureIds.callSid]: callSid };
  return {
    twilio: () =>
      twilio.given(
        fixture("twilio", "real/status.inbound-completed.txt", { ...ids, [fixtureIds.accountSid]: twilio.keyId }),
      ),
    elevenlabs: () => elevenlabs.own(fixture("elevenlabs", "real/post_call_transcription.twilio-inbound.json", ids)),
    vapi: () => vapi.own(fixture("vapi", "real/end-of-call-report.json", ids)),
  };
}

/** What must not depend on who spoke first: everything but our own ids and times, and which name comes first. */
function essence(call: Call) {
  const names = call.aliases.map(({ kind, value }) => `${kind} ${value}`).toSorted();
  const ours = { id: "", created_at: "", updated_at: "", campaign_id: "", version: 0 };
  return { ...call, ...ours, provider: "", provider_call_id: "", aliases: names };
}

test.each([
  ["twilio", "elevenlabs"],
  ["twilio", "vapi"],
  ["elevenlabs", "vapi"],
] as const)("%s and %s saw one physical call: one record, the same whoever comes first", async (first, second) => {
  const callSid = newCallSid();
  const records: Call[] = [];
  for (const order of [
    [first, second],
    [second, first],
  ]) {
    const customer = await makeCustomer(app);
    const send = await witnesses(customer, callSid);
    for (const witness of order) await send[witness]();
    await customer.settled();
    const [call, ...others] = await customer.calls();
    expect(others).toEqual([]);
    if (call) records.push(call);
    expect((await customer.events()).map((event) => event.call_id)).toEqual([call?.id, call?.id]);
  }
  const [one, other] = records.map(essence);
  expect(one).toMatchObject({ status: "ended", outcome: "completed" });
  expect(one?.aliases).toContain(`call_sid ${callSid}`);
  expect(other).toEqual(one);
});

test("three witnesses at the same moment: one record with three names", async () => {
  for (let round = 0; round < 5; round++) {
    const customer = await makeCustomer(app);
    const send = await witnesses(customer, newCallSid());
    await Promise.all(Object.values(send).map((one) => one()));
    const calls = await customer.calls();
    expect(calls).toHaveLength(1);
    expect(calls[0]?.aliases.map(({ kind }) => kind).toSorted()).toEqual(["call_sid", "conversation_id", "vapi_call"]);
  }
});

test("two records that turn out to be one call merge: the older id stays, the other leads to it, no event is lost", async () => {
  const customer = await makeCustomer(app);
  const [twilio, elevenlabs] = [await customer.connect("twilio"), await customer.connect("elevenlabs")];
  const callSid = newCallSid();
  const conversation = `conv_${randomToken("x")}`;
  const ids = { [fixtureIds.callSid]: callSid };
  await twilio.given(
    fixture("twilio", "real/status.2-answered-in-progress.txt", { ...ids, [fixtureIds.accountSid]: twilio.keyId }),
  );
  await elevenlabs.own({
    type: "post_call_audio",
    event_timestamp: 1772461440,
    data: { conversation_id: conversation, full_audio: "SUQz" },
  });
  const before = (await customer.calls()).toSorted((a, b) => (a.created_at < b.created_at ? -1 : 1));
  expect(before.map((call) => call.provider)).toEqual(["twilio", "elevenlabs"]);
  const [older, younger] = before;

  await elevenlabs.own(
    fixture("elevenlabs", "real/post_call_transcription.twilio-inbound.json", {
      ...ids,
      conv_6501k4daj54pez9r6ap59x7ypeft: conversation,
    }),
  );
  const [call, ...others] = await customer.calls();
  expect(others).toEqual([]);
  expect(call).toMatchObject({ id: older?.id, status: "ended", recording: { status: "available" }, city: "בית שאן" });
  expect(call?.aliases.map(({ kind }) => kind).toSorted()).toEqual(["call_sid", "conversation_id"]);
  const led: Call = await customer.get(`/v1/calls/${younger?.id}`);
  expect([led.id, led.merged_into].includes(older?.id ?? "")).toBe(true);
  expect(await customer.events()).toHaveLength(3);
});

test("the CallSid among an agent's variables is no name of a call that has none of its own", async () => {
  const customer = await makeCustomer(app);
  const [twilio, elevenlabs] = [await customer.connect("twilio"), await customer.connect("elevenlabs")];
  const ids = { [fixtureIds.callSid]: newCallSid() };
  await twilio.given(
    fixture("twilio", "real/status.3-completed.txt", { ...ids, [fixtureIds.accountSid]: twilio.keyId }),
  );
  await elevenlabs.own(fixture("elevenlabs", "real/post_call_transcription.web-no-phone.json", ids));
  await elevenlabs.own(fixture("elevenlabs", "real/post_call_transcription.sip-outbound-batch.json", ids));
  expect(await customer.calls()).toHaveLength(3);
});

test("a CallSid of another tenant is another call", async () => {
  const callSid = newCallSid();
  const customers = [await makeCustomer(app), await makeCustomer(app)];
  for (const customer of customers) {
    const send = await witnesses(customer, callSid);
    await send.twilio();
    await send.elevenlabs();
  }
  const ids = await Promise.all(customers.map(async (customer) => (await customer.calls()).map(({ id }) => id)));
  expect(ids.map(({ length }) => length)).toEqual([1, 1]);
  expect(new Set(ids.flat()).size).toBe(2);
});

test("busy, told by Twilio and by ElevenLabs as a failed initiation, is one record with one outcome, in either order", async () => {
  for (const isTwilioFirst of [true, false]) {
    const customer = await makeCustomer(app);
    const [twilio, elevenlabs] = [await customer.connect("twilio"), await customer.connect("elevenlabs")];
    const callSid = newCallSid();
    const busy = fixture("twilio", "real/status.terminal-busy.txt", {
      [fixtureIds.accountSid]: twilio.keyId,
      CA8bc1b2f84252c3df4edd53e4aad097a7: callSid,
    });
    const failure = fixture("elevenlabs", "real/call_initiation_failure.twilio.json").replaceAll(
      /CA[0-9a-f]{32}/g,
      callSid,
    );
    const sends = [() => twilio.given(busy), () => elevenlabs.own(failure)];
    for (const send of isTwilioFirst ? sends : sends.toReversed()) await send();
    expect(await customer.calls()).toMatchObject([{ status: "ended", outcome: "busy" }]);
  }
});
