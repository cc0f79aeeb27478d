import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
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
const operatorTenantId = await makeTenant(db);
const forgotten: string[] = [];
let api: TestApi;
let operator: string;
beforeAll(async () => {
  const credentials = createCredentials({ db, clock: systemClock });
  const options = {
    db,
    ids: createIds(systemClock),
    clock: systemClock,
    random: systemRandom,
    keyKind: "dev",
    forgetKeys: credentials.forget,
    operatorTenantId,
    closeTenant: async () => {},
    forgetTenant: (tenant: string) => void forgotten.push(tenant),
  } as const;
  api = await startApi(db, tenantRoutes, tenantHandlers(options), { credentials });
  operator = await makeKey(db, operatorTenantId, "owner");
});
afterAll(() => api.close());

const slug = () => `acme-${createIds(systemClock).next().slice(-12)}`;
const make = async () => (await api.ask(operator, "POST", "/v1/tenants", { slug: slug(), name: "Acme" })).json;

test("201: a tenant is made with a key for its owner, which works at once and is shown once", async () => {
  const { status, json } = await api.ask(operator, "POST", "/v1/tenants", { slug: slug(), name: "Acme" });
  expect(status).toBe(201);
  const me = await api.ask(json.api_key.key, "GET", "/v1/whoami");
  expect(me.json).toMatchObject({ tenant: { id: json.tenant.id }, actor: { role: "owner" } });
  const list = await api.ask(operator, "GET", "/v1/tenants?limit=100");
  expect(list.json.data[0]).toEqual(json.tenant);
  expect(JSON.stringify(list.json)).not.toContain(json.api_key.key);
});

test("409: a slug is one tenant of a server, also that of a closed one", async () => {
  const { tenant } = await make();
  const again = () => api.ask(operator, "POST", "/v1/tenants", { slug: tenant.slug, name: "Again" });
  expect((await again()).status).toBe(409);
  await api.ask(operator, "DELETE", `/v1/tenants/${tenant.id}`);
  expect((await again()).status).toBe(409);
});

test("403: an owner of another tenant is no operator, not even for their own tenant", async () => {
  const { tenant, api_key: owner } = await make();
  const body = { blocks: ["10.0.0.0/8"] };
  for (const [method, path, sent] of [
    ["GET", "/v1/tenants"],
    ["POST", "/v1/tenants", { slug: slug(), name: "Mine" }],
    ["GET", `/v1/tenants/${tenant.id}`],
    ["DELETE", `/v1/tenants/${tenant.id}`],
    ["GET", `/v1/tenants/${tenant.id}/private-targets`],
    ["PUT", `/v1/tenants/${tenant.id}/private-targets`, body],
  ] as const) {
    expect([method, path, (await api.ask(owner.key, method, path, sent)).status]).toEqual([method, path, 403]);
  }
  const admin = await makeKey(db, operatorTenantId, "admin");
  expect((await api.ask(admin, "PUT", `/v1/tenants/${tenant.id}/private-targets`, body)).status).toBe(403);
});

test("a grant is the whole list, names who gave it, and is written into the audit of both sides", async () => {
  const { tenant } = await make();
  const path = `/v1/tenants/${tenant.id}/private-targets`;
  const put = (blocks: string[]) => api.ask(operator, "PUT", path, { blocks });
  const blocksOf = (answer: { json: { data: { block: string }[] } }) => answer.json.data.map(({ block }) => block);
  expect(blocksOf(await put(["10.1.0.0/16", "fd00::/8", "192.168.7.7/32"]))).toEqual([
    "10.1.0.0/16",
    "192.168.7.7/32",
    "fd00::/8",
  ]);
  const [before] = (await api.ask(operator, "GET", path)).json.data;
  const after = await put(["10.1.0.0/16", "10.2.0.0/16"]);
  expect(blocksOf(after)).toEqual(["10.1.0.0/16", "10.2.0.0/16"]);
  expect(after.json.data[0]).toEqual(before);
  expect(before.granted_by).toMatch(/^api_key:key_/);
  expect(forgotten.filter((one) => one === fromPublicId("tenant", tenant.id))).toHaveLength(2);
  for (const one of [operatorTenantId, fromPublicId("tenant", tenant.id) ?? ""]) {
    const deeds = await db.inTransaction([one], (tx) =>
      tx.rows<{ before: object; after: object }>(
        "select before, after from audit_log where action = 'tenant.private_targets_changed' and subject = $1 order by id",
        [tenant.id],
      ),
    );
    const first = { blocks: ["10.1.0.0/16", "192.168.7.7/32", "fd00::/8"] };
    expect(deeds).toEqual([
      { before: { blocks: [] }, after: first },
      { before: first, after: { blocks: ["10.1.0.0/16", "10.2.0.0/16"] } },
    ]);
  }
});

test.each(["10.0.0.0", "10.0.0.1/8", "10.0.0.0/33", "example.com", "10.0.0.0/8; drop table", ""])(
  "422: %j is no block, and the field is named",
  async (block) => {
    const { tenant } = await make();
    const path = `/v1/tenants/${tenant.id}/private-targets`;
    const { status, json } = await api.ask(operator, "PUT", path, { blocks: ["10.0.0.0/8", block] });
    expect([status, json.errors[0].pointer]).toEqual([422, "/blocks/1"]);
    expect((await api.ask(operator, "GET", path)).json.data).toEqual([]);
  },
);

test("a closed tenant is gone: its keys are refused at once, and its id is not found", async () => {
  const { tenant, api_key: owner } = await make();
  expect((await api.ask(owner.key, "GET", "/v1/whoami")).status).toBe(200);
  expect((await api.ask(operator, "DELETE", `/v1/tenants/${tenant.id}`)).status).toBe(200);
  expect((await api.ask(owner.key, "GET", "/v1/whoami")).status).toBe(401);
  for (const [method, path] of [
    ["GET", ""],
    ["DELETE", ""],
    ["GET", "/private-targets"],
  ] as const) {
    expect((await api.ask(operator, method, `/v1/tenants/${tenant.id}${path}`)).status).toBe(404);
  }
  const list = await api.ask(operator, "GET", "/v1/tenants?limit=100");
  expect(list.json.data.map(({ id }: { id: string }) => id)).not.toContain(tenant.id);
});

test("409: the operator's own tenant cannot be closed; 404: what is no tenant is not found", async () => {
  const own = toPublicId("tenant", operatorTenantId);
  expect((await api.ask(operator, "DELETE", `/v1/tenants/${own}`)).status).toBe(409);
  const unknown = toPublicId("tenant", createIds(systemClock).next());
  expect((await api.ask(operator, "GET", `/v1/tenants/${unknown}`)).status).toBe(404);
});
