import { createHmac } from "node:crypto";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { makeKey } from "../harness/api.ts";
import { known, startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, randomToken, type Customer } from "../harness/customer.ts";

let app: TestApp;
let customer: Customer;
let owner: string;
beforeAll(async () => {
  app = await startTestApp();
  customer = await makeCustomer(app);
  owner = await makeKey(app.db, customer.tenantId, "owner");
});
afterAll(() => app.stop());

/** A token of ours, as the tenant's own system makes it. */
function tokenOf(sub: string, claims: Record<string, unknown> = {}): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const exp = Math.floor(Date.now() / 1000) + 600;
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub, exp, ...claims })}`;
  return `${signed}.${createHmac("sha256", known.jwtSecret).update(signed).digest("base64url")}`;
}

async function add(role: string): Promise<{ id: string; sub: string; token: string }> {
  const sub = randomToken("anna");
  const { status, json } = await app.ask(owner, "POST", "/v1/members", { external_id: sub, role, name: "Anna" });
  expect([status, json]).toMatchObject([201, { external_id: sub, role, name: "Anna" }]);
  return { id: json.id, sub, token: tokenOf(sub) };
}

describe("a member", () => {
  test.each(["viewer", "member", "admin", "owner"])(
    "201: made %s, acts as that with a token of theirs",
    async (role) => {
      const { id, token } = await add(role);
      const { json } = await app.ask(token, "GET", "/v1/whoami");
      expect(json.actor).toEqual({ kind: "user", id, role, scopes: null, business_id: null });
    },
  );

  test("200: a token can lower the role and never raise it", async () => {
    const { sub } = await add("admin");
    const roleWith = async (role: string) =>
      (await app.ask(tokenOf(sub, { role }), "GET", "/v1/whoami")).json.actor.role;
    expect(await roleWith("viewer")).toBe("viewer");
    const viewer = await add("viewer");
    const raised = await app.ask(tokenOf(viewer.sub, { role: "admin" }), "GET", "/v1/whoami");
    expect(raised.json.actor.role).toBe("viewer");
  });

  test("200: another role counts at the next request; 412 to whoever overwrites what they have not seen", async () => {
    const { id, token } = await add("viewer");
    const etag = (await app.ask(owner, "GET", `/v1/members/${id}`)).headers.get("etag") ?? "";
    const change = (role: string) =>
      fetch(`${app.url}/v1/members/${id}`, {
        method: "PATCH",
        headers: { authorization: `Bearer ${owner}`, "content-type": "application/json", "if-match": etag },
        body: JSON.stringify({ role }),
      });
    expect((await change("admin")).status).toBe(200);
    expect((await change("member")).status).toBe(412);
    expect((await app.ask(token, "GET", "/v1/whoami")).json.actor.role).toBe("admin");
  });

  test("401: taken out, at once; back in by being added again", async () => {
    const { id, sub, token } = await add("member");
    expect((await app.ask(owner, "DELETE", `/v1/members/${id}`)).status).toBe(200);
    expect((await app.ask(token, "GET", "/v1/whoami")).status).toBe(401);
    expect((await app.ask(owner, "GET", `/v1/members/${id}`)).status).toBe(404);
    const again = await app.ask(owner, "POST", "/v1/members", { external_id: sub, role: "viewer" });
    expect([again.status, again.json.id, again.json.name]).toEqual([201, id, "Anna"]);
    expect((await app.ask(token, "GET", "/v1/whoami")).json.actor.role).toBe("viewer");
  });

  test("201: a user who was there becomes a member; 409 the second time", async () => {
    const sub = randomToken("bert");
    const user = await customer.post("/v1/users", { external_id: sub, name: "Bert" });
    const first = await app.ask(owner, "POST", "/v1/members", { external_id: sub, role: "viewer" });
    const second = await app.ask(owner, "POST", "/v1/members", { external_id: sub, role: "admin" });
    expect([first.status, first.json.id, first.json.name, second.status]).toEqual([201, user.id, "Bert", 409]);
  });

  test("403: nobody gives a role above their own, nor touches who is above them", async () => {
    const boss = await add("owner");
    const admin = (await add("admin")).token;
    const refused = [
      await app.ask(admin, "POST", "/v1/members", { external_id: randomToken("x"), role: "owner" }),
      await app.ask(admin, "PATCH", `/v1/members/${boss.id}`, { role: "viewer" }),
      await app.ask(admin, "DELETE", `/v1/members/${boss.id}`),
      await app.ask((await add("member")).token, "POST", "/v1/members", { external_id: "x", role: "viewer" }),
    ];
    for (const { status, json } of refused) expect([status, json.code]).toEqual([403, "forbidden"]);
  });
});

describe("an API key", () => {
  test("201: rotated, the old one counts until its end, the new one may what the old one may", async () => {
    const old = await customer.post("/v1/api-keys", { name: "shop", role: "viewer", scopes: ["calls:read"] });
    const { status, json } = await customer.ask("POST", `/v1/api-keys/${old.id}/rotate`, { overlap_seconds: 3600 });
    expect([status, json]).toMatchObject([
      201,
      { name: "shop", role: "viewer", scopes: ["calls:read"], expires_at: null },
    ]);
    for (const key of [old.key, json.key]) expect((await app.ask(key, "GET", "/v1/calls")).status).toBe(200);
    const { data } = await customer.get("/v1/api-keys");
    const shown = data.find(({ id }: { id: string }) => id === old.id);
    expect(shown.replaced_by).toBe(json.id);
    expect(Date.parse(shown.expires_at) - Date.now()).toBeGreaterThan(3_500_000);
    expect((await customer.ask("POST", `/v1/api-keys/${old.id}/rotate`, {})).status).toBe(409);
  });

  test("201: rotated without a body, the old one counts for a day", async () => {
    const old = await customer.post("/v1/api-keys", { name: "shop" });
    const answer = await fetch(`${app.url}/v1/api-keys/${old.id}/rotate`, {
      method: "POST",
      headers: { authorization: `Bearer ${customer.key}` },
    });
    expect(answer.status).toBe(201);
    const { data } = await customer.get("/v1/api-keys");
    const { expires_at: end } = data.find(({ id }: { id: string }) => id === old.id);
    expect(Math.round((Date.parse(end) - Date.now()) / 3_600_000)).toBe(24);
  });

  test("401: rotated without overlap, the old one ends at once", async () => {
    const old = await customer.post("/v1/api-keys", { name: "shop" });
    const made = await customer.post(`/v1/api-keys/${old.id}/rotate`, { overlap_seconds: 0 });
    expect((await app.ask(old.key, "GET", "/v1/whoami")).status).toBe(401);
    expect((await app.ask(made.key, "GET", "/v1/whoami")).status).toBe(200);
  });

  test("403: its scopes leave it out, whatever its role", async () => {
    const { key } = await customer.post("/v1/api-keys", {
      name: "s",
      role: "admin",
      scopes: ["calls:read", "campaigns:write"],
    });
    const statusOf = async (method: string, path: string, body?: unknown) =>
      (await app.ask(key, method, path, body)).status;
    expect(await statusOf("GET", "/v1/calls")).toBe(200);
    expect(await statusOf("POST", "/v1/campaigns", { name: "x" })).toBe(201);
    expect(await statusOf("GET", "/v1/campaigns")).toBe(403);
    expect(await statusOf("POST", "/v1/calls", { provider: "vapi", provider_call_id: "x" })).toBe(403);
    const refused = await app.ask(key, "GET", "/v1/endpoints");
    expect([refused.status, refused.json.detail]).toEqual([
      403,
      "This needs the scope endpoints:read; the key has calls:read, campaigns:write",
    ]);
  });

  test("403: a key with scopes makes no key with more; 422 for a scope of something that is not there", async () => {
    const scopes = ["api-keys:write", "calls:read"];
    const { key } = await customer.post("/v1/api-keys", { name: "s", role: "admin", scopes });
    const make = (more: Record<string, unknown>) => app.ask(key, "POST", "/v1/api-keys", { name: "n", ...more });
    expect((await make({})).status).toBe(403);
    expect((await make({ scopes: ["calls:write"] })).status).toBe(403);
    expect((await make({ scopes: ["calls:read"] })).status).toBe(201);
    const unknown = await customer.ask("POST", "/v1/api-keys", { name: "n", scopes: ["coffee:read"] });
    expect([unknown.status, unknown.json.errors[0].pointer]).toEqual([422, "/scopes/0"]);
  });
});

test("the audit log says who changed what from where, before and after, and is read by admins only", async () => {
  const { id } = await add("viewer");
  const changed = await app.ask(owner, "PATCH", `/v1/members/${id}`, { role: "member" });
  const { json } = await app.ask(owner, "GET", `/v1/audit-log?subject=${id}`);
  expect(json.data).toMatchObject([
    {
      action: "member.updated",
      actor: { kind: "api_key", id: expect.stringMatching(/^key_/) },
      before: { role: "viewer" },
      after: { role: "member" },
      address: "127.0.0.1",
      request_id: changed.headers.get("x-request-id"),
    },
    { action: "member.added", before: null, after: { id, role: "viewer" } },
  ]);
  const by = await app.ask(owner, "GET", `/v1/audit-log?action=member.updated&actor=${json.data[0].actor.id}&limit=1`);
  expect(by.json.data[0].subject).toBe(id);
  const viewer = await makeKey(app.db, customer.tenantId, "member");
  expect((await app.ask(viewer, "GET", "/v1/audit-log")).status).toBe(403);
});
