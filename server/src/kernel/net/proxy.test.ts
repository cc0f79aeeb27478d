import { afterEach, beforeEach, expect, test } from "vitest";

import { startProxy, type TestProxy } from "../../../test/harness/proxy.ts";
import { type Receiver, startReceiver } from "../../../test/harness/receiver.ts";
import { pem, startTlsReceiver } from "../../../test/harness/tls-receiver.ts";
import { systemClock } from "../clock.ts";
import type { HttpFailure } from "./failure.ts";
import { createGuardedHttp, type GuardedHttp, type GuardedHttpOptions } from "./http.ts";
import { isDirect } from "./proxy.ts";

let proxy: TestProxy;
let receiver: Receiver;
const clients: GuardedHttp[] = [];
beforeEach(async () => {
  [proxy, receiver] = await Promise.all([startProxy(), startReceiver()]);
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await Promise.all([proxy.close(), receiver.close()]);
});

/** A name that means a public address; what the proxy connects to is the receiver. */
const publicAddress = "93.184.215.14";
function client(options: Partial<GuardedHttpOptions> = {}): GuardedHttp {
  const http = createGuardedHttp({
    privateTargets: [],
    allowHttp: true,
    clock: systemClock,
    resolver: async () => [publicAddress],
    proxy: { url: proxy.url, noProxy: [] },
    ...options,
  });
  clients.push(http);
  return http;
}
const post = (url: string) =>
  ({ url, method: "POST", headers: {}, body: Buffer.from("{}"), timeoutMs: 5_000, responseBytesMax: 1000 }) as const;
const failureOfRequest = (http: GuardedHttp, url: string) =>
  http.request(post(url)).then(
    () => "answered",
    (error: HttpFailure) => error.failure,
  );
const portOf = (url: string) => new URL(url).port;

test("a request goes through the proxy, which is told the address that was checked", async () => {
  const answer = await client().request(post(`http://hooks.example.com:${portOf(receiver.url)}/a`));
  expect(answer.status).toBe(200);
  expect(proxy.asked).toEqual([{ target: `${publicAddress}:${portOf(receiver.url)}`, authorization: null }]);
  expect(receiver.received[0]?.headers.host).toBe(`hooks.example.com:${portOf(receiver.url)}`);
});

test("TLS is spoken with the receiver and not with the proxy: its certificate must fit the name", async () => {
  const tls = await startTlsReceiver();
  const http = client({ ca: pem("ca.pem") });
  expect((await http.request(post(`https://hooks.example.com:${tls.port}/`))).status).toBe(200);
  expect(tls.seen).toEqual([{ client: null, servername: "hooks.example.com" }]);
  expect(await failureOfRequest(http, `https://other.example.com:${tls.port}/`)).toBe("tls");
  expect(await failureOfRequest(client(), `https://hooks.example.com:${tls.port}/`)).toBe("tls");
  await tls.close();
});

test("the guard stays on: what is not public is refused before the proxy hears of it", async () => {
  expect(await failureOfRequest(client(), "http://10.1.2.3/")).toBe("blocked_target");
  const rebound = client({ resolver: async () => [publicAddress, "169.254.169.254"] });
  expect(await failureOfRequest(rebound, "http://hooks.example.com/")).toBe("blocked_target");
  expect(proxy.asked).toEqual([]);
});

test("a user and password in the proxy's URL are shown to the proxy and to nobody else", async () => {
  const url = proxy.url.replace("http://", "http://us%40er:p%3Aw@");
  const http = client({ proxy: { url, noProxy: [] } });
  await http.request(post(`http://hooks.example.com:${portOf(receiver.url)}/`));
  expect(proxy.asked[0]?.authorization).toBe(`Basic ${Buffer.from("us@er:p:w").toString("base64")}`);
  expect(receiver.received[0]?.headers["proxy-authorization"]).toBeUndefined();
});

test.each([403, 407, 502])("a proxy that answers %i is a failed connection", async (status) => {
  proxy.answer(status);
  expect(await failureOfRequest(client(), "http://hooks.example.com/")).toBe("connect");
});

test("a proxy that is not there is a failed connection", async () => {
  const http = client({ proxy: { url: "http://127.0.0.1:9", noProxy: [] } });
  expect(await failureOfRequest(http, "http://hooks.example.com/")).toBe("connect");
});

test("what NO_PROXY names is dialled directly", async () => {
  const http = client({
    privateTargets: ["127.0.0.0/8"],
    resolver: async () => ["127.0.0.1"],
    proxy: { url: proxy.url, noProxy: ["example.com"] },
  });
  await http.request(post(`http://hooks.example.com:${portOf(receiver.url)}/`));
  expect(receiver.received).toHaveLength(1);
  expect(proxy.asked).toEqual([]);
});

test.each<[string[], boolean]>([
  [[], false],
  [["*"], true],
  [["example.com"], true],
  [["EXAMPLE.com"], true],
  [[".example.com"], true],
  [["*.example.com"], true],
  [["hooks.example.com:443"], true],
  [["hooks.example.com:8443"], false],
  [["ample.com"], false],
  [[".hooks.example.com"], false],
  [["93.184.215.14"], true],
  [["93.184.0.0/16"], true],
  [["93.185.0.0/16", "2000::/3"], false],
  [["not a cidr/99", ""], false],
])("hooks.example.com with NO_PROXY %j: direct %j", (noProxy, expected) => {
  expect(isDirect("hooks.example.com", "443", [publicAddress], noProxy)).toBe(expected);
});

test("loopback is dialled directly, another machine's would answer otherwise", () => {
  expect(isDirect("localhost", "80", ["127.0.0.1", "::1"], [])).toBe(true);
  expect(isDirect("localhost", "80", ["127.0.0.1", "10.0.0.1"], [])).toBe(false);
});
