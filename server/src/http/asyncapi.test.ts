import { socketFrames, streamItems } from "@aftercall/contract/live.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { startHttp, type TestHttp } from "../../test/harness/http.ts";
import { asyncApiOf, registerAsyncApi } from "./asyncapi.ts";

const options = { publicUrl: "https://calls.example.com", version: "1.2.3" };
const document = asyncApiOf(options);

let http: TestHttp;
beforeAll(async () => {
  http = await startHttp((app) => registerAsyncApi(app, options));
});
afterAll(() => http.close());

/** Objects of AsyncAPI 3.0 as far as the document uses them, with no field but those the specification names. */
const Ref = z.strictObject({ $ref: z.string().startsWith("#/") });
const Schema = z.record(z.string(), z.unknown());
const AsyncApi = z.strictObject({
  asyncapi: z.literal("3.0.0"),
  info: z.strictObject({ title: z.string(), version: z.string(), description: z.string() }),
  defaultContentType: z.string(),
  servers: z.record(
    z.string().regex(/^[\w-]+$/),
    z.strictObject({
      host: z.string(),
      pathname: z.string().optional(),
      protocol: z.enum(["http", "https", "ws", "wss"]),
      description: z.string(),
      security: z.array(Ref),
    }),
  ),
  channels: z.record(
    z.string(),
    z.strictObject({
      address: z.string().startsWith("/"),
      description: z.string(),
      servers: z.array(Ref),
      messages: z.record(z.string(), Ref),
    }),
  ),
  operations: z.record(
    z.string(),
    z.strictObject({
      action: z.enum(["send", "receive"]),
      channel: Ref,
      summary: z.string(),
      messages: z.array(Ref).min(1),
    }),
  ),
  components: z.strictObject({
    securitySchemes: z.record(
      z.string(),
      z.strictObject({ type: z.literal("http"), scheme: z.string(), description: z.string() }),
    ),
    messages: z.record(
      z.string().regex(/^[a-zA-Z0-9.\-_]+$/),
      z.strictObject({ name: z.string(), contentType: z.string(), payload: Schema }),
    ),
  }),
});

test("200: the document is served to everybody, and is AsyncAPI 3.0", async () => {
  const answer = await fetch(`${http.url}/asyncapi.json`);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/json; charset=utf-8"]);
  const served: unknown = await answer.json();
  expect(served).toEqual(JSON.parse(JSON.stringify(document)));
  expect(AsyncApi.parse(served)).toEqual(served);
});

test("every reference leads somewhere, and every operation's messages are those of its channel", () => {
  const text = JSON.stringify(document);
  const refs = [...text.matchAll(/"\$ref":"(#\/[^"]+)"/g)].map((match) => match[1] ?? "");
  expect(refs.length).toBeGreaterThan(20);
  for (const ref of refs) expect(resolve(ref), ref).toBeDefined();
  for (const { channel, messages } of Object.values(document.operations)) {
    for (const { $ref } of messages) expect($ref.startsWith(`${channel.$ref}/messages/`)).toBe(true);
  }
});

test("everything that the contract names is in the document, and nothing else", () => {
  const named = [
    ...Object.keys(streamItems).map((name) => `stream.${name}`),
    ...Object.keys({ ...socketFrames.received, ...socketFrames.sent }).map((name) => `socket.${name}`),
  ];
  expect(Object.keys(document.components.messages).toSorted()).toEqual(named.toSorted());
});

test.each([
  ["http://localhost:4400", "localhost:4400", undefined, "ws"],
  ["https://example.com/calls", "example.com", "/calls", "wss"],
] as const)("a server at %s is found where it is", (publicUrl, host, pathname, protocol) => {
  expect(asyncApiOf({ ...options, publicUrl }).servers.socket).toMatchObject({
    host,
    protocol,
    ...(pathname && { pathname }),
  });
});

/** RFC 6901. */
function resolve(ref: string): unknown {
  return ref
    .slice(2)
    .split("/")
    .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key.replaceAll("~1", "/")], document);
}
