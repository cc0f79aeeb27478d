import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newUuid, randomToken, type Customer } from "../harness/customer.ts";
import { startReceiver, type Receiver } from "../harness/receiver.ts";

let app: TestApp;
let keys: Receiver;
let customer: Customer;
let sub: string;
const issuer = "https://login.example.com/";
const pairs = new Map<string, { readonly privateKey: CryptoKey; readonly jwk: JWK }>();

beforeAll(async () => {
  app = await startTestApp();
  keys = await startReceiver();
  for (const [kid, alg] of [
    ["rsa-1", "RS256"],
    ["ec-1", "ES256"],
    ["rsa-512", "RS512"],
    ["stranger", "RS256"],
  ] as const) {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    pairs.set(kid, { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg } });
  }
  publish("rsa-1", "ec-1", "rsa-512");
  customer = await makeCustomer(app);
  sub = randomToken("auth0|anna");
  await customer.post("/v1/members", { external_id: sub, role: "admin" });
  await customer.post("/v1/identity-providers", { name: "Login", issuer, audience: "aftercall", jwks_url: keys.url });
});
afterAll(async () => {
  await keys.close();
  await app.stop();
});

function publish(...kids: string[]): void {
  const set = { keys: kids.map((kid) => pairs.get(kid)?.jwk) };
  keys.answer({ status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(set) });
}

type Changes = { kid?: string; alg?: string; claims?: Record<string, unknown>; header?: string };

async function token({ kid = "rsa-1", alg = "RS256", claims = {}, header = kid }: Changes = {}): Promise<string> {
  const pair = pairs.get(kid);
  if (!pair) throw new Error(`no key ${kid}`);
  const exp = Math.floor(Date.now() / 1000) + 600;
  return new SignJWT({ iss: issuer, aud: "aftercall", sub, exp, ...claims })
    .setProtectedHeader({ alg, kid: header })
    .sign(pair.privateKey);
}

const whoami = async (text: string) => app.ask(text, "GET", "/v1/whoami");

test.each([
  ["RS256", "rsa-1"],
  ["ES256", "ec-1"],
])("200: a token signed with %s is believed, in the role that the tenant gave", async (alg, kid) => {
  const { status, json } = await whoami(await token({ alg, kid }));
  expect([status, json.actor.kind, json.actor.role]).toEqual([200, "user", "admin"]);
});

test("200: it opens the outcome of a call as well, for the user that it names", async () => {
  const call = await customer.post("/v1/calls", { provider: "vapi", provider_call_id: newUuid(), user_id: sub });
  const path = `/api/calls/${call.id}/outcome?user_id=${encodeURIComponent(sub)}`;
  expect((await app.ask(await token(), "GET", path)).status).toBe(200);
});

test("200: it can take away, and not add", async () => {
  expect((await whoami(await token({ claims: { role: "viewer" } }))).json.actor.role).toBe("viewer");
  const user = randomToken("plain");
  await customer.post("/v1/users", { external_id: user });
  expect((await whoami(await token({ claims: { sub: user, role: "admin" } }))).json.actor.role).toBe("member");
});

test("200: the keys are fetched once, not for every token; a new key is found when it is first used", async () => {
  const before = keys.received.length;
  for (let i = 0; i < 5; i++) expect((await whoami(await token())).status).toBe(200);
  expect(keys.received.length - before).toBeLessThanOrEqual(1);

  const other = await makeCustomer(app);
  await other.post("/v1/identity-providers", { name: "L", issuer: "https://second.example/", jwks_url: keys.url });
  const person = randomToken("p");
  await other.post("/v1/users", { external_id: person });
  const claims = { iss: "https://second.example/", sub: person };
  expect((await whoami(await token({ claims }))).status).toBe(200);
});

test.each<[string, () => Promise<string>]>([
  ["that has run out", () => token({ claims: { exp: Math.floor(Date.now() / 1000) - 1 } })],
  ["without exp", () => token({ claims: { exp: undefined } })],
  ["without sub", () => token({ claims: { sub: undefined } })],
  ["for somebody else's audience", () => token({ claims: { aud: "another" } })],
  ["of an issuer that nobody believes", () => token({ claims: { iss: "https://evil.example/" } })],
  ["without an issuer", () => token({ claims: { iss: undefined } })],
  ["signed by a stranger under a name of ours", () => token({ kid: "stranger", header: "rsa-1" })],
  ["signed with a key that is not in the set", () => token({ kid: "stranger" })],
  ["of an algorithm that is not taken", () => token({ alg: "RS512", kid: "rsa-512" })],
  ["of somebody who is no user", () => token({ claims: { sub: "nobody" } })],
  ["cut off", async () => (await token()).slice(0, -8)],
])("401: a token %s", async (_name, make) => {
  const { status, json, headers } = await whoami(await make());
  expect([status, json.code, headers.get("www-authenticate")]).toEqual([401, "unauthorized", "Bearer"]);
});

test("401: one that is 'signed' with the public key as a secret", async () => {
  const publicKey = new TextEncoder().encode(JSON.stringify(pairs.get("rsa-1")?.jwk));
  const forged = await new SignJWT({ iss: issuer, aud: "aftercall", sub, exp: Math.floor(Date.now() / 1000) + 600 })
    .setProtectedHeader({ alg: "HS256", kid: "rsa-1" })
    .sign(publicKey);
  expect((await whoami(forged)).status).toBe(401);
});

test("401: a tenant that believes the same issuer with keys of its own opens nothing but itself", async () => {
  const thief = await makeCustomer(app);
  const own = await startReceiver();
  const set = { keys: [pairs.get("stranger")?.jwk] };
  own.answer({ status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(set) });
  await thief.post("/v1/identity-providers", { name: "Copy", issuer, jwks_url: own.url });
  expect((await whoami(await token({ kid: "stranger" }))).status).toBe(401);
  await thief.post("/v1/users", { external_id: sub });
  const { json } = await whoami(await token({ kid: "stranger" }));
  expect(json.tenant.slug).toBe(`test-${thief.tenantId}`);
  await own.close();
});

test("503: the keys cannot be fetched; not a word about whether the token was good", async () => {
  const down = await makeCustomer(app);
  const dead = await startReceiver();
  await dead.close();
  await down.post("/v1/identity-providers", { name: "D", issuer: "https://down.example/", jwks_url: dead.url });
  const { status, json } = await whoami(await token({ claims: { iss: "https://down.example/" } }));
  expect([status, json.code]).toEqual([503, "unavailable"]);
});

test("422: keys are not fetched from where webhooks may not go either", async () => {
  const body = { name: "Inside", issuer: "https://inside.example/", jwks_url: "http://169.254.169.254/keys" };
  const { status, json } = await customer.ask("POST", "/v1/identity-providers", body);
  expect([status, json.errors[0].pointer]).toEqual([422, "/jwks_url"]);
});

test("200: taken away again, its tokens are believed no more", async () => {
  const other = await makeCustomer(app);
  const person = randomToken("p");
  await other.post("/v1/users", { external_id: person });
  const body = { name: "Soon gone", issuer: "https://gone.example/", jwks_url: keys.url };
  const { id } = await other.post("/v1/identity-providers", body);
  const theirs = await token({ claims: { iss: body.issuer, sub: person } });
  expect((await whoami(theirs)).status).toBe(200);
  expect((await other.ask("DELETE", `/v1/identity-providers/${id}`)).status).toBe(200);
  expect((await whoami(theirs)).status).toBe(401);
});
