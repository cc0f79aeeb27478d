import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newUuid, type Line } from "../harness/customer.ts";
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

/** Sends webhooks five at a time; gives the time that 95 of 100 were answered in, milliseconds. */
async function answerTime(line: Line): Promise<number> {
  const times: number[] = [];
  const send = async () => {
    const sentAt = performance.now();
    const { status } = await line.own({
      type: "call.ended",
      call: { id: newUuid(), endedReason: "customer-ended-call" },
    });
    expect(status).toBe(200);
    times.push(performance.now() - sentAt);
  };
  for (let n = 0; n < 20; n++) await Promise.all(Array.from({ length: 5 }, send));
  return times.toSorted((a, b) => a - b)[times.length * 0.95] ?? 0;
}

test(
  "while hundreds of deliveries hang a provider is answered as fast as without them",
  { timeout: 120_000 },
  async () => {
    const provider = await (await makeCustomer(app)).connect("vapi");
    const before = await answerTime(provider);

    receiver.answer("hang");
    const customer = await makeCustomer(app);
    await customer.post("/v1/event-types", { name: "lead.qualified" });
    for (let n = 0; n < 10; n++) {
      await customer.subscribe(receiver, { types: ["lead.*"], in_flight_max: 50, timeout_ms: 30_000 });
    }
    const publish = () => customer.post("/v1/messages", { type: "lead.qualified", data: {} });
    await Promise.all(Array.from({ length: 60 }, publish));
    // Some places are kept for retries, and for other tenants.
    await receiver.waitFor(400);
    // Three times: the machine has other things to do as well.
    expect(await answerTime(provider)).toBeLessThan(Math.max(before * 3, 100));
    expect((await customer.get("/v1/deliveries?state=delivered")).data).toEqual([]);
  },
);
