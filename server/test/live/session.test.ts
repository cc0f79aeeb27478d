import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { known, startTestApp, type TestApp } from "../harness/app.ts";
import { type Customer, makeCustomer, randomToken } from "../harness/customer.ts";
import { userToken } from "../harness/sign.ts";

const page = "https://app.example.com";
let app: TestApp;
let secure: TestApp;
let customer: Customer;
beforeAll(async () => {
  app = await startTestApp({ PUBLIC_URL: "http://calls.example.com", AFTERCALL_ALLOWED_ORIGINS: page });
  secure = await startTestApp({ PUBLIC_URL: "https://calls.example.com" });
});
afterAll(() => Promise.all([app.stop(), secure.stop()]));
beforeEach(async () => {
  customer = await makeCustomer(app);
});

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const ask = (method: string, path: string, headers: Record<string, string>) =>
  fetch(`${app.url}${path}`, { method, headers });
const begin = (key = customer.key, headers: Record<string, string> = {}) =>
  ask("PUT", "/v1/session", { ...bearer(key), ...headers });

/** What a browser sends from then on. */
async function cookieOf(answer: Response): Promise<{ cookie: string }> {
  expect(answer.status).toBe(200);
  return { cookie: answer.headers.get("set-cookie")?.split(";")[0] ?? "" };
}

/** The status of a stream that is opened so, and what it says first. */
async function open(headers: Record<string, string>): Promise<{ status: number; first: string; headers: Headers }> {
  const cutting = new AbortController();
  const answer = await fetch(`${app.url}/v1/stream`, { headers, signal: cutting.signal });
  const { value } = (await answer.body?.pipeThrough(new TextDecoderStream()).getReader().read()) ?? { value: "" };
  cutting.abort();
  return { status: answer.status, first: value ?? "", headers: answer.headers };
}

test("200: a credential becomes a cookie that no script can read and no other site can send", async () => {
  const answer = await begin();
  const { expires_at } = (await answer.json()) as { expires_at: string };
  expect(Math.abs(Date.parse(expires_at) - Date.now() - 12 * 3_600_000)).toBeLessThan(60_000);
  const [pair = "", ...attributes] = answer.headers.get("set-cookie")?.split("; ") ?? [];
  expect(pair).toMatch(/^aftercall-session=[\w-]+$/);
  expect(attributes).toEqual([expect.stringMatching(/^Max-Age=4\d{4}$/), "Path=/", "HttpOnly", "SameSite=Strict"]);
  expect(answer.headers.get("cache-control")).toBe("no-store");
  const overTls = await fetch(`${secure.url}/v1/session`, {
    method: "PUT",
    headers: bearer((await makeCustomer(secure)).key),
  });
  expect(overTls.headers.get("set-cookie")).toMatch(/^__Host-aftercall-session=.*; HttpOnly; SameSite=Strict; Secure$/);
});

test("the key cannot be read from the cookie", async () => {
  const { cookie } = await cookieOf(await begin());
  const bytes = Buffer.from(cookie.slice(cookie.indexOf("=") + 1), "base64url");
  expect(bytes.includes(customer.key)).toBe(false);
  expect(cookie).not.toContain(customer.key);
});

test("200: the cookie opens the stream, for the tenant of the key and with what the key may see", async () => {
  const stream = await open(await cookieOf(await begin()));
  expect([stream.status, stream.first.startsWith("retry: 2000\nid: ")]).toEqual([200, true]);
  const { token } = await customer.post("/v1/embed-tokens", { business_id: "10" });
  const theirs = await cookieOf(await begin(token));
  expect((await open(theirs)).status).toBe(200);
  expect((await ask("GET", "/v1/stream?topics=deliveries", theirs)).status).toBe(403);
});

test("401: nothing else takes the cookie, neither reads nor changes", async () => {
  const cookie = await cookieOf(await begin());
  const routes = [
    ["GET", "/v1/calls"],
    ["GET", "/v1/whoami"],
    ["POST", "/v1/campaigns"],
    ["PUT", "/v1/session"],
    ["DELETE", "/v1/api-keys/key_00000000000000000000000000"],
  ] as const;
  for (const [method, path] of routes) {
    expect([path, (await ask(method, path, { ...cookie, origin: page })).status]).toEqual([path, 401]);
  }
});

test("401: a cookie that was altered, is of another server's making, or came twice opens nothing", async () => {
  const { cookie } = await cookieOf(await begin());
  const altered = cookie.slice(0, -4) + (cookie.endsWith("AAAA") ? "BBBB" : "AAAA");
  for (const one of [altered, "aftercall-session=", "aftercall-session=e30", `${cookie}; ${cookie}`]) {
    expect((await open({ cookie: one })).status).toBe(401);
  }
  expect((await begin("ac_live_wrong")).status).toBe(401);
});

test("401: with the key its sessions are over", async () => {
  const { key, id } = await customer.post("/v1/api-keys", { name: "page", role: "viewer" });
  const cookie = await cookieOf(await begin(key));
  expect((await open(cookie)).status).toBe(200);
  expect((await customer.ask("DELETE", `/v1/api-keys/${id}`)).status).toBeLessThan(300);
  expect((await open(cookie)).status).toBe(401);
});

test("403: a page of another origin gets no session and opens no stream with one", async () => {
  const evil = { origin: "https://evil.example" };
  expect((await begin(customer.key, evil)).status).toBe(403);
  const cookie = await cookieOf(await begin());
  expect((await open({ ...cookie, ...evil })).status).toBe(403);
  expect((await ask("DELETE", "/v1/session", { ...cookie, ...evil })).status).toBe(403);
  expect((await ask("DELETE", "/v1/session", cookie)).status).toBe(403);
});

test("401: a browser that sends the cookie from another site all the same opens nothing", async () => {
  const cookie = await cookieOf(await begin());
  expect((await open({ ...cookie, "sec-fetch-site": "same-origin" })).status).toBe(200);
  expect((await open({ ...cookie, "sec-fetch-site": "cross-site" })).status).toBe(401);
});

test("a page of an allowed origin may send the cookie to the stream, and to nothing else", async () => {
  const from = { origin: page };
  const answer = await begin(customer.key, from);
  expect(answer.headers.get("access-control-allow-credentials")).toBe("true");
  const stream = await open({ ...(await cookieOf(answer)), ...from });
  expect([stream.status, stream.headers.get("access-control-allow-credentials")]).toEqual([200, "true"]);
  const calls = await ask("GET", "/v1/calls", { ...bearer(customer.key), ...from });
  expect(calls.headers.get("access-control-allow-credentials")).toBe(null);
});

test("204: DELETE takes the cookie away, also one that counts no more, and both ends of a session are in the audit log", async () => {
  const cookie = await cookieOf(await begin());
  const answer = await ask("DELETE", "/v1/session", { ...cookie, origin: page });
  expect([answer.status, answer.headers.get("set-cookie")]).toEqual([
    204,
    "aftercall-session=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict",
  ]);
  const foreign = { cookie: "aftercall-session=e30", origin: page };
  expect((await ask("DELETE", "/v1/session", foreign)).status).toBe(204);
  expect((await ask("DELETE", "/v1/session", {})).status).toBe(204);
  const { data } = await customer.get("/v1/audit-log");
  const actions = data.map(({ action }: { action: string }) => action);
  expect(actions.filter((action: string) => action.startsWith("session."))).toEqual([
    "session.ended",
    "session.created",
  ]);
});

test("400: a token that is too long for a cookie is refused, and not cut", async () => {
  const sub = randomToken("anna");
  await customer.post("/v1/users", { external_id: sub });
  expect((await begin(userToken(known.jwtSecret, { sub }))).status).toBe(200);
  const long = userToken(known.jwtSecret, { sub, tenant: "x".repeat(4_000) });
  expect((await begin(long)).status).toBe(400);
});
