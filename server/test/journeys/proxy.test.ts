import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer } from "../harness/customer.ts";
import { startProxy, type TestProxy } from "../harness/proxy.ts";
import { startReceiver, type Receiver } from "../harness/receiver.ts";

let proxy: TestProxy;
let receiver: Receiver;
let app: TestApp;
beforeAll(async () => {
  [proxy, receiver] = await Promise.all([startProxy(), startReceiver()]);
  app = await startTestApp({ HTTPS_PROXY: proxy.url });
});
afterAll(async () => {
  await app.stop();
  await Promise.all([proxy.close(), receiver.close()]);
});

/** A public address; what the proxy of the test connects to is the receiver. */
const publicAddress = "93.184.215.14";

test("with a proxy set, messages go through it, and what is not public is refused before the proxy hears of it", async () => {
  const customer = await makeCustomer(app);
  const { port } = new URL(receiver.url);
  await customer.post("/v1/event-types", { name: "lead.qualified" });
  await customer.subscribe({ ...receiver, url: `http://${publicAddress}:${port}/hook` }, { types: ["lead.*"] });
  const sent = await customer.post("/v1/messages", { type: "lead.qualified", data: {} });
  const [got] = await receiver.waitFor(1);
  expect([got?.headers["webhook-id"], got?.headers.host]).toEqual([sent.id, `${publicAddress}:${port}`]);
  expect(proxy.asked).toEqual([{ target: `${publicAddress}:${port}`, authorization: null }]);

  for (const address of ["10.0.0.1", "169.254.169.254", "[::1]"]) {
    const url = `http://${address}:${port}/`;
    expect((await customer.ask("POST", "/v1/endpoints", { url, types: ["lead.*"] })).status).toBe(422);
  }
  expect(proxy.asked).toHaveLength(1);
});
