import { toPublicId } from "@aftercall/contract/id.ts";
import { engineRoutes } from "@aftercall/contract/routes/engines.ts";
import { afterEach, expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";
import { createIds } from "#/kernel/ids.ts";
import { createGuardedHttp } from "#/kernel/net/http.ts";
import { createSecretBox } from "#/kernel/secrets.ts";

import { makeKey, startApi } from "../../test/harness/api.ts";
import { createFakeClock } from "../../test/harness/clock.ts";
import { testDatabase } from "../../test/harness/database.ts";
import { startReceiver } from "../../test/harness/receiver.ts";
import { makeTenant, openLoopback } from "../../test/harness/tenant.ts";
import { defaultEngines, type EngineConfig } from "./defaults.ts";
import { createEngines } from "./engines.ts";
import { engineHandlers } from "./routes.ts";

const { db, appPool } = await testDatabase();
const toClose: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(toClose.splice(0).map((close) => close()));
});

const secret = "sk-live-abcdefghijklmnopqrstuvwx7890";
const nothing: EngineConfig = {
  llmVendor: "openai_compatible",
  llmBaseUrl: null,
  llmModel: null,
  llmApiKey: null,
  llmContextTokens: null,
  llmResponseFormat: "schema",
  sttVendor: "openai_compatible",
  sttBaseUrl: null,
  sttModel: null,
  sttApiKey: null,
  monthlyBudgetUsd: null,
};

async function setUp(
  config: Partial<EngineConfig> = {},
  { clock = createFakeClock(), tenant = "", root = "the root secret of this test, long enough" } = {},
) {
  tenant ||= await makeTenant(db);
  const box = createSecretBox(root);
  const ids = createIds(systemClock);
  const client = (allowHttp: boolean) => {
    const http = createGuardedHttp({ privateTargets: [], allowHttp, clock: systemClock });
    toClose.push(() => http.close());
    return http;
  };
  const defaults = defaultEngines({ ...nothing, ...config });
  const engines = createEngines({
    box,
    ids,
    clock,
    defaults,
    http: { tenant: client(true), installation: client(true) },
  });
  const api = await startApi(db, engineRoutes, engineHandlers({ db, box, ids, clock, defaults, engines }));
  toClose.push(() => api.close());
  const key = await makeKey(db, tenant);
  const ask = (method: string, path: string, body?: unknown) => api.ask(key, method, path, body);
  const load = (kind: "language") => db.inTransaction([tenant], (tx) => engines.loadEngine(tx, tenant, kind));
  return { tenant, ask, engines, load, api, clock };
}

test("without anything set the built-in analyzer does the work, and that is said", async () => {
  const { ask, load } = await setUp();
  const { status, json } = await ask("GET", "/v1/engines/language");
  expect([status, json]).toMatchObject([200, { origin: "none", model: null, api_key: null, budget: null, spent: [] }]);
  expect(await load("language")).toBeNull();
  expect((await ask("POST", "/v1/engines/speech/test", {})).json).toMatchObject({ ok: false, reason: "no_engine" });
});

test("a tenant's engine is used with its key; the key is sealed, and no answer shows it", async () => {
  const { tenant, ask, load, api } = await setUp();
  const put = await ask("PUT", "/v1/engines/language", {
    model: "gpt-4.1-mini",
    api_key: secret,
    settings: { context_tokens: 8_000 },
  });
  expect(put.json).toMatchObject({
    origin: "tenant",
    provider: "openai",
    api_key: { hint: "7890" },
    base_url: "https://api.openai.com/v1",
  });
  expect(await load("language")).toMatchObject({
    apiKey: secret,
    model: "gpt-4.1-mini",
    settings: { contextTokens: 8_000, outputTokensMax: 4_000, temperature: 0, responseFormat: "schema" },
  });
  const shown = JSON.stringify([put.json, (await ask("GET", "/v1/engines/language")).json, api.lines]);
  expect(shown).not.toContain(secret);
  const stored = await db.inTransaction([tenant], (tx) =>
    tx.rows("select e::text as row, a::text as audit from engines e, audit_log a where a.tenant_id = e.tenant_id"),
  );
  expect(JSON.stringify(stored)).not.toContain(secret);
  expect(JSON.stringify(stored)).not.toContain(Buffer.from(secret).toString("hex"));
  expect(stored).toHaveLength(1);
});

test("a key stays with its host: who moves the address must give the key again", async () => {
  const { ask, load } = await setUp();
  await ask("PUT", "/v1/engines/language", { model: "a", api_key: secret });
  await ask("PUT", "/v1/engines/language", { model: "b" });
  expect(await load("language")).toMatchObject({ model: "b", apiKey: secret });
  const moved = await ask("PUT", "/v1/engines/language", { model: "b", base_url: "https://evil.example.com/v1" });
  expect([moved.status, moved.json.errors]).toMatchObject([422, [{ pointer: "/api_key" }]]);
  expect(await load("language")).toMatchObject({ baseUrl: "https://api.openai.com/v1" });
  await ask("PUT", "/v1/engines/language", { model: "b", base_url: "https://llm.example.com/v1/", api_key: null });
  expect(await load("language")).toMatchObject({
    baseUrl: "https://llm.example.com/v1",
    apiKey: null,
    provider: "llm.example.com",
  });
});

test("a key that was sealed under another root secret is missing, and stops nothing else", async () => {
  const { tenant, ask } = await setUp();
  await ask("PUT", "/v1/engines/language", { model: "a", api_key: secret });
  const later = await setUp({}, { tenant, root: "another root secret, just as long as that" });
  expect((await later.ask("GET", "/v1/engines/language")).json).toMatchObject({ origin: "tenant", api_key: null });
  expect(await later.load("language")).toMatchObject({ model: "a", apiKey: null });
  await later.ask("PUT", "/v1/engines/language", { model: "a", api_key: "given again" });
  expect(await later.load("language")).toMatchObject({ apiKey: "given again" });
});

test("422: an address in a private network, unless the operator opened it for the tenant", async () => {
  const { tenant, ask } = await setUp();
  const body = { model: "llama3", base_url: "http://127.0.0.1:11434/v1" };
  const refused = await ask("PUT", "/v1/engines/language", body);
  expect([refused.status, refused.json.errors]).toMatchObject([422, [{ pointer: "/base_url" }]]);
  expect((await ask("PUT", "/v1/engines/speech", { ...body, base_url: "https://a.example.com/v1?key=1" })).status).toBe(
    422,
  );
  await openLoopback(db, tenant);
  expect((await ask("PUT", "/v1/engines/language", body)).status).toBe(200);
  expect((await ask("PUT", "/v1/engines/language", { ...body, base_url: "http://169.254.169.254/v1" })).status).toBe(
    422,
  );
});

test("the installation's engine serves tenants without their own, wherever the operator put it, and hides where", async () => {
  const receiver = await startReceiver();
  toClose.push(() => receiver.close());
  receiver.answer({
    status: 200,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      choices: [{ message: { content: '{"ok":true}' }, finish_reason: "stop" }],
      usage: { prompt_tokens: 40, completion_tokens: 5 },
    }),
  });
  const { ask, load } = await setUp({ llmBaseUrl: `${receiver.url}v1`, llmModel: "llama3", llmApiKey: "local" });
  const { json } = await ask("GET", "/v1/engines/language");
  expect(json).toMatchObject({ origin: "installation", model: "llama3", base_url: null, api_key: null });
  expect(await load("language")).toMatchObject({ model: "llama3" });
  expect((await ask("POST", "/v1/engines/language/test", {})).json).toMatchObject({ ok: true, model: "llama3" });
  const costs = (await ask("GET", "/v1/costs")).json;
  expect(costs.data).toMatchObject([
    { step: "test_language", model: "llama3", unit: "input_token", quantity: "40", money: null },
    { step: "test_language", unit: "output_token", quantity: "5" },
  ]);
  await ask("PUT", "/v1/engines/language", { model: "own", api_key: "k" });
  expect(await load("language")).toMatchObject({ model: "own", origin: "tenant" });
  expect((await ask("DELETE", "/v1/engines/language")).json).toMatchObject({ origin: "installation" });
  expect(await load("language")).toMatchObject({ model: "llama3" });
});

test("a try says in words what is wrong", async () => {
  const receiver = await startReceiver();
  toClose.push(() => receiver.close());
  const { tenant, ask } = await setUp();
  await openLoopback(db, tenant);
  await ask("PUT", "/v1/engines/language", { model: "m", base_url: `${receiver.url}v1`, api_key: secret });
  await ask("PUT", "/v1/engines/speech", { model: "m", base_url: `${receiver.url}v1`, api_key: secret });
  receiver.answer({
    status: 401,
    headers: { "content-type": "application/json" },
    body: `{"error":{"message":"No such key: ${secret}"}}`,
  });
  const language = (await ask("POST", "/v1/engines/language/test", {})).json;
  expect(language).toMatchObject({ ok: false, reason: "engine_rejected" });
  expect(language.detail).toContain("401");
  expect(JSON.stringify(language)).not.toContain(secret);
  receiver.answer({ status: 200, headers: { "content-type": "application/json" }, body: '{"text":"","duration":1}' });
  expect((await ask("POST", "/v1/engines/speech/test", {})).json).toMatchObject({ ok: true });
  expect(receiver.received.at(-1)?.body.includes("RIFF")).toBe(true);
});

test("costs are told of one call, and of the calls of a campaign", async () => {
  const clock = createFakeClock(Date.UTC(2026, 10, 20));
  const { tenant, ask, engines } = await setUp({}, { clock });
  const ids = createIds(clock);
  const [campaign, called, other] = [ids.next(), ids.next(), ids.next()];
  const line = (amount: string) => ({
    component: "llm" as const,
    provider: "openai",
    model: "gpt-4o",
    quantity: "10",
    unit: "input_token" as const,
    money: { amount, currency: "USD" },
    source: "estimated" as const,
    price_version: "1",
  });
  await db.inTransaction([tenant], async (tx) => {
    await tx.run("insert into campaigns (tenant_id, id, name) values ($1, $2, 'Spring')", [tenant, campaign]);
    for (const [id, of] of [[called, campaign] as const, [other, null] as const]) {
      await tx.run(
        `insert into calls (tenant_id, id, provider, provider_call_id, status, state, campaign_id) values ($1, $2::uuid, 'vapi', $2::text, 'ended', '{}', $3)`,
        [tenant, id, of],
      );
    }
    await engines.noteCosts(tx, { tenantId: tenant, callId: called, step: "analyse" }, [line("1")]);
    await engines.noteCosts(tx, { tenantId: tenant, callId: other, step: "analyse" }, [line("2")]);
  });
  const totalOf = async (query: string) => (await ask("GET", `/v1/costs?${query}`)).json.total[0]?.amount;
  expect(await totalOf("")).toBe("3");
  expect(await totalOf(`call_id=${toPublicId("call", other)}`)).toBe("2");
  expect(await totalOf(`campaign_id=${toPublicId("campaign", campaign)}`)).toBe("1");
  expect(await totalOf(`call_id=${toPublicId("call", other)}&campaign_id=${toPublicId("campaign", campaign)}`)).toBe(
    undefined,
  );
});

test("budgets count this month and their own kind of work, and past them there is no more", async () => {
  const clock = createFakeClock(Date.UTC(2026, 10, 20));
  const { tenant, ask, engines } = await setUp({}, { clock });
  await ask("PUT", "/v1/engines/language", {
    model: "gpt-4o",
    api_key: "k",
    budget: { amount: "1.00", currency: "USD" },
  });
  const spend = (step: string, amount: string) =>
    db.inTransaction([tenant], (tx) =>
      engines.noteCosts(tx, { tenantId: tenant, callId: null, step }, [
        {
          component: "llm",
          provider: "openai",
          model: "gpt-4o",
          quantity: "10",
          unit: "input_token",
          money: { amount, currency: "USD" },
          source: "estimated",
          price_version: "1",
        },
      ]),
    );
  const isOver = () => db.inTransaction([tenant], (tx) => engines.isOverBudget(tx, tenant, "language", clock.now()));
  await spend("summarise", "0.6");
  await spend("transcribe", "5");
  expect(await isOver()).toBe(false);
  await spend("score", "0.4");
  expect(await isOver()).toBe(true);
  expect((await ask("GET", "/v1/engines/language")).json).toMatchObject({
    budget: { amount: "1", currency: "USD" },
    spent: [{ amount: "1", currency: "USD" }],
  });
  const { json } = await ask("GET", "/v1/costs?from=2026-11-01&to=2026-11-30");
  expect(json).toMatchObject({
    total: [{ amount: "6", currency: "USD" }],
    data: [
      { day: "2026-11-20", step: "score", money: { amount: "0.4" } },
      { step: "summarise" },
      { step: "transcribe" },
    ],
  });
  await clock.advance(12 * 86_400_000);
  expect(await isOver()).toBe(false);
  expect((await ask("GET", "/v1/costs")).json).toMatchObject({ from: "2026-12-01", to: "2026-12-02", data: [] });
});

test("the operator's budget holds for tenants without their own engine", async () => {
  const { tenant, engines, clock } = await setUp({ llmModel: "m", monthlyBudgetUsd: "0" });
  expect(await db.inTransaction([tenant], (tx) => engines.isOverBudget(tx, tenant, "language", clock.now()))).toBe(
    true,
  );
});

test("422: a budget in another currency than the price, days that are none, years of costs", async () => {
  const { ask } = await setUp();
  const budget = { amount: "5", currency: "EUR" };
  expect((await ask("PUT", "/v1/engines/language", { model: "m", budget })).status).toBe(422);
  const price = { currency: "EUR", input_per_million: "1", output_per_million: "1" };
  expect((await ask("PUT", "/v1/engines/language", { model: "m", budget, price })).status).toBe(200);
  for (const query of ["from=2026-02-31", "from=2026-12-02&to=2026-12-01", "from=2020-01-01"]) {
    expect((await ask("GET", `/v1/costs?${query}`)).status).toBe(422);
  }
});

test("a tenant sees nothing of another's engine and costs", async () => {
  const one = await setUp();
  await one.ask("PUT", "/v1/engines/language", { model: "mine", api_key: secret });
  const other = await setUp();
  expect((await other.ask("GET", "/v1/engines/language")).json).toMatchObject({ origin: "none" });
  expect((await other.ask("GET", "/v1/costs")).json.data).toEqual([]);
  expect((await appPool.query("select * from engines")).rows).toEqual([]);
});

test("models that refuse a temperature are not told one", async () => {
  const { ask, load } = await setUp();
  await ask("PUT", "/v1/engines/language", { model: "gpt-5-mini", api_key: "k" });
  expect((await load("language"))?.settings.temperature).toBeNull();
  await ask("PUT", "/v1/engines/language", { model: "gpt-5-mini", api_key: "k", settings: { temperature: 1 } });
  expect((await load("language"))?.settings.temperature).toBe(1);
});

test.each(["language", "speech"])("422: a key that no header can carry, of a %s engine", async (kind) => {
  const { ask } = await setUp();
  for (const api_key of ["מפתח", "sk-a\nb", "sk-\u0000"]) {
    const { status, json } = await ask("PUT", `/v1/engines/${kind}`, { model: "m", api_key });
    expect([status, json.errors]).toMatchObject([422, [{ pointer: "/api_key" }]]);
  }
});
