import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";

import { openAppPool } from "#/db/connect.ts";
import { type Embedded, startEmbedded } from "#/db/embedded.ts";
import { readPostmaster } from "#/db/embedded/postmaster.ts";
import { createDb } from "#/db/transaction.ts";
import { silentLog } from "#/kernel/log.ts";

import { known, type Running, running } from "../harness/app.ts";
import { startDatabaseProxy, type DatabaseProxy } from "../harness/database-proxy.ts";
import { startReceiver, type Receiver } from "../harness/receiver.ts";
import { startServerProcess, type ServerProcess } from "../harness/server-process.ts";
import { signVapi } from "../harness/sign.ts";

const dataDir = mkdtempSync(join(tmpdir(), "aftercall-restart-"));
let embedded: Embedded;
let proxy: DatabaseProxy;
let receiver: Receiver;
let processes: ServerProcess[] = [];
let api: Running;
const pools: { end(): Promise<void> }[] = [];
beforeAll(async () => {
  [embedded, receiver] = await Promise.all([startEmbedded({ dataDir, log: silentLog() }), startReceiver()]);
  proxy = await startDatabaseProxy(embedded.connection);
  const [first, second] = [
    await startServerProcess(proxy.url, { AFTERCALL_ROLE: "api" }),
    await startServerProcess(proxy.url, { AFTERCALL_ROLE: "worker" }),
  ];
  processes = [first, second];
  const pool = openAppPool({ connection: embedded.connection, name: "test", log: silentLog(), mayExit: true });
  pools.push(pool);
  api = running(first.url, createDb(pool));
  await ask("POST", "/v1/event-types", { name: "lead.qualified" });
  await ask("POST", "/v1/endpoints", { url: receiver.url, types: ["lead.*"] });
}, 180_000);
afterAll(async () => {
  await Promise.all(processes.map((process) => process.kill()));
  await Promise.all(pools.map((pool) => pool.end()));
  await proxy.close();
  await embedded.stop();
  await receiver.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const ask = (method: string, path: string, body?: unknown) => api.ask(known.apiKey, method, path, body);
const statusOf = async (path: string) => (await api.get(path)).status;

/** Publishes one message; its id, or null where that was refused. */
async function publish(): Promise<string | null> {
  const { status, json } = await ask("POST", "/v1/messages", { type: "lead.qualified", data: {} });
  if (status !== 202) expect([503, status]).toEqual([503, status]);
  return status === 202 ? json.id : null;
}

async function arrived(ids: readonly string[]): Promise<void> {
  const missing = () => {
    const got = new Set(receiver.received.map(({ headers }) => headers["webhook-id"]));
    return ids.filter((id) => !got.has(id));
  };
  await expect.poll(missing, { timeout: 60_000 }).toEqual([]);
}

test(
  "the database is killed and starts again under load: refused for less than 30 s, nothing lost, wake-ups come as before",
  { timeout: 180_000 },
  async () => {
    const accepted: string[] = [];
    let isOver = false;
    let lastRefusal = 0;
    const load = async () => {
      while (!isOver) {
        const id = await publish();
        if (id === null) lastRefusal = performance.now();
        else accepted.push(id);
      }
    };
    const publishers = Array.from({ length: 5 }, load);
    await expect.poll(() => accepted.length, { timeout: 30_000 }).toBeGreaterThan(50);
    const { pid } = readPostmaster(join(dataDir, "postgres")) ?? {};
    if (!pid) throw new Error("the database has no process");
    process.kill(pid, "SIGKILL");
    const killedAt = performance.now();
    await expect.poll(() => lastRefusal, { timeout: 30_000, interval: 5 }).toBeGreaterThan(0);
    const before = accepted.length;
    await expect.poll(() => accepted.length, { timeout: 60_000 }).toBeGreaterThan(before + 50);
    isOver = true;
    await Promise.all(publishers);
    expect(lastRefusal - killedAt).toBeLessThan(30_000);
    await arrived(accepted);

    // Looked for, a message would wait up to a second; announced, it goes at once.
    const delays: number[] = [];
    for (let n = 0; n < 10; n++) {
      const publishedAt = performance.now();
      const count = receiver.received.length;
      await publish();
      await receiver.waitFor(count + 1);
      delays.push(performance.now() - publishedAt);
    }
    expect(delays.filter((delay) => delay < 400).length).toBeGreaterThanOrEqual(8);
  },
);

test(
  "while the database takes nothing any more nobody is told 2xx, the process lives, and it goes on by itself afterwards",
  { timeout: 120_000 },
  async () => {
    const webhook = () =>
      api.post("/webhooks/vapi", signVapi("default-vapi-secret", '{"type":"call.ended","call":{"id":"read-only"}}'));
    await readOnly(true);
    await expect.poll(publish, { timeout: 30_000 }).toBeNull();
    for (let n = 0; n < 3; n++) expect(await publish()).toBeNull();
    expect((await webhook()).status).toBe(503);
    expect(await statusOf("/healthz")).toBe(200);
    expect((await ask("GET", "/v1/messages")).status).toBe(200);

    await readOnly(false);
    let id: string | null = null;
    await expect.poll(async () => (id = await publish()), { timeout: 30_000 }).not.toBeNull();
    await arrived([String(id)]);
    expect((await webhook()).status).toBe(200);
  },
);

test(
  "without a database the process lives and is not ready; with it again it is ready by itself",
  { timeout: 60_000 },
  async () => {
    proxy.cut();
    expect([await statusOf("/healthz"), await statusOf("/readyz")]).toEqual([200, 503]);
    proxy.restore();
    await expect.poll(() => statusOf("/readyz"), { timeout: 30_000 }).toBe(200);
  },
);

/** As a standby is, or a server whose operator stopped writing; for everybody who is connected or comes. */
async function readOnly(isReadOnly: boolean): Promise<void> {
  const client = new Client(embedded.connection);
  await client.connect();
  await client.query("set default_transaction_read_only = off");
  await client.query(`alter database aftercall set default_transaction_read_only = ${isReadOnly ? "on" : "off"}`);
  await client.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'aftercall' and pid <> pg_backend_pid()",
  );
  await client.end();
}
