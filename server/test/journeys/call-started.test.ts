import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { type Customer, makeCustomer, newCallSid, newUuid, randomToken } from "../harness/customer.ts";
import { fixture, fixtureIds } from "../harness/fixture.ts";
import { fileOf } from "../harness/import.ts";
import { verifiedMessages } from "../harness/messages.ts";
import { startReceiver, type Receiver } from "../harness/receiver.ts";

let app: TestApp;
let receiver: Receiver;
beforeAll(async () => {
  app = await startTestApp({ AFTERCALL_ANALYSIS: "off" });
  receiver = await startReceiver();
});
afterAll(async () => {
  await receiver.close();
  await app.stop();
});

/** Types of the messages about each call of a customer, oldest first, also those that went to nobody. */
async function told(customer: Customer): Promise<Map<string, string[]>> {
  const { data } = await customer.get("/v1/messages?limit=100");
  const messages: { type: string; call_id: string }[] = data.toReversed();
  return new Map(
    [...Map.groupBy(messages, ({ call_id }) => call_id)].map(([id, some]) => [id, some.map(({ type }) => type)]),
  );
}

/** Calls of Vapi, told step by step. */
async function vapi(customer: Customer) {
  const line = await customer.connect("vapi");
  let now = Date.now();
  const send = async (id: string, message: object, timestamp = now++) => {
    const { status } = await line.own({ message: { timestamp, call: { id }, ...message } });
    expect(status).toBe(200);
  };
  return (id: string) => ({
    ring: () => send(id, { type: "status-update", status: "ringing" }),
    answer: (timestamp?: number) => send(id, { type: "status-update", status: "in-progress" }, timestamp),
    end: (endedReason = "customer-ended-call") => send(id, { type: "end-of-call-report", endedReason }),
  });
}

test("an endpoint is told of a call when somebody answers, signed, and only then", async () => {
  const customer = await makeCustomer(app);
  const endpoint = await customer.subscribe(receiver, { types: ["call.started"] });
  const call = (await vapi(customer))(newUuid());
  await call.ring();
  expect(await told(customer)).toEqual(new Map());
  await call.answer();
  const [message] = await verifiedMessages(receiver, endpoint.secret, 1);
  const [record] = await customer.calls();
  expect(message).toMatchObject({
    type: "call.started",
    data: { call: { id: record?.id, status: "in_progress", ended_at: null }, transcript: null },
  });
});

test("once for each call, in whatever order and how often its events come; never for one that was over before", async () => {
  const customer = await makeCustomer(app);
  await customer.subscribe(receiver, { types: ["*"] });
  const calls = await vapi(customer);
  const step = fc.constantFrom("ring", "answer", "again", "end", "busy");
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 7 }), async (steps) => {
      const call = calls(newUuid());
      const answeredAt = Date.now();
      let isAnswered = false;
      let isOver = false;
      for (const one of steps) {
        if (one === "ring") await call.ring();
        if (one === "answer") await call.answer();
        // The very same event, byte for byte.
        if (one === "again") await call.answer(answeredAt);
        if (one === "end") await call.end();
        if (one === "busy") await call.end("customer-busy");
        isAnswered ||= !isOver && (one === "answer" || one === "again");
        isOver ||= one === "end" || one === "busy";
      }
      const [record] = await customer.calls();
      const types = (await told(customer)).get(record?.id ?? "") ?? [];
      expect(types.filter((type) => type === "call.started")).toHaveLength(isAnswered ? 1 : 0);
    }),
    { numRuns: 12 },
  );
});

test("two providers that tell of one call: the first of them that says it runs is the only one that is heard", async () => {
  const customer = await makeCustomer(app);
  await customer.subscribe(receiver, { types: ["call.started"] });
  const [line, twilio] = [await customer.connect("vapi"), await customer.connect("twilio")];
  const callSid = newCallSid();
  const id = newUuid();
  const tell = (status: string, more: object = {}) =>
    line.own({ message: { type: "status-update", status, timestamp: Date.now(), call: { id, ...more } } });
  await tell("ringing");
  const ids = { [fixtureIds.callSid]: callSid, [fixtureIds.accountSid]: twilio.keyId };
  await twilio.given(fixture("twilio", "real/status.2-answered-in-progress.txt", ids));
  expect(await customer.calls()).toHaveLength(2);
  expect([...(await told(customer)).values()]).toEqual([["call.started"]]);
  // The older record turns out to be the call that runs already.
  await tell("in-progress", { phoneCallProviderId: callSid });
  expect(await customer.calls()).toHaveLength(1);
  expect([...(await told(customer)).values()]).toEqual([["call.started"]]);
});

test("where nobody wants it, nothing is written for it; nor for a call of an import", async () => {
  const customer = await makeCustomer(app);
  await customer.subscribe(receiver, { types: ["call.ended"] });
  const call = (await vapi(customer))(newUuid());
  await call.answer();
  expect(await told(customer)).toEqual(new Map());
  await customer.subscribe(receiver, { types: ["call.started"] });
  await customer.import(fileOf([{ id: randomToken("call"), status: "in_progress" }]));
  expect((await customer.calls()).map(({ status }) => status)).toEqual(["in_progress", "in_progress"]);
  expect(await told(customer)).toEqual(new Map());
});
