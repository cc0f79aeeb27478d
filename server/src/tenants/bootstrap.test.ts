import { afterAll, describe, expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";
import { createIds } from "#/kernel/ids.ts";
import { digest } from "#/kernel/secrets.ts";

import { createFakeClock } from "../../test/harness/clock.ts";
import { discardDatabase, ownDatabase } from "../../test/harness/database.ts";
import { makeTenant } from "../../test/harness/tenant.ts";
import { bootstrap } from "./bootstrap.ts";
import { createCredentials } from "./keys.ts";

// A database of its own: there is one default tenant on a server.
const database = await ownDatabase();
const { db } = database;
afterAll(() => discardDatabase(database));
const ids = createIds(systemClock);

function start(apiKey: string | null, withDevUser = false, privateTargets: string[] = []) {
  return bootstrap({ db, ids, clock: createFakeClock(), apiKey, withDevUser, privateTargets });
}
/** What a process that starts now makes of a key. */
function callerOf(key: string) {
  return createCredentials({ db, clock: createFakeClock() }).callerOfKey(digest(key));
}

describe("every start", () => {
  test("finds or makes one default tenant, also when ten processes start at once", async () => {
    const starts = await Promise.all(Array.from({ length: 10 }, () => start("the-operators-first-key", true)));
    expect(new Set(starts.map(({ tenantId }) => tenantId)).size).toBe(1);
    const users = await db.inTransaction([starts[0]?.tenantId ?? ""], (tx) => tx.rows("select external_id from users"));
    expect(users).toEqual([{ external_id: "dev" }]);
  });

  test("lets the operator's key in as owner", async () => {
    const { tenantId } = await start("the-operators-first-key");
    expect(await callerOf("the-operators-first-key")).toMatchObject({
      tenant: tenantId,
      actor: { kind: "api_key", role: "owner" },
    });
  });

  test("revokes the key of before when it changed, and takes it again when it is put back", async () => {
    await start("the-operators-first-key");
    await start("the-operators-second-key");
    expect(await callerOf("the-operators-first-key")).toBeNull();
    await start("the-operators-first-key");
    expect(await callerOf("the-operators-first-key")).toMatchObject({ actor: { role: "owner" } });
    expect(await callerOf("the-operators-second-key")).toBeNull();
  });

  test("opens what the configuration names to the default tenant, and closes what it named before", async () => {
    const { tenantId } = await start(null, false, ["10.1.2.3/8", "127.0.0.1/32"]);
    await db.inTransaction([tenantId], (tx) =>
      tx.run(
        "insert into private_targets (tenant_id, block, granted_by) values ($1, '192.168.0.0/16', 'api_key:key_1')",
        [tenantId],
      ),
    );
    await start(null, false, ["127.0.0.1/32"]);
    const rows = await db.inTransaction([tenantId], (tx) =>
      tx.rows("select block::text as block from private_targets order by 1"),
    );
    expect(rows).toEqual([{ block: "127.0.0.1/32" }, { block: "192.168.0.0/16" }]);
  });

  test("without a key leaves the keys as they are", async () => {
    await start("the-operators-first-key");
    await start(null);
    expect(await callerOf("the-operators-first-key")).toMatchObject({ actor: { role: "owner" } });
  });
});

test("somebody is found in every tenant that knows them by their sub", async () => {
  const tenants = [await makeTenant(db), await makeTenant(db)];
  for (const tenant of tenants) {
    await db.inTransaction([tenant], (tx) =>
      tx.run("insert into users (tenant_id, id, external_id) values ($1, $2, 'anna')", [tenant, ids.next()]),
    );
  }
  const memberships = await createCredentials({ db, clock: systemClock }).membershipsOf("anna");
  expect(memberships.map(({ tenant }) => tenant).toSorted()).toEqual(tenants.toSorted());
  expect(await createCredentials({ db, clock: systemClock }).membershipsOf("bert")).toEqual([]);
});
