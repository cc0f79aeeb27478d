import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newUuid } from "../harness/customer.ts";
import { signVapi } from "../harness/sign.ts";

// A server of its own: whoever floods from this address would disturb every other test.
let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

test("429: a flood that does not verify is told to wait; what is signed comes through all the same", async () => {
  const customer = await makeCustomer(app);
  const vapi = await customer.connect("vapi");
  const own = `/webhooks/${vapi.source.slug}`;
  const wrong = signVapi("wrong-secret", JSON.stringify({ type: "call.ended", call: { id: "x" } }));
  const answers = await Promise.all(Array.from({ length: 130 }, () => app.post(own, wrong)));
  const tooMany = answers.filter(({ status }) => status === 429);
  const refused = answers.filter(({ status }) => status === 401);
  expect(refused.length + tooMany.length).toBe(130);
  // A hundred a minute: one more for each 0.6 s that sending them takes.
  expect(refused.length).toBeGreaterThanOrEqual(100);
  expect(tooMany.length).toBeGreaterThan(15);
  expect(tooMany[0]?.said).toEqual([429, "Too Many Requests"]);
  expect(Number(tooMany[0]?.headers.get("retry-after"))).toBeGreaterThan(0);

  for (let i = 0; i < 20; i++) {
    expect((await vapi.own({ type: "call.ringing", call: { id: newUuid() } })).status).toBe(200);
  }
  expect(await customer.events()).toHaveLength(20);
  // Kept are at most as many as were answered 401; a flood does not fill the quarantine.
  expect((await customer.quarantine()).length).toBeLessThanOrEqual(refused.length);
});
