import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";

import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer } from "../harness/customer.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ AFTERCALL_READS_PER_MINUTE: "1" });
});
afterAll(() => app.stop());

/** How a GET is answered; an upgrade that is granted gives no answer here. */
async function ask(path: string, headers: Record<string, string>) {
  const asking = request(`${app.url}${path}`, { headers });
  asking.end();
  const [answer] = (await once(asking, "response")) as [IncomingMessage];
  answer.destroy();
  const { ratelimit, "ratelimit-policy": policy, "retry-after": retryAfter } = answer.headers;
  return { status: answer.statusCode, ratelimit, policy, retryAfter };
}

const policy = '"reads";q=1;w=60';
const left = (count: number) => expect.stringMatching(`^"reads";r=${count};t=\\d+$`);

test("200, 429: opening a stream is a read, and the answer says what is left", async () => {
  const { key } = await makeCustomer(app);
  const stream = () => ask("/v1/stream", { authorization: `Bearer ${key}` });
  expect(await stream()).toEqual({ status: 200, ratelimit: left(0), policy, retryAfter: undefined });
  expect(await stream()).toEqual({
    status: 429,
    ratelimit: left(0),
    policy,
    retryAfter: expect.stringMatching(/^\d+$/),
  });
});

test("400, 429: so is opening a socket, where it is answered with HTTP", async () => {
  const { key } = await makeCustomer(app);
  const token = { "sec-websocket-protocol": `aftercall.v1, bearer.${key}` };
  expect(await ask("/v1/ws", token)).toMatchObject({ status: 400, ratelimit: left(0), policy });
  const upgrade = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  };
  expect(await ask("/v1/ws", { ...token, ...upgrade })).toMatchObject({ status: 429, ratelimit: left(0), policy });
});
