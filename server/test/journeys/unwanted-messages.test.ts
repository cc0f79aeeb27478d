import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, type Customer } from "../harness/customer.ts";
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

const report = {
  message: {
    type: "end-of-call-report",
    timestamp: Date.parse("2026-05-03T10:01:00Z"),
    startedAt: "2026-05-03T10:00:00Z",
    endedAt: "2026-05-03T10:00:50Z",
    endedReason: "customer-ended-call",
    call: { id: "0197b1c2-7d3e-7aaa-8bbb-2f0c9d1e4a55", type: "inboundPhoneCall" },
    artifact: {
      messages: [
        { role: "bot", message: "Good evening, this is the night desk.", secondsFromStart: 0, endTime: 2, time: 1 },
        { role: "user", message: "I am locked out of my flat in Tel Aviv.", secondsFromStart: 3, endTime: 6, time: 4 },
      ],
    },
  },
};

async function send(customer: Customer, body: object = report): Promise<void> {
  await (await customer.connect("vapi")).own(body);
  await customer.settled();
}

/**
 * Without what differs from one tenant's call to another's: ids, and the times at which we did something. What is said of the call
 * itself before it was settled is what is known of it when the message is made.
 */
function comparable(body: string): unknown {
  const { data, ...message } = JSON.parse(
    body.replaceAll(/"([a-z]{2,4})_[0-9a-zA-Z]{20,}"/g, '"$1"').replaceAll(/"\d{4}-\d\d-\d\dT[\d:.]+Z"/g, '"a time"'),
  );
  const isEarly = ["call.ended", "transcript.ready"].includes(message.type);
  return { ...message, data: isEarly ? { ...data, call: null } : data };
}

test("a message that nobody wanted says, when somebody does, what it said to those who wanted it at once", async () => {
  const [wanting, other] = [await makeCustomer(app), await makeCustomer(app)];
  await wanting.subscribe(receiver, { types: ["call.*", "transcript.*", "analysis.*"] });
  await send(wanting);
  const told = await receiver.waitFor(4);

  await send(other);
  const kept = await app.db.inTransaction([other.tenantId], (tx) =>
    tx.rows<{ type: string }>(
      "select m.type from message_bodies b join messages m on m.id = b.message_id order by m.type",
    ),
  );
  // The others can be made of it and of what is stored anyway.
  expect(kept.map(({ type }) => type)).toEqual(["analysis.completed"]);

  const { data } = await other.get("/v1/messages?limit=100");
  const types: string[] = [];
  for (const { id, type } of data) {
    types.push(type);
    const { bodies } = await other.get(`/v1/messages/${id}`);
    const then = told.find(({ body }) => JSON.parse(body.toString()).type === type);
    expect(comparable(bodies.standard)).toEqual(comparable(then?.body.toString() ?? "{}"));
    // Whoever looks again sees the same bytes.
    expect((await other.get(`/v1/messages/${id}`)).bodies).toEqual(bodies);
  }
  expect(types.toSorted()).toEqual(["analysis.completed", "call.completed", "call.ended", "transcript.ready"]);
});

test("the provider's own recording, which is not silent where ours is, is in no message that is looked at later", async () => {
  const customer = await makeCustomer(app);
  const definition = { redaction: { mode: "mask_outbound", audio: true, types: ["phone"] } };
  const plan = await customer.post("/v1/analysis-plans", { name: "Silenced", definition });
  await customer.post(`/v1/analysis-plans/${plan.id}/publish`, undefined);
  const recordingUrl = "ftp://recordings.example.com/1.wav";
  const { message } = report;
  await send(customer, { message: { ...message, artifact: { ...message.artifact, recordingUrl } } });
  const { data } = await customer.get("/v1/messages?limit=100");
  expect(data.map(({ type }: { type: string }) => type)).toContain("call.completed");
  for (const { id } of data) {
    expect((await customer.get(`/v1/messages/${id}`)).bodies.standard).not.toContain("recordings.example.com");
  }
});
