import { afterEach, beforeEach, expect, test } from "vitest";

import { pem, startTlsReceiver, type TlsReceiver } from "../../../test/harness/tls-receiver.ts";
import { systemClock } from "../clock.ts";
import type { HttpFailure } from "./failure.ts";
import { type ClientTls, createGuardedHttp, type GuardedHttp } from "./http.ts";

let receiver: TlsReceiver;
let http: GuardedHttp;
beforeEach(async () => {
  receiver = await startTlsReceiver({ asksForCertificate: true });
  http = createGuardedHttp({ privateTargets: ["127.0.0.0/8"], allowHttp: false, clock: systemClock });
});
afterEach(async () => {
  await http.close();
  await receiver.close();
});

const identity = (name: string, ca: string | null = pem("ca.pem")): ClientTls => ({
  id: `${name} ${ca}`,
  certificate: pem(`${name}.pem`),
  privateKey: pem(`${name}.key`),
  ca,
});
const request = (tls?: ClientTls) =>
  http.request({
    url: receiver.url,
    method: "POST",
    headers: {},
    body: Buffer.from("{}"),
    timeoutMs: 5_000,
    responseBytesMax: 1000,
    ...(tls && { tls }),
  });
const failureOfRequest = (tls?: ClientTls) =>
  request(tls).then(
    () => "answered",
    (error: HttpFailure) => error.failure,
  );

/** In TLS 1.3 a server looks at the certificate after the client is done: it may say what is wrong, or just hang up. */
const refusals = ["tls", "reset"];

test("a receiver that asks for a certificate sees the client's", async () => {
  expect((await request(identity("client"))).status).toBe(200);
  expect(receiver.seen).toEqual([{ client: "aftercall client", servername: null }]);
});

test("a certificate that the receiver does not trust ends the connection, and there is no request", async () => {
  expect(refusals).toContain(await failureOfRequest(identity("stranger")));
  expect(receiver.seen).toEqual([]);
});

test("a receiver whose certificate the given authority did not sign is a TLS failure", async () => {
  expect(await failureOfRequest(identity("client", pem("other-ca.pem")))).toBe("tls");
  expect(await failureOfRequest(identity("client", null))).toBe("tls");
  expect(receiver.seen).toEqual([]);
});

test("a connection made with one certificate is never used without it", async () => {
  expect((await request(identity("client"))).status).toBe(200);
  expect(await failureOfRequest()).toBe("tls");
  expect(refusals).toContain(await failureOfRequest(identity("stranger")));
  expect(receiver.seen).toHaveLength(1);
});

test("a key that cannot be read is a TLS failure", async () => {
  expect(await failureOfRequest({ ...identity("client"), id: "broken", privateKey: "no key" })).toBe("tls");
});
