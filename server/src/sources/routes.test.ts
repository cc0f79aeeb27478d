import { sourceRoutes } from "@aftercall/contract/routes/sources.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";
import { createIds } from "#/kernel/ids.ts";
import { silentLog } from "#/kernel/log.ts";
import { systemRandom } from "#/kernel/random.ts";
import { createSecretBox } from "#/kernel/secrets.ts";

import { makeKey, startApi, type TestApi } from "../../test/harness/api.ts";
import { testDatabase } from "../../test/harness/database.ts";
import { testProvider } from "../../test/harness/provider.ts";
import { makeTenant } from "../../test/harness/tenant.ts";
import { createSources } from "./active.ts";
import { sourceHandlers } from "./routes.ts";

const { db } = await testDatabase();
const ids = createIds(systemClock);
const box = createSecretBox("a-root-secret-for-tests-0001");
const voices = testProvider({ name: "voices" });
const rooms = testProvider({
  name: "rooms",
  secrets: [{ slot: "api_secret", title: "API secret", env: ["ROOMS_SECRET"], keyIdEnv: "ROOMS_KEY" }],
});
const publicUrl = "https://calls.example.com";

let api: TestApi;
beforeAll(async () => {
  const forgetSources = () => {};
  const options = {
    db,
    box,
    ids,
    clock: systemClock,
    random: systemRandom,
    providers: [voices, rooms],
    publicUrl,
    forgetSources,
    enqueuePull: async () => {},
  };
  api = await startApi(db, sourceRoutes, sourceHandlers(options));
});
afterAll(() => api.close());

async function tenantWithKey() {
  const tenant = await makeTenant(db);
  return { tenant, key: await makeKey(db, tenant) };
}
const newSlug = () => `s-${ids.next()}`;

async function makeSource(key: string, fields: object = {}) {
  const { status, json } = await api.ask(key, "POST", "/v1/sources", {
    slug: newSlug(),
    provider: "voices",
    ...fields,
  });
  expect(status).toBe(201);
  return json;
}
/** What the inbox would see. */
const seenBy = (slug: string) =>
  createSources({ db, box, clock: systemClock, log: silentLog(), providers: [voices, rooms], wake: null }).bySlug(slug);

describe("making a source", () => {
  test("201: it has a URL of its own, its settings with defaults, and no secret in sight", async () => {
    const { key } = await tenantWithKey();
    const slug = newSlug();
    const secrets = [{ slot: "secret", value: "correct horse battery staple" }];
    const { status, json } = await api.ask(key, "POST", "/v1/sources", { slug, provider: "voices", secrets });
    expect(status).toBe(201);
    expect(json).toMatchObject({
      slug,
      provider: "voices",
      name: "Test Voices",
      setup: { tolerance_seconds: 300 },
      auth: "required",
      on_given_routes: false,
      own_url: `${publicUrl}/webhooks/${slug}`,
      given_urls: [],
      is_ready: true,
      secrets: [{ slot: "secret", hint: "aple", expires_at: null, origin: "api" }],
    });
    expect(JSON.stringify(json)).not.toContain("correct horse");
    expect((await seenBy(slug))?.secrets[0]?.value).toBe("correct horse battery staple");
  });

  test("201: without a secret it is not ready, and says so", async () => {
    const { key } = await tenantWithKey();
    expect(await makeSource(key)).toMatchObject({ is_ready: false, secrets: [] });
    expect(await makeSource(key, { auth: "none" })).toMatchObject({ is_ready: true, auth: "none" });
  });

  test.each([
    ["a provider nobody knows", { provider: "nobody" }, ["/provider"]],
    ["a slug with capitals", { slug: "Mine" }, ["/slug"]],
    ["settings of another kind", { setup: { tolerance_seconds: "soon" } }, ["/setup/tolerance_seconds"]],
    ["settings nobody has", { setup: { "a/b": 1 } }, ["/setup/a~1b"]],
    ["a secret of another slot", { secrets: [{ slot: "token", value: "long enough to pass" }] }, ["/secrets/0/slot"]],
    ["a secret that is too short", { secrets: [{ slot: "secret", value: "short" }] }, ["/secrets/0/value"]],
    [
      "a secret copied with a blank",
      { secrets: [{ slot: "secret", value: "long enough to pass " }] },
      ["/secrets/0/value"],
    ],
    [
      "a secret that is the word undefined",
      { secrets: [{ slot: "secret", value: "undefined" }] },
      ["/secrets/0/value"],
    ],
    [
      "a key secret without the name of its key",
      { provider: "rooms", secrets: [{ slot: "api_secret", value: "long enough to pass" }] },
      ["/secrets/0/key_id"],
    ],
    ["a user who is not there", { user_id: "usr_06cs8000000000000000000000" }, ["/user_id"]],
    ["fields that do not exist", { secret: "x" }, ["/secret"]],
  ])("422: %s is named by a pointer", async (_name, fields, pointers) => {
    const { key } = await tenantWithKey();
    const { status, json } = await api.ask(key, "POST", "/v1/sources", {
      slug: newSlug(),
      provider: "voices",
      ...fields,
    });
    expect([status, json.errors?.map((error: { pointer: string }) => error.pointer)]).toEqual([422, pointers]);
  });

  test("409: a slug is taken once on the whole server", async () => {
    const [one, other] = [await tenantWithKey(), await tenantWithKey()];
    const { slug } = await makeSource(one.key);
    const { status } = await api.ask(other.key, "POST", "/v1/sources", { slug, provider: "voices" });
    expect(status).toBe(409);
  });

  test("403: a member may look, not connect", async () => {
    const { tenant } = await tenantWithKey();
    const member = await makeKey(db, tenant, "member");
    expect((await api.ask(member, "POST", "/v1/sources", { slug: newSlug(), provider: "voices" })).status).toBe(403);
    expect((await api.ask(member, "GET", "/v1/sources")).status).toBe(200);
  });
});

describe("another tenant", () => {
  test("404: cannot tell a source that is not theirs from none, whatever they try", async () => {
    const [owner, stranger] = [await tenantWithKey(), await tenantWithKey()];
    const source = await makeSource(owner.key, { secrets: [{ slot: "secret", value: "correct horse battery" }] });
    const path = `/v1/sources/${source.id}`;
    const secret = `${path}/secrets/${source.secrets[0].id}`;
    const attempts = [
      ["GET", path],
      ["PATCH", path, { name: "Mine now" }],
      ["DELETE", path],
      ["GET", `${path}/secrets`],
      ["POST", `${path}/secrets`, { slot: "secret", value: "a secret of a stranger" }],
      ["POST", `${path}/secrets/rotate`, { slot: "secret" }],
      ["DELETE", secret],
    ] as const;
    for (const [method, url, body] of attempts) {
      const { status, json } = await api.ask(stranger.key, method, url, body);
      expect([method, status, json.detail]).toEqual([method, 404, "Source not found"]);
    }
    expect((await api.ask(owner.key, "GET", path)).json).toEqual(source);
    expect((await api.ask(stranger.key, "GET", "/v1/sources")).json.data).toEqual([]);
  });
});

describe("changing a source", () => {
  test("200: what is left out stays", async () => {
    const { key } = await tenantWithKey();
    const source = await makeSource(key, { setup: { tolerance_seconds: 60 } });
    const { json } = await api.ask(key, "PATCH", `/v1/sources/${source.id}`, { on_given_routes: true });
    expect(json).toMatchObject({
      on_given_routes: true,
      setup: { tolerance_seconds: 60 },
      name: "Test Voices",
      given_urls: [`${publicUrl}/webhooks/voices/ended`],
    });
  });

  test("422: settings are checked here too", async () => {
    const { key } = await tenantWithKey();
    const source = await makeSource(key);
    const { status, json } = await api.ask(key, "PATCH", `/v1/sources/${source.id}`, {
      setup: { tolerance_seconds: 1e9 },
    });
    expect([status, json.errors[0].pointer]).toEqual([422, "/setup/tolerance_seconds"]);
  });

  test("204: one that never received an event goes for good", async () => {
    const { key } = await tenantWithKey();
    const source = await makeSource(key);
    expect((await api.ask(key, "DELETE", `/v1/sources/${source.id}`)).status).toBe(204);
    expect((await api.ask(key, "GET", `/v1/sources/${source.id}`)).status).toBe(404);
  });

  test("every change leaves an audit row without secrets", async () => {
    const { tenant, key } = await tenantWithKey();
    const source = await makeSource(key, { secrets: [{ slot: "secret", value: "correct horse battery" }] });
    await api.ask(key, "PATCH", `/v1/sources/${source.id}`, { name: "New name" });
    await api.ask(key, "POST", `/v1/sources/${source.id}/secrets/rotate`, {
      slot: "secret",
      value: "another horse battery",
    });
    const rows = await db.inTransaction([tenant], (tx) =>
      tx.rows<{ action: string; subject: string; detail: object }>(
        "select action, subject, detail from audit_log order by id",
      ),
    );
    expect(rows.map((row) => row.action)).toEqual(["source.created", "source.updated", "source_secret.rotated"]);
    expect(new Set(rows.map((row) => row.subject))).toEqual(new Set([source.id]));
    expect(JSON.stringify(rows)).not.toContain("horse");
  });
});

describe("secrets", () => {
  test("409: two are active at once, not three", async () => {
    const { key } = await tenantWithKey();
    const source = await makeSource(key);
    const add = (value: string) => api.ask(key, "POST", `/v1/sources/${source.id}/secrets`, { slot: "secret", value });
    expect([
      (await add("the first secret")).status,
      (await add("the second secret")).status,
      (await add("the third secret")).status,
    ]).toEqual([201, 201, 409]);
    expect((await seenBy(source.slug))?.secrets.map((secret) => secret.value)).toEqual([
      "the second secret",
      "the first secret",
    ]);
  });

  test("201: rotation keeps the one in use for the overlap, ends any other, and shows a made value once", async () => {
    const { key } = await tenantWithKey();
    const source = await makeSource(key, {
      secrets: [
        { slot: "secret", value: "the first secret" },
        { slot: "secret", value: "the second secret" },
      ],
    });
    const rotated = await api.ask(key, "POST", `/v1/sources/${source.id}/secrets/rotate`, {
      slot: "secret",
      overlap_seconds: 3600,
    });
    expect(rotated.status).toBe(201);
    expect(rotated.json.value).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect((await seenBy(source.slug))?.secrets.map((secret) => secret.value)).toEqual([
      rotated.json.value,
      "the second secret",
    ]);
    const { json } = await api.ask(key, "GET", `/v1/sources/${source.id}/secrets`);
    expect(json.data.map((secret: { expires_at: string | null }) => secret.expires_at !== null)).toEqual([false, true]);
    expect(JSON.stringify(json)).not.toContain(rotated.json.value);
  });

  test("204: a removed secret is gone at once", async () => {
    const { key } = await tenantWithKey();
    const source = await makeSource(key, { secrets: [{ slot: "secret", value: "the first secret" }] });
    expect((await api.ask(key, "DELETE", `/v1/sources/${source.id}/secrets/${source.secrets[0].id}`)).status).toBe(204);
    expect((await seenBy(source.slug))?.secrets).toEqual([]);
  });

  test("are stored sealed", async () => {
    const { tenant, key } = await tenantWithKey();
    await makeSource(key, { secrets: [{ slot: "secret", value: "correct horse battery" }] });
    const rows = await db.inTransaction([tenant], (tx) => tx.rows<object>("select * from source_secrets"));
    expect(rows).toHaveLength(1);
    for (const value of Object.values(rows[0] ?? {}))
      expect(String(Buffer.isBuffer(value) ? value.toString("latin1") : value)).not.toContain("horse");
  });
});

test("pages follow each other without gap or repeat", async () => {
  const { key } = await tenantWithKey();
  const made = [];
  for (let i = 0; i < 5; i++) made.unshift((await makeSource(key)).id);
  const first = (await api.ask(key, "GET", "/v1/sources?limit=2")).json;
  const second = (await api.ask(key, "GET", `/v1/sources?limit=2&cursor=${first.next_cursor}`)).json;
  const third = (await api.ask(key, "GET", `/v1/sources?limit=2&cursor=${second.next_cursor}`)).json;
  expect([first, second, third].flatMap((page) => page.data.map((source: { id: string }) => source.id))).toEqual(made);
  expect([first.has_more, second.has_more, third.has_more, third.next_cursor]).toEqual([true, true, false, null]);
});

test("200: providers describe their own settings, secrets and URLs", async () => {
  const { key } = await tenantWithKey();
  const { json } = await api.ask(key, "GET", "/v1/providers");
  expect(json.data[1]).toMatchObject({
    name: "rooms",
    secret_slots: [{ slot: "api_secret", title: "API secret", env: ["ROOMS_SECRET"], has_key_id: true }],
    given_urls: [`${publicUrl}/webhooks/rooms/ended`],
    own_url: `${publicUrl}/webhooks/:source`,
  });
  expect(json.data[0].setup_schema).toMatchObject({
    type: "object",
    properties: { tolerance_seconds: { default: 300, description: "How old a request may be." } },
  });
});
