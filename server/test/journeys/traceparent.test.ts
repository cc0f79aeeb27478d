import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newUuid, type Customer } from "../harness/customer.ts";
import { type Received, startReceiver } from "../harness/receiver.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** Vapi's report of a call, sent from within a trace. */
async function report(customer: Customer, headers: Readonly<Record<string, string>>): Promise<void> {
  const line = await customer.connect("vapi");
  const call = { id: newUuid(), type: "inboundPhoneCall" };
  const sent = line.sign({ message: { type: "end-of-call-report", endedReason: "customer-ended-call", call } });
  await app.post(`/webhooks/${line.source.slug}`, { ...sent, headers: { ...sent.headers, ...headers } });
  await customer.settled();
}

async function publish(customer: Customer, headers: Readonly<Record<string, string>>): Promise<{ id: string }> {
  const answer = await fetch(`${app.url}/v1/messages`, {
    method: "POST",
    headers: { authorization: `Bearer ${customer.key}`, "content-type": "application/json", ...headers },
    body: JSON.stringify({ type: "lead.qualified", data: {} }),
  });
  return (await answer.json()) as { id: string };
}

const tracesOf = (received: readonly Received[]) => received.map(({ headers }) => headers["traceparent"]);

test("the trace of a webhook goes on in every message about its call, also in those of the pipeline, and stays in the log", async () => {
  const receiver = await startReceiver();
  const customer = await makeCustomer(app);
  await customer.subscribe(receiver, { types: ["call.ended", "call.completed"] });
  await report(customer, { traceparent });
  expect(tracesOf(await receiver.waitFor(2))).toEqual([traceparent, traceparent]);
  const [event] = await customer.events();
  expect((await customer.get(`/v1/events/${event?.id}`)).headers.traceparent).toEqual([traceparent]);
  await receiver.close();
});

test.each([
  ["none", {}],
  ["one that is malformed", { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331" }],
])("of %s nothing goes on, and the webhook counts all the same", async (_what, headers) => {
  const receiver = await startReceiver();
  const customer = await makeCustomer(app);
  await customer.subscribe(receiver, { types: ["call.ended"] });
  await report(customer, headers);
  expect(tracesOf(await receiver.waitFor(1))).toEqual([undefined]);
  await receiver.close();
});

test("the trace of a request goes on in the message it publishes, in each attempt and when it is sent once more", async () => {
  const receiver = await startReceiver();
  receiver.answer((_request, count) => ({ status: count === 1 ? 500 : 200 }));
  const customer = await makeCustomer(app);
  await customer.post("/v1/event-types", { name: "lead.qualified" });
  const endpoint = await customer.subscribe(receiver, { schedule_ms: [1_000] });
  const { id } = await publish(customer, { traceparent });
  await receiver.waitFor(2);
  await customer.post(`/v1/messages/${id}/resend`, { endpoint_id: endpoint.id });
  expect(tracesOf(await receiver.waitFor(3))).toEqual([traceparent, traceparent, traceparent]);
  await publish(customer, { traceparent: "nonsense" });
  expect(tracesOf(await receiver.waitFor(4)).at(-1)).toBeUndefined();
  await receiver.close();
});
