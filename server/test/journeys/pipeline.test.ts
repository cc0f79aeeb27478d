import type { CallSteps, ListedStep } from "@aftercall/contract/routes/pipeline.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newUuid, type Customer } from "../harness/customer.ts";
import { verifiedMessages } from "../harness/messages.ts";
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

/** A call that Vapi reports whole, with a recording at an address that nobody may be sent to. */
async function reported(customer: Customer): Promise<string> {
  const line = await customer.connect("vapi");
  await line.own({
    message: {
      type: "end-of-call-report",
      timestamp: Date.now(),
      endedReason: "customer-ended-call",
      call: { id: newUuid(), type: "inboundPhoneCall" },
      artifact: {
        recordingUrl: "ftp://recordings.example.com/1.wav",
        messages: [
          { role: "bot", message: "Good evening, this is the night desk.", secondsFromStart: 0, endTime: 2, time: 1 },
          {
            role: "user",
            message: "I am locked out of my flat in Tel Aviv.",
            secondsFromStart: 3,
            endTime: 6,
            time: 4,
          },
        ],
      },
    },
  });
  await customer.settled();
  const [call] = await customer.calls();
  return call?.id ?? "";
}

test("what happened to a call, what was made of it, and its numbers are read where the call is", async () => {
  const customer = await makeCustomer(app);
  const endpoint = await customer.subscribe(receiver, { types: ["call.completed"] });
  const id = await reported(customer);
  const shown: CallSteps = await customer.get(`/v1/calls/${id}/steps`);
  expect(shown).toMatchObject({ call_id: id, plan: { version: 1 } });
  expect(shown.steps.find(({ step }) => step === "summarise")).toMatchObject({
    state: "succeeded",
    engine: { kind: "builtin" },
  });
  const run = await customer.get(`/v1/calls/${id}/analysis`);
  expect(run).toMatchObject({ call_id: id, is_current: true, trigger: "pipeline" });
  expect(run.fields.find(({ name }: { name: string }) => name === "city")).toMatchObject({ value: "Tel Aviv" });
  const { data } = await customer.get(`/v1/calls/${id}/metrics`);
  expect(data.map(({ basis }: { basis: string }) => basis)).toEqual(["text"]);
  const [message] = await verifiedMessages(receiver, endpoint.secret, 1);
  expect(message?.data).toMatchObject({ analysis: { run_id: run.id, sections: { summary: { state: "succeeded" } } } });
});

test("what failed is listed with its reason, counted before it is done again, and done again", async () => {
  const customer = await makeCustomer(app);
  const id = await reported(customer);
  const failed = async (): Promise<ListedStep[]> => (await customer.get("/v1/steps?state=failed")).data;
  const [step, ...others] = await failed();
  expect([step?.call_id, step?.step, others]).toEqual([id, "fetch_recording", []]);
  expect(step?.reason).toMatch(/^recording_/);
  expect(step?.detail).toBeTruthy();

  const filter = { step: "fetch_recording", reason: step?.reason };
  const counted = { calls: 1, steps: 1, is_more: false };
  expect(await customer.post("/v1/steps/retry", { ...filter, dry_run: true })).toEqual(counted);
  expect((await failed())[0]?.finished_at).toBe(step?.finished_at);
  expect(await customer.post("/v1/steps/retry", filter)).toEqual(counted);
  await customer.settled();
  const [again] = await failed();
  expect(again?.finished_at).not.toBe(step?.finished_at);
  expect((await customer.get("/v1/messages?limit=100&type=call.completed")).data).toHaveLength(1);
  expect((await customer.ask("POST", `/v1/calls/${id}/steps/summarise/retry`)).status).toBe(409);
});
