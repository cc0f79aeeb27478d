import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, type Customer } from "../harness/customer.ts";
import { fixture } from "../harness/fixture.ts";
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

/** A call in which a number is said, a tool answers with it, and it stands in the provider's own summary. */
async function callOf(customer: Customer): Promise<string> {
  const vapi = await customer.connect("vapi");
  await vapi.own(
    fixture("vapi", "real/end-of-call-report.json", {
      "ליום שלישי": "ליום שלישי, הטלפון +972 50-765-4321 נרשם",
      '{\\"ok\\":true}': '{\\"ok\\":true,\\"lead\\":{\\"phone\\":972507654321,\\"note\\":\\"+972507654321\\"}}',
    }),
  );
  await customer.settled();
  return (await customer.calls())[0]?.id ?? "";
}

async function textOf(customer: Customer, path: string): Promise<string> {
  const answer = await app.get(path, { authorization: `Bearer ${customer.key}` });
  expect(answer.text).toContain("[PHONE_1]");
  return answer.text;
}

const number = /765.?4321/;

test("a plan that masks: no message, list, export, search or run of the call holds the number that was said", async () => {
  const customer = await makeCustomer(app);
  const definition = { redaction: { mode: "mask_before_llm", types: ["phone"] } };
  const plan = await customer.post("/v1/analysis-plans", { name: "Masked", definition });
  await customer.post(`/v1/analysis-plans/${plan.id}/publish`, undefined);
  const types = ["call.ended", "call.completed", "transcript.ready", "analysis.completed"];
  await customer.subscribe(receiver, { types });
  const id = await callOf(customer);
  const messages = await receiver.waitFor(types.length);
  expect(messages.map(({ body }) => JSON.parse(body.toString()).type).toSorted()).toEqual(types.toSorted());
  expect(messages.map(({ body }) => body.toString()).join()).not.toMatch(number);
  expect(messages.map(({ body }) => body.toString()).join()).toContain("[PHONE_1]");
  const shown = [
    await customer.get(`/v1/calls/${id}`),
    await customer.get(`/v1/calls/${id}/transcript`),
    await customer.get(`/v1/calls/${id}/moments`),
    await customer.get(`/v1/calls/${id}/timeline`),
    await customer.get(`/v1/calls/${id}/analysis`),
    await customer.get(`/v1/calls/${id}/steps`),
    await customer.get(`/v1/calls/${id}/matches?q=${encodeURIComponent("הטלפון")}`),
    await textOf(customer, `/v1/calls/${id}/transcript/txt`),
    await textOf(customer, `/v1/calls/${id}/transcript/csv`),
  ];
  expect(JSON.stringify(shown)).not.toMatch(number);
  expect(JSON.stringify(shown)).toContain("[PHONE_1]");
  expect((await customer.get("/v1/calls?q=4321")).data).toEqual([]);
});

test("a call is found by what was said in it, with a prefix, without vowel points, by a phrase; and by nobody else", async () => {
  const customer = await makeCustomer(app);
  const stranger = await makeCustomer(app);
  const id = await callOf(customer);
  const found = async (who: Customer, q: string) =>
    (await who.get(`/v1/calls?q=${encodeURIComponent(q)}`)).data.map((call: { id: string }) => call.id);
  expect(await found(customer, "בֵּית שאן")).toEqual([id]);
  expect(await found(customer, '"שיווק נכס"')).toEqual([id]);
  expect(await found(customer, '"נכס שיווק"')).toEqual([]);
  expect(await found(customer, "4321 שיווק")).toEqual([id]);
  expect(await found(stranger, "שיווק")).toEqual([]);

  const ready = await app.get("/readyz");
  expect(JSON.parse(ready.text).checks.search).toEqual({ status: "ok", reason: null });
});
