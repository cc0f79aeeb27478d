import { request } from "node:http";

import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newUuid } from "../harness/customer.ts";

// A server of its own: whoever guesses from this address would disturb every other test.
let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ AFTERCALL_AUTH_FAILURES_PER_MINUTE: "2" });
});
afterAll(() => app.stop());

test("429: an address that tries keys waits on every way in; who was in before, and providers, notice nothing", async () => {
  const customer = await makeCustomer(app);
  const newcomer = await customer.post("/v1/api-keys", { name: "made before, used too late" });
  const vapi = await customer.connect("vapi");
  const guess = (path: string, key = `ac_live_${newUuid()}`) => app.ask(key, "GET", path);
  for (let i = 0; i < 2; i++) expect((await guess("/v1/calls")).status).toBe(401);

  const refused = await guess("/v1/whoami");
  expect([refused.status, refused.json.code]).toEqual([429, "too_many_requests"]);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  for (const path of ["/v1/stream", `/v1/recordings/rec_${"0".repeat(26)}/audio`, "/v1/export"]) {
    expect([path, (await guess(path)).status]).toEqual([path, 429]);
  }
  expect(await statusOfSocket(`ac_live_${newUuid()}`)).toBe(429);
  expect((await guess("/v1/calls", newcomer.key)).status).toBe(429);

  expect((await customer.ask("GET", "/v1/calls")).status).toBe(200);
  expect((await vapi.own({ type: "call.ringing", call: { id: newUuid() } })).status).toBe(200);
  expect((await app.get("/v1/calls")).status).toBe(401);
  const outcome = await app.get(`/api/calls/${newUuid()}/outcome?user_id=x`, { authorization: "Bearer x.y.z" });
  expect([outcome.status, JSON.parse(outcome.text).error]).toEqual([429, "Too many requests"]);
});

/** How an upgrade with a token is answered that is no upgrade. */
function statusOfSocket(token: string): Promise<number | undefined> {
  const headers = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-protocol": `aftercall.v1, bearer.${token}`,
  };
  return new Promise((resolve, reject) => {
    request(`${app.url}/v1/ws`, { headers })
      .on("response", (answer) => resolve(answer.resume().statusCode))
      .on("error", reject)
      .end();
  });
}
