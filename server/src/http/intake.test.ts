import { Readable } from "node:stream";

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import type { IncomingWebhook } from "#/providers/incoming.ts";
import { type Answer, jsonAnswer } from "#/providers/provider.ts";

import { exchange, startHttp, statusesOf, type TestHttp } from "../../test/harness/http.ts";
import { testProvider } from "../../test/harness/provider.ts";
import { registerIntake } from "./intake.ts";

const provider = (name: string, path: string, accepts: readonly ("json" | "form")[]) =>
  testProvider({ name, givenRoutes: [{ method: "POST", path }], accepts, bodyBytesMax: 2_000 });
const voices = provider("voices", "/webhooks/voices/post-call", ["json"]);
const begin = () => ({ update: () => {}, verify: () => ({ ok: true, scheme: "test" }) as const });
const songs = {
  ...provider("songs", "/webhooks/songs", ["json"]),
  large: { bytesMax: 5_000, type: "test.recording", member: "audio", begin },
};
const lines = provider("lines", "/webhook/line_status", ["form"]);

let http: TestHttp;
let received: IncomingWebhook[] = [];
let next: Answer;
beforeAll(async () => {
  http = await startHttp((app) =>
    registerIntake(app, {
      providers: [voices, lines, songs],
      publicUrl: "https://calls.example.com",
      providerOf: async (slug) => (slug === "mine" ? lines : null),
      receive: async (webhook) => {
        received.push(webhook);
        return next;
      },
      async receiveLarge(webhook, body) {
        received.push(webhook);
        const chunks = await Readable.from(body).toArray();
        return { status: 200, body: `streamed ${Buffer.concat(chunks).length}` };
      },
    }),
  );
});
beforeEach(() => {
  received = [];
  next = jsonAnswer(200, { ok: true });
});
afterAll(() => http.close());

const json = { method: "POST", headers: { "content-type": "application/json" }, body: '{ "a" : 1 }' };

test("a given route hands over the exact bytes and the public URL, whatever Host says", async () => {
  const raw = `POST /webhooks/voices/post-call?x=%41&x=2 HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\nX-Sig: one\r\nx-sig: two\r\nContent-Type: application/json\r\nContent-Length: 11\r\nConnection: close\r\n\r\n{ "a" : 1 }`;
  expect(statusesOf(await exchange(http.port, raw))).toEqual([200]);
  const [webhook] = received;
  expect(webhook).toMatchObject({ route: "given", provider: "voices", remoteAddress: "127.0.0.1" });
  expect(webhook?.request.url).toBe("https://calls.example.com/webhooks/voices/post-call?x=%41&x=2");
  expect(webhook?.request.body.toString()).toBe('{ "a" : 1 }');
  expect(webhook?.request.headers.get("x-sig")).toEqual(["one", "two"]);
});

test("a source's own route hands over its slug", async () => {
  await fetch(`${http.url}/webhooks/mine`, { method: "POST", body: new URLSearchParams({ CallSid: "CA1" }) });
  expect(received[0]).toMatchObject({ route: "own", source: "mine" });
  expect(received[0]?.request.body.toString()).toBe("CallSid=CA1");
});

test("a body that is too long to be held is handed over as it comes, where the provider sends such, up to a limit", async () => {
  const send = async (path: string, bytes: number, isChunked: boolean) => {
    const body = "x".repeat(bytes);
    const answer = await fetch(http.url + path, {
      ...json,
      ...(isChunked ? { body: new Blob([body]).stream(), duplex: "half" as const } : { body }),
    });
    return [answer.status, (await answer.text()).slice(0, 13)];
  };
  for (const isChunked of [false, true]) {
    // oxlint-disable-next-line no-await-in-loop -- Two.
    expect(await send("/webhooks/songs", 5_000, isChunked)).toEqual([200, "streamed 5000"]);
    // oxlint-disable-next-line no-await-in-loop -- Two.
    expect((await send("/webhooks/songs", 5_001, isChunked))[0]).toBe(413);
    // oxlint-disable-next-line no-await-in-loop -- Two.
    expect((await send("/webhooks/voices/post-call", 2_001, isChunked))[0]).toBe(413);
  }
  received = [];
  expect(await send("/webhooks/songs", 2_000, false)).toEqual([200, '{"ok":true}']);
});

test("the answer is the provider's, byte for byte", async () => {
  next = { status: 401, body: "Unauthorized", contentType: "text/plain", headers: { "retry-after": "7" } };
  const answer = await fetch(`${http.url}/webhooks/voices/post-call`, json);
  expect([answer.status, await answer.text(), answer.headers.get("retry-after")]).toEqual([401, "Unauthorized", "7"]);
});

test("204: has neither body nor content type", async () => {
  next = { status: 204, body: "" };
  const answer = await fetch(`${http.url}/webhooks/voices/post-call`, json);
  expect([answer.status, await answer.text(), answer.headers.get("content-type")]).toEqual([204, "", null]);
});

test("404: no such source, before its body is read", async () => {
  const raw =
    "POST /webhooks/nobody HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 900\r\nConnection: close\r\n\r\n";
  expect(statusesOf(await exchange(http.port, raw))).toEqual([404]);
  expect(received).toEqual([]);
});

test("413: each route has its provider's limit", async () => {
  for (const path of ["/webhooks/voices/post-call", "/webhooks/mine"]) {
    const type = path.endsWith("mine") ? "application/x-www-form-urlencoded" : "application/json";
    const answer = await fetch(http.url + path, {
      method: "POST",
      headers: { "content-type": type },
      body: "x".repeat(2_001),
    });
    expect(answer.status).toBe(413);
  }
  expect(received).toEqual([]);
});

test("415: each route takes what its provider sends, and nothing else", async () => {
  expect((await fetch(`${http.url}/webhook/line_status`, json)).status).toBe(415);
  expect((await fetch(`${http.url}/webhooks/mine`, json)).status).toBe(415);
  expect(
    (await fetch(`${http.url}/webhooks/voices/post-call`, { method: "POST", body: new URLSearchParams({ a: "1" }) }))
      .status,
  ).toBe(415);
  expect(received).toEqual([]);
});

test("an empty body without a content type still reaches the provider's verdict", async () => {
  await fetch(`${http.url}/webhooks/voices/post-call`, { method: "POST" });
  expect(received[0]?.request.body).toHaveLength(0);
});
