import { tenantRoutes } from "@aftercall/contract/routes/tenants.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";
import { createIds } from "#/kernel/ids.ts";
import { systemRandom } from "#/kernel/random.ts";

import { makeKey, startApi, type TestApi } from "../../test/harness/api.ts";
import { testDatabase } from "../../test/harness/database.ts";
import { makeTenant } from "../../test/harness/tenant.ts";
import { createCredentials } from "./keys.ts";
import { tenantHandlers } from "./routes.ts";

const { db } = await testDatabase();
let api: TestApi;
beforeAll(async () => {
  const credentials = createCredentials({ db, clock: systemClock });
  const options = {
    db,
    ids: createIds(systemClock),
    clock: systemClock,
    random: systemRandom,
    keyKind: "dev",
    forgetKeys: credentials.forget,
    operatorTenantId: await makeTenant(db),
    closeTenant: async () => {},
    forgetTenant: () => {},
  } as const;
  api = await startApi(db, tenantRoutes, tenantHandlers(options), { credentials });
});
afterAll(() => api.close());

test("200: a key learns whom it stands for", async () => {
  const tenant = await makeTenant(db);
  const { status, json } = await api.ask(await makeKey(db, tenant, "viewer"), "GET", "/v1/whoami");
  expect([status, json.tenant.slug, json.actor.role]).toEqual([200, `test-${tenant}`, "viewer"]);
});

test("201: a key is shown once, works at once, and is recognised by its prefix", async () => {
  const admin = await makeKey(db, await makeTenant(db));
  const { status, json } = await api.ask(admin, "POST", "/v1/api-keys", { name: "n8n", role: "viewer" });
  expect(status).toBe(201);
  expect(json.key).toMatch(/^ac_dev_[A-Za-z0-9_-]{43}$/);
  expect(json.key.startsWith(json.prefix)).toBe(true);
  expect((await api.ask(json.key, "GET", "/v1/whoami")).json.actor).toEqual({
    kind: "api_key",
    id: json.id,
    role: "viewer",
    scopes: null,
    business_id: null,
  });
  const list = await api.ask(admin, "GET", "/v1/api-keys");
  expect(list.json.data[0]).toMatchObject({ id: json.id, name: "n8n" });
  expect(JSON.stringify(list.json)).not.toContain(json.key);
});

test("401: a revoked key is refused at once", async () => {
  const admin = await makeKey(db, await makeTenant(db));
  const { json } = await api.ask(admin, "POST", "/v1/api-keys", { name: "leaked" });
  expect((await api.ask(json.key, "GET", "/v1/whoami")).status).toBe(200);
  const revoked = await api.ask(admin, "DELETE", `/v1/api-keys/${json.id}`);
  expect([revoked.status, revoked.json.revoked_at]).toEqual([200, expect.any(String)]);
  expect((await api.ask(json.key, "GET", "/v1/whoami")).status).toBe(401);
  expect((await api.ask(admin, "DELETE", `/v1/api-keys/${json.id}`)).json.revoked_at).toBe(revoked.json.revoked_at);
});

test("401: an expired key is refused", async () => {
  const admin = await makeKey(db, await makeTenant(db));
  const { json } = await api.ask(admin, "POST", "/v1/api-keys", { name: "old", expires_at: "2020-01-01T00:00:00Z" });
  expect((await api.ask(json.key, "GET", "/v1/whoami")).status).toBe(401);
});

test("403: nobody makes a key that may do more than their own", async () => {
  const admin = await makeKey(db, await makeTenant(db), "admin");
  expect((await api.ask(admin, "POST", "/v1/api-keys", { name: "owner", role: "owner" })).status).toBe(403);
});

test("404: a key of another tenant cannot be revoked", async () => {
  const [owner, stranger] = [await makeKey(db, await makeTenant(db)), await makeKey(db, await makeTenant(db))];
  const { json } = await api.ask(owner, "POST", "/v1/api-keys", { name: "mine" });
  expect((await api.ask(stranger, "DELETE", `/v1/api-keys/${json.id}`)).status).toBe(404);
  expect((await api.ask(json.key, "GET", "/v1/whoami")).status).toBe(200);
});

test("409: an external id is one user of a tenant, and may be another of the next", async () => {
  const [one, other] = [await makeKey(db, await makeTenant(db)), await makeKey(db, await makeTenant(db))];
  const anna = { external_id: "anna", name: "Anna" };
  const make = async (key: string) => (await api.ask(key, "POST", "/v1/users", anna)).status;
  expect([await make(one), await make(one), await make(other)]).toEqual([201, 409, 201]);
  expect((await api.ask(one, "GET", "/v1/users")).json.data).toMatchObject([anna]);
});
