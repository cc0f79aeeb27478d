import { expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";
import { createIds } from "#/kernel/ids.ts";
import { silentLog } from "#/kernel/log.ts";
import { createSecretBox } from "#/kernel/secrets.ts";

import { createFakeClock } from "../../test/harness/clock.ts";
import { testDatabase } from "../../test/harness/database.ts";
import { testProvider } from "../../test/harness/provider.ts";
import { makeTenant } from "../../test/harness/tenant.ts";
import { createSources } from "./active.ts";
import { ensureDefaultSources } from "./defaults.ts";

const { db } = await testDatabase();
const ids = createIds(systemClock);
const box = createSecretBox("a-root-secret-for-tests-0001");

async function world() {
  const tenantId = await makeTenant(db);
  const clock = createFakeClock();
  const name = `p-${ids.next()}`;
  const provider = testProvider({
    name,
    secrets: [{ slot: "secret", title: "Secret", env: ["TEST_SECRET", "TEST_SECRET_ALIAS"], keyIdEnv: "TEST_KEY" }],
  });
  const env: Record<string, string> = {};
  const start = (unsigned: string[] = []) =>
    ensureDefaultSources({
      db,
      box,
      ids,
      clock,
      log: silentLog(),
      providers: [provider],
      tenantId,
      valueOf: (variable) => env[variable] ?? null,
      unsigned,
    });
  /** What a process that starts now sees. */
  const source = () =>
    createSources({ db, box, clock, log: silentLog(), providers: [provider], wake: null }).bySlug(name);
  const values = async () => (await source())?.secrets.map((secret) => secret.value);
  return { tenantId, clock, env, start, source, values, name };
}

test("the first start makes a source under the provider's name, on its given routes", async () => {
  const { start, source, env, name } = await world();
  Object.assign(env, { TEST_SECRET_ALIAS: "first secret", TEST_KEY: "key1" });
  await start();
  expect(await source()).toMatchObject({
    slug: name,
    auth: "required",
    secrets: [{ slot: "secret", keyId: "key1", value: "first secret" }],
  });
});

test("without a secret in the environment the source is there and refuses everything", async () => {
  const { start, source } = await world();
  await start();
  expect(await source()).toMatchObject({ auth: "required", secrets: [] });
});

test("starting again changes nothing, also when ten processes start at once", async () => {
  const { start, values, env } = await world();
  env["TEST_SECRET"] = "first secret";
  await Promise.all(Array.from({ length: 10 }, () => start()));
  expect(await values()).toEqual(["first secret"]);
});

test("a secret changed in the environment counts beside the old one for a day", async () => {
  const { start, values, env, clock } = await world();
  env["TEST_SECRET"] = "first secret";
  await start();
  env["TEST_SECRET"] = "second secret";
  await start();
  expect(await values()).toEqual(["second secret", "first secret"]);
  await clock.advance(24 * 3_600_000);
  expect(await values()).toEqual(["second secret"]);
});

test("a secret put back within the day counts for good again", async () => {
  const { start, values, env, clock } = await world();
  env["TEST_SECRET"] = "first secret";
  await start();
  env["TEST_SECRET"] = "second secret";
  await start();
  env["TEST_SECRET"] = "first secret";
  await start();
  await clock.advance(24 * 3_600_000);
  expect(await values()).toEqual(["first secret"]);
});

test("unsigned requests are taken only while the provider is on the list", async () => {
  const { start, source, name } = await world();
  await start([name]);
  expect((await source())?.auth).toBe("none");
  await start();
  expect((await source())?.auth).toBe("required");
});

test("a name that another tenant took first is left to it", async () => {
  const first = await world();
  await first.start();
  const otherTenant = await makeTenant(db);
  const provider = testProvider({ name: first.name });
  await ensureDefaultSources({
    db,
    box,
    ids,
    clock: first.clock,
    log: silentLog(),
    providers: [provider],
    tenantId: otherTenant,
    valueOf: () => "their secret",
    unsigned: [],
  });
  expect(await first.source()).toMatchObject({ tenantId: first.tenantId, secrets: [] });
});
