import { describe, expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";
import { Unavailable } from "#/kernel/errors.ts";
import { createIds } from "#/kernel/ids.ts";
import { silentLog } from "#/kernel/log.ts";
import { createSecretBox } from "#/kernel/secrets.ts";

import { createFakeClock } from "../../test/harness/clock.ts";
import { testDatabase } from "../../test/harness/database.ts";
import { testProvider } from "../../test/harness/provider.ts";
import { makeTenant } from "../../test/harness/tenant.ts";
import { createSources } from "./active.ts";
import { sealSecret } from "./secrets.ts";
import { insertSecret, insertSource, saveSource, setSecretExpiry, sourcesById } from "./store.ts";

const { db } = await testDatabase();
const ids = createIds(systemClock);
const box = createSecretBox("a-root-secret-for-tests-0001");

/** A source with one secret, and the sources as a process with its own memory sees them. */
async function world(options: { auth?: "required" | "none"; secret?: boolean; setup?: Record<string, unknown> } = {}) {
  const tenant = await makeTenant(db);
  const clock = createFakeClock();
  const slug = `s-${ids.next()}`;
  const provider = testProvider({ name: `p-${ids.next()}` });
  const sourceId = ids.next();
  const secretId = await db.inTransaction([tenant], async (tx) => {
    await insertSource(tx, {
      tenant_id: tenant,
      id: sourceId,
      slug,
      provider: provider.name,
      name: "Test",
      setup: options.setup ?? {},
      auth: options.auth ?? "required",
      on_given_routes: true,
      given_routes_create: true,
      user_id: null,
    });
    if (options.secret === false) return "";
    const secret = sealSecret(box, ids, {
      tenantId: tenant,
      sourceId,
      slot: "secret",
      keyId: null,
      value: "correct horse battery",
      origin: "api",
    });
    return (await insertSecret(tx, secret)).id;
  });
  let changed: (() => void) | null = null;
  const wake = {
    on: (_channel: string, woken: (payload: string | null) => void) => {
      changed = () => woken("");
      return () => {};
    },
  };
  const sources = createSources({ db, box, clock, log: silentLog(), providers: [provider], wake });
  const save = (fields: object) =>
    db.inTransaction([tenant], async (tx) => {
      const [row] = await sourcesById(tx, [tenant], [sourceId]);
      if (row) await saveSource(tx, { ...row, ...fields });
    });
  return { tenant, clock, slug, provider, sourceId, secretId, sources, save, announce: () => changed?.() };
}

test("a source comes with its provider, its parsed setup and its opened secrets", async () => {
  const { sources, slug, provider, tenant, sourceId } = await world();
  expect(await sources.bySlug(slug)).toEqual({
    tenantId: tenant,
    id: sourceId,
    slug,
    provider,
    setup: { tolerance_seconds: 300 },
    auth: "required",
    secrets: [{ slot: "secret", keyId: null, value: "correct horse battery" }],
    givenRoutesCreate: true,
    userId: null,
  });
  expect((await sources.byId(tenant, sourceId))?.slug).toBe(slug);
  expect((await sources.forGivenRoute(provider.name)).map((source) => source.id)).toEqual([sourceId]);
});

test("a source of another tenant is not there", async () => {
  const { sources, sourceId } = await world();
  expect(await sources.byId(await makeTenant(db), sourceId)).toBeNull();
});

test.each(["", "UPPER", "no/slash", "a".repeat(64), "'; drop table sources; --", "unknown-slug"])(
  "%j is the slug of nothing",
  async (slug) => {
    const { sources } = await world();
    expect(await sources.bySlug(slug)).toBeNull();
  },
);

test("a secret stops counting at the moment it expires, memory or not", async () => {
  const { sources, slug, clock, tenant, secretId } = await world();
  await db.inTransaction([tenant], (tx) => setSecretExpiry(tx, tenant, [secretId], new Date(clock.now() + 2_000)));
  expect((await sources.bySlug(slug))?.secrets).toHaveLength(1);
  await clock.advance(2_000);
  expect((await sources.bySlug(slug))?.secrets).toHaveLength(0);
});

describe("a change", () => {
  test("counts at once when it is announced", async () => {
    const { sources, slug, save, announce } = await world();
    await sources.bySlug(slug);
    await save({ is_enabled: false });
    expect(await sources.bySlug(slug)).not.toBeNull();
    announce();
    expect(await sources.bySlug(slug)).toBeNull();
  });

  test("counts after 5 s when its announcement is lost", async () => {
    const { sources, slug, provider, save, clock } = await world();
    await sources.bySlug(slug);
    await sources.forGivenRoute(provider.name);
    await save({ is_enabled: false });
    await clock.advance(5_000);
    expect(await sources.bySlug(slug)).toBeNull();
    expect(await sources.forGivenRoute(provider.name)).toEqual([]);
  });
});

test("a disabled source takes no webhooks, and still reads its own events again", async () => {
  const { sources, slug, tenant, sourceId, save } = await world();
  await save({ is_enabled: false });
  expect(await sources.bySlug(slug)).toBeNull();
  expect((await sources.byId(tenant, sourceId))?.id).toBe(sourceId);
});

test("503: a setup that no longer fits its provider asks senders to come again, and does not stop other sources", async () => {
  const { sources, slug, provider } = await world({ setup: { tolerance_seconds: "soon" } });
  await expect(sources.bySlug(slug)).rejects.toBeInstanceOf(Unavailable);
  expect(await sources.forGivenRoute(provider.name)).toEqual([]);
});

test("a hundred questions at once are one question to the database", async () => {
  const { slug, provider, clock } = await world();
  let questions = 0;
  const counting = {
    inTransaction: <T>(...args: Parameters<typeof db.inTransaction<T>>) => (questions++, db.inTransaction<T>(...args)),
  };
  const sources = createSources({ db: counting, box, clock, log: silentLog(), providers: [provider], wake: null });
  await Promise.all(Array.from({ length: 100 }, () => sources.bySlug(slug)));
  expect(questions).toBe(2);
});
