import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { providers } from "#/providers/index.ts";

import { startTestApp, type TestApp } from "../harness/app.ts";

// A server of its own: whoever floods from this address would disturb every other test.
let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const given = providers.flatMap(({ givenRoutes, accepts, bodyBytesMax }) =>
  givenRoutes.map(({ path }) => [path, { isForm: accepts.includes("form"), bodyBytesMax }] as const),
);
const json = { "content-type": "application/json" };
const form = { "content-type": "application/x-www-form-urlencoded" };

// The harness holds each answer against the API reference: its status, its type and its body.
describe.each(given)("%s", (path, { isForm, bodyBytesMax }) => {
  const headers = isForm ? form : json;

  test("413: a body that is too large", async () => {
    const body = `{"x":"${"x".repeat(bodyBytesMax)}"}`;
    expect((await app.post(path, { headers, body })).status).toBe(413);
  });

  test("415: a body that is neither JSON nor a form", async () => {
    const sent = { headers: { "content-type": "image/png" }, body: "x" };
    expect((await app.post(path, sent)).status).toBe(415);
  });

  test("429: more than a hundred that do not verify, and says when to come again", async () => {
    const sent = { headers, body: isForm ? "CallSid=CA1" : "{}" };
    const flood = await Promise.all(Array.from({ length: 110 }, () => app.post(path, sent)));
    const refused = flood.find(({ status }) => status === 429);
    expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThan(0);
  });
});
