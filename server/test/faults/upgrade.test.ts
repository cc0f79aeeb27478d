import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { toPublicId } from "@aftercall/contract/id.ts";
import { Client } from "pg";
import { afterAll, beforeAll, expect, inject, test } from "vitest";

import { openAppPool } from "#/db/connect.ts";
import { migrate, readMigrations } from "#/db/migrate.ts";
import { createDb } from "#/db/transaction.ts";
import { sealSecret } from "#/delivery/endpoints/secrets.ts";
import { newSecret } from "#/delivery/sign.ts";
import { installJobs } from "#/jobs/install.ts";
import { systemClock } from "#/kernel/clock.ts";
import { createIds } from "#/kernel/ids.ts";
import { silentLog } from "#/kernel/log.ts";
import { createSecretBox } from "#/kernel/secrets.ts";

import { environment, running } from "../harness/app.ts";
import { dropDatabase, inDatabase } from "../harness/clone.ts";
import { makeCustomer } from "../harness/customer.ts";
import { startDatabaseProxy } from "../harness/database-proxy.ts";
import { discardDatabase, ownDatabase } from "../harness/database.ts";
import { verifiedMessages } from "../harness/messages.ts";
import { startReceiver } from "../harness/receiver.ts";
import { startServerProcess } from "../harness/server-process.ts";
import { makeTenant, openLoopback } from "../harness/tenant.ts";

/** The last migration that a version before this one may have applied. */
const before = "0018_pull_import.sql";
const migrations = readMigrations();
const name = `${inject("template")}_before`;
const connection = inDatabase(inject("cluster"), name);
const folder = mkdtempSync(join(tmpdir(), "aftercall-before-"));

beforeAll(async () => {
  const files = new URL("../../migrations/", import.meta.url);
  for (const { name: file } of migrations.filter(({ name: file }) => file <= before)) {
    cpSync(new URL(file, files), join(folder, file));
  }
  const client = new Client(inject("cluster"));
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  await migrate({ connection, directory: folder, afterwards: installJobs });
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await dropDatabase(inject("cluster"), name);
});

test("what was waiting when the server was upgraded is sent by the new one, with its id and its bytes", async () => {
  const receiver = await startReceiver();
  const pool = openAppPool({ connection, name: "test", log: silentLog(), mayExit: true });
  const db = createDb(pool);
  const ids = createIds(systemClock);
  const tenant = await makeTenant(db);
  await openLoopback(db, tenant);
  const secret = newSecret((size) => Buffer.alloc(size, 7));
  const sealed = sealSecret(createSecretBox(String(environment()["AFTERCALL_SECRET"])), ids, tenant, secret);
  const [endpoint, first, retried] = [ids.next(), ids.next(), ids.next()];
  // Written as the version before wrote it: one that was never tried, and one that failed and whose process is gone.
  await db.inTransaction([tenant], async (tx) => {
    await tx.run(
      "insert into endpoints (tenant_id, id, url, types, schedule_ms) values ($1, $2, $3, '{*}', '{1000}')",
      [tenant, endpoint, receiver.url],
    );
    await tx.run("insert into endpoint_health (tenant_id, endpoint_id) values ($1, $2) on conflict do nothing", [
      tenant,
      endpoint,
    ]);
    await tx.run("insert into endpoint_secrets (tenant_id, id, endpoint_id, sealed) values ($1, $2, $3, $4)", [
      tenant,
      sealed.id,
      endpoint,
      sealed.sealed,
    ]);
    for (const message of [first, retried]) {
      await tx.run(
        "insert into messages (tenant_id, id, type, occurred_at, received_at) values ($1, $2, 'call.ended', now(), now())",
        [tenant, message],
      );
      await tx.run("insert into message_bodies (tenant_id, message_id, format, body) values ($1, $2, 'standard', $3)", [
        tenant,
        message,
        Buffer.from(`{"type":"${message}"}`),
      ]);
    }
    await tx.run(
      "insert into deliveries (tenant_id, id, message_id, endpoint_id, state) values ($1, $2, $3, $4, 'due')",
      [tenant, ids.next(), first, endpoint],
    );
    await tx.run(
      `insert into deliveries (tenant_id, id, message_id, endpoint_id, state, attempt_count, claim_id, lease_until)
       values ($1, $2, $3, $4, 'claimed', 1, $2, now())`,
      [tenant, ids.next(), retried, endpoint],
    );
  });

  const proxy = await startDatabaseProxy(connection);
  const upgraded = await startServerProcess(proxy.url);
  const sent = await verifiedMessages(receiver, secret, 2);
  const asSent = (uuid: string) => ({ id: toPublicId("message", uuid), type: uuid });
  expect(sent.toSorted((a, b) => a.id.localeCompare(b.id))).toEqual([first, retried].map(asSent));
  const states = () => db.inTransaction([tenant], (tx) => tx.rows("select distinct state from deliveries"));
  await expect.poll(states).toEqual([{ state: "delivered" }]);
  expect((await running(upgraded.url, db).get("/readyz")).status).toBe(200);
  expect(await upgraded.stop()).toBe(0);
  await pool.end();
  await proxy.close();
  await receiver.close();
});

test("while a newer version has migrated the database the one before goes on, is ready, and says so; it is not started again", async () => {
  const receiver = await startReceiver();
  const own = await ownDatabase();
  const proxy = await startDatabaseProxy(own.connection);
  const older = await startServerProcess(proxy.url);
  const app = running(older.url, own.db);
  const customer = await makeCustomer(app);
  await customer.post("/v1/event-types", { name: "lead.qualified" });
  await customer.subscribe(receiver, { types: ["lead.*"] });
  await own.ownerPool.query("insert into schema_migrations (name, digest) values ('9999_of_a_newer_version.sql', 'x')");
  const { status, text } = await app.get("/readyz");
  expect([status, JSON.parse(text)]).toMatchObject([200, { checks: { migrations: { status: "degraded" } } }]);
  await customer.post("/v1/messages", { type: "lead.qualified", data: {} });
  await receiver.waitFor(1);
  expect(await older.stop()).toBe(0);
  await expect(startServerProcess(proxy.url)).rejects.toThrow("which this version does not know");
  await proxy.close();
  await discardDatabase(own);
  await receiver.close();
});

test.each(migrations.filter(({ name: file }) => file > before).map(({ name: file, sql }) => [file, sql]))(
  "%s takes nothing away that a process of the version before still uses, and asks nothing of its rows",
  (_file, sql) => {
    const text = sql.replaceAll(/--[^\n]*/g, "");
    expect(text).not.toMatch(/\bdrop\s+(table|column|function|view|type|schema|policy)\b/i);
    expect(text).not.toMatch(/\brename\b/i);
    expect(text).not.toMatch(/\balter\s+column\s+\w+\s+(set\s+not\s+null|type|set\s+data\s+type|drop\s+default)\b/i);
    for (const [column] of text.matchAll(/\badd\s+column\b[^;,]*/gi)) {
      if (/not\s+null/i.test(column)) expect(column).toMatch(/\bdefault\b|\bgenerated\b/i);
    }
  },
);
