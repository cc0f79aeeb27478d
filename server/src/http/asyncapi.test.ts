import { socketFrames } from "@aftercall/contract/live-frames.ts";
import { streamItems } from "@aftercall/contract/live.ts";
import asyncApiSchema from "@asyncapi/specs/schemas/3.0.0-without-$id.json" with { type: "json" };
import { Ajv } from "ajv";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startHttp, type TestHttp } from "../../test/harness/http.ts";
import { asyncApiOf, registerAsyncApi } from "./asyncapi.ts";

const options = { publicUrl: "https://calls.example.com", version: "1.2.3" };
const document = asyncApiOf(options);

let http: TestHttp;
beforeAll(async () => {
  http = await startHttp((app) => registerAsyncApi(app, options));
});
afterAll(() => http.close());

/** The specification's own JSON Schema; it is of draft 7, which ajv takes as it comes. */
const isAsyncApi = new Ajv({
  strict: false,
  allErrors: true,
  logger: false,
  formats: { uri: isUri, "uri-reference": isUriReference, regex: true },
}).compile(asyncApiSchema);

test("200: the document is served to everybody, and is what the schema of AsyncAPI 3.0 allows", async () => {
  const answer = await fetch(`${http.url}/asyncapi.json`);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/json; charset=utf-8"]);
  const served: unknown = await answer.json();
  expect(served).toEqual(asJson(document));
  expect(faultsOf(served)).toEqual([]);
});

test.each<[mistake: string, change: object]>([
  ["an unknown action", { operations: { hearClient: { action: "listen", channel: { $ref: "#/channels/socket" } } } }],
  ["a server without a protocol", { servers: { events: { host: "calls.example.com" } } }],
  ["a field that does not exist", { topics: ["calls"] }],
  ["a payload that is no JSON Schema", { components: { messages: { bad: { payload: { type: "call" } } } } }],
  ["another version of AsyncAPI", { asyncapi: "2.6.0" }],
  ["no title", { info: { version: "1.2.3" } }],
])("the schema sees %s", (_mistake, change) => {
  expect(faultsOf({ ...asJson(document), ...change })).not.toEqual([]);
});

test("every reference leads somewhere, and every operation's messages are those of its channel", () => {
  const text = JSON.stringify(document);
  const refs = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] ?? "");
  expect(refs.length).toBeGreaterThan(20);
  for (const ref of refs) expect(ref.startsWith("#/") && resolve(ref), ref).toBeTypeOf("object");
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
  const there = asyncApiOf({ ...options, publicUrl });
  expect(there.servers.socket).toMatchObject({ host, protocol, ...(pathname && { pathname }) });
  expect(faultsOf(asJson(there))).toEqual([]);
});

/** RFC 6901. */
function resolve(ref: string): unknown {
  return ref
    .slice(2)
    .split("/")
    .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key.replaceAll("~1", "/")], document);
}

/** What the schema says against a document, place by place. */
function faultsOf(served: unknown): string[] {
  isAsyncApi(served);
  return (isAsyncApi.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

function asJson(value: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value));
}

function isUri(text: string): boolean {
  return URL.canParse(text);
}

function isUriReference(text: string): boolean {
  return URL.canParse(text, "https://calls.example.com/asyncapi.json");
}
