import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, expect, test } from "vitest";

import { discardDatabase, ownDatabase, type TestDatabase } from "../../test/harness/database.ts";
import { makeTenant } from "../../test/harness/tenant.ts";
import { checkLog, sealLogs } from "./seal.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await ownDatabase();
});
afterAll(() => discardDatabase(database));

/** Events as intake stores them, in a log of their own. */
async function logOf(count: number): Promise<{ tenant: string; ids: string[] }> {
  const tenant = await makeTenant(database.db);
  const ids = Array.from({ length: count }, () => randomUUID());
  await write(tenant, ids);
  return { tenant, ids };
}

async function write(tenant: string, ids: readonly string[]): Promise<void> {
  await database.db.inTransaction([tenant], async (tx) => {
    await tx.run(
      `insert into sources (tenant_id, id, provider, name, slug, setup) values ($1, $1, 'vapi', 'x', $2, '{}') on conflict do nothing`,
      [tenant, `s-${tenant}`],
    );
    for (const id of ids) {
      await tx.run(
        `insert into events (tenant_id, id, source_id, provider, type, key, received_at, route, url, content_type, headers, body, verification, effect)
         values ($1, $2::uuid, $1, 'vapi', 'x', $2::uuid::text, now(), 'own', 'https://x/?from=0501234567', 'application/json', '{"a":"b"}', $3, 'hmac', 'recorded')`,
        [tenant, id, Buffer.from(`body of ${id}`)],
      );
    }
  });
}

/** Seals until so many events are: what is still being written anywhere on this server holds a seal back. */
async function sealed(tenant: string, events: number): Promise<void> {
  while ((await checkLog(database.db, tenant)).eventCount < events) await sealLogs(database.db);
}

test("a log that nobody touched is intact, however often it was sealed and by however many at once", async () => {
  const { tenant } = await logOf(3);
  await Promise.all([sealLogs(database.db), sealLogs(database.db), sealed(tenant, 3)]);
  await write(tenant, [randomUUID(), randomUUID()]);
  await sealed(tenant, 5);
  await sealLogs(database.db);
  expect(await checkLog(database.db, tenant)).toMatchObject({ isIntact: true, sealCount: 2, eventCount: 5 });
});

test("a log without events is intact", async () => {
  const tenant = await makeTenant(database.db);
  await sealLogs(database.db);
  expect(await checkLog(database.db, tenant)).toEqual({
    isIntact: true,
    sealCount: 0,
    eventCount: 0,
    brokenAt: null,
    head: null,
  });
});

test.each([
  ["changed", "update events set body = 'forged' where tenant_id = $1 and id = $2"],
  ["renamed", "update events set type = 'forged' where tenant_id = $1 and id = $2"],
  ["taken away", "delete from events where tenant_id = $1 and id = $2"],
])("an event that was %s behind the server's back shows, with the seal it is under", async (_, sql) => {
  const { tenant, ids } = await logOf(4);
  await sealed(tenant, 4);
  const { ownerPool } = database;
  await ownerPool.query("alter table events disable trigger user");
  const client = await ownerPool.connect();
  await client.query("begin");
  await client.query("select set_config('app.tenants', $1, true)", [`{${tenant}}`]);
  const { rowCount } = await client.query(sql, [tenant, ids[1]]);
  await client.query("commit");
  client.release();
  await ownerPool.query("alter table events enable always trigger append_only");
  await ownerPool.query("alter table events enable always trigger only_erase");
  expect(rowCount).toBe(1);
  expect(await checkLog(database.db, tenant)).toMatchObject({ isIntact: false, brokenAt: 1 });
});

test("a log whose bodies were erased is intact, and nothing of them or of their headers is left", async () => {
  const { tenant, ids } = await logOf(2);
  const call = randomUUID();
  await database.db.inTransaction([tenant], async (tx) => {
    await tx.run(
      `insert into calls (tenant_id, id, provider, provider_call_id, status, state) values ($1, $2, 'vapi', 'x', 'ended', '{}')`,
      [tenant, call],
    );
    await tx.run(
      `insert into event_applications (tenant_id, id, event_id, call_id, cause) values ($1, $2, $3, $4, 'matched')`,
      [tenant, randomUUID(), ids[0], call],
    );
  });
  await sealed(tenant, 2);
  const erased = await database.db.inTransaction([tenant], (tx) =>
    tx.rows<{ erased: number }>("select erase_event_bodies($1, $2) as erased", [tenant, call]),
  );
  expect(erased).toEqual([{ erased: 1 }]);
  const rows = await database.db.inTransaction([tenant], (tx) =>
    tx.rows<{ body: Buffer; headers: object; url: string }>(
      "select body, headers, url from events where tenant_id = $1 and id = $2",
      [tenant, ids[0]],
    ),
  );
  expect(rows.map(({ body, headers, url }) => [body.length, headers, url])).toEqual([[0, {}, "https://x/"]]);
  expect(await checkLog(database.db, tenant)).toMatchObject({ isIntact: true, eventCount: 2 });
});

test("erasing bodies is the only change that the log takes, and only in one's own tenant", async () => {
  const { tenant, ids } = await logOf(1);
  const client = await database.ownerPool.connect();
  await client.query("begin");
  await client.query("select set_config('app.tenants', $1, true), set_config('app.erasing', 'yes', true)", [
    `{${tenant}}`,
  ]);
  await expect(
    client.query("update events set body = '', type = 'x2', body_digest = sha256(body) where id = $1", [ids[0]]),
  ).rejects.toMatchObject({ code: "42501" });
  await client.query("rollback");
  client.release();
  const stranger = await makeTenant(database.db);
  const erased = await database.db.inTransaction([stranger], (tx) =>
    tx.rows<{ erased: number }>("select erase_event_bodies($1, $2) as erased", [tenant, randomUUID()]),
  );
  expect(erased).toEqual([{ erased: 0 }]);
});
