import { afterAll, beforeAll, expect, test } from "vitest";

import { startHttp, type TestHttp } from "../../test/harness/http.ts";
import { registerCors } from "./cors.ts";

const origin = "https://app.example.com";
let http: TestHttp;
beforeAll(async () => {
  http = await startHttp((app) => {
    registerCors(app, new Set([origin]));
    app.get("/v1/thing", async () => ({ ok: true }));
    app.get("/docs/thing", async () => ({ ok: true }));
  });
});
afterAll(() => http.close());

function ask(method: string, path: string, from: string, headers: Record<string, string> = {}) {
  return fetch(http.url + path, { method, headers: { origin: from, ...headers } });
}
const preflight = { "access-control-request-method": "PATCH", "access-control-request-headers": "authorization" };

test("204: a page of a configured origin may send what the API takes", async () => {
  const answer = await ask("OPTIONS", "/v1/thing", origin, preflight);
  expect(answer.status).toBe(204);
  expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
  expect(answer.headers.get("access-control-allow-methods")).toContain("PATCH");
  expect(answer.headers.get("access-control-allow-headers")).toContain("Idempotency-Key");
  expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
});

test("200: its page may read the answer and the headers that tell of limits; a cache keeps origins apart", async () => {
  const { headers, status } = await ask("GET", "/v1/thing", origin);
  expect([status, headers.get("access-control-allow-origin"), headers.get("vary")]).toEqual([200, origin, "Origin"]);
  expect(headers.get("access-control-expose-headers")).toContain("RateLimit");
});

test("404: so may it read a refusal", async () => {
  const { headers, status } = await ask("GET", "/v1/nothing", origin);
  expect([status, headers.get("access-control-allow-origin")]).toEqual([404, origin]);
});

test.each(["https://evil.example", "https://app.example.com.evil.example", "http://app.example.com", "null"])(
  "405: a page of %s is told nothing that its browser would take for a yes",
  async (stranger) => {
    const asked = await ask("OPTIONS", "/v1/thing", stranger, preflight);
    const read = await ask("GET", "/v1/thing", stranger);
    expect([asked.status, read.status]).toEqual([405, 200]);
    for (const { headers } of [asked, read]) expect(headers.get("access-control-allow-origin")).toBeNull();
  },
);

test("405: nothing but the API", async () => {
  expect((await ask("OPTIONS", "/docs/thing", origin, preflight)).status).toBe(405);
});
