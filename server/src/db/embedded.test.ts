import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { Client, type ClientConfig } from "pg";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";
import { silentLog } from "#/kernel/log.ts";

import { type Embedded, startEmbedded } from "./embedded.ts";
import { accountFor } from "./embedded/account.ts";
import { findBinaries } from "./embedded/binaries.ts";
import { hasEnded, isAlive, readPostmaster } from "./embedded/postmaster.ts";

// A project under a home that others may not enter, which is where root's projects are.
const home = mkdtempSync(join(tmpdir(), "aftercall-home-"));
const dataDir = join(home, "project/.aftercall");
const cluster = join(dataDir, "postgres");

const children: ChildProcess[] = [];
let running: Embedded | null = null;

beforeAll(async () => {
  await (await start()).stop();
});
afterEach(async () => {
  for (const child of children.splice(0)) await kill(child);
  await running?.stop();
});
afterAll(() => rmSync(home, { recursive: true }));

test("a database left behind by a killed parent is taken over with everything it acknowledged", async () => {
  const child = await startChild();
  await ask(child.connection, "create table kept (id int); insert into kept values (1)");
  const pid = postmaster();
  await kill(child.process);
  expect(isAlive(pid)).toBe(true);
  const { connection } = await start();
  expect(postmaster()).toBe(pid);
  expect(await ask(connection, "select id from kept")).toEqual([{ id: 1 }]);
});

test("a database that was taken over ends with its new parent, and leaves no socket behind", async () => {
  const child = await startChild();
  await kill(child.process);
  const { connection } = await start();
  const pid = postmaster();
  await running?.stop();
  expect(isAlive(pid)).toBe(false);
  expect(existsSync(String(connection.host))).toBe(false);
});

test("the database ends with a parent that just exits", async () => {
  const child = await startChild("exit");
  await once(child.process, "exit");
  const pid = readPostmaster(cluster)?.pid;
  expect(pid === undefined || (await hasEnded(pid, 10_000, systemClock))).toBe(true);
  expect(existsSync(String(child.connection.host))).toBe(false);
});

test("everything killed at once, the next start recovers what was committed", async () => {
  const child = await startChild();
  await ask(child.connection, "create table committed (id int); insert into committed values (1)");
  process.kill(postmaster(), "SIGKILL");
  await kill(child.process);
  const { connection } = await start();
  expect(await ask(connection, "select id from committed")).toEqual([{ id: 1 }]);
});

test("a pid file of a process that is gone does not matter", async () => {
  writePidFile(await pidOfTheDead());
  expect(await ask((await start()).connection, "select 1 as one")).toEqual([{ one: 1 }]);
});

test("a pid file that names a living stranger does not matter, and the stranger lives on", async () => {
  // Of the same user as the database: only then does PostgreSQL take it for one of its own.
  const stranger = spawn("sleep", ["600"], { ...accountFor(cluster), cwd: "/", stdio: "ignore" });
  children.push(stranger);
  await once(stranger, "spawn");
  writePidFile(stranger.pid ?? 0);
  await ask((await start()).connection, "select 1");
  expect(stranger.exitCode).toBe(null);
});

test.each(["", "rubbish\n"])("a pid file that holds %j does not matter", async (text) => {
  writeFileSync(join(cluster, "postmaster.pid"), text);
  expect(await ask((await start()).connection, "select 1 as one")).toEqual([{ one: 1 }]);
});

test("two servers never share a directory, whether in one process or in two", async () => {
  await start();
  await expect(startEmbedded({ dataDir, log: silentLog() })).rejects.toThrow(`Another aftercall is using ${dataDir}`);
  expect((await startChild()).refused).toContain("Another aftercall is using");
  await running?.stop();
  await ask((await start()).connection, "select 1");
});

test("a database that dies is started again at the same address", async () => {
  const { connection } = await start();
  process.kill(postmaster(), "SIGKILL");
  expect(await askUntilAnswered(connection)).toEqual([{ one: 1 }]);
});

test("a creation that was interrupted is never taken for a database", async () => {
  const other = join(home, "interrupted");
  mkdirSync(join(other, "postgres.new-1/base"), { recursive: true });
  const embedded = await startEmbedded({ dataDir: other, log: silentLog(), isDurable: false });
  await embedded.stop();
  expect(readdirSync(other).filter((name) => name.includes(".new-"))).toEqual([]);
});

test("a database of another PostgreSQL version is refused in one line that says what to do", async () => {
  const file = join(cluster, "PG_VERSION");
  const version = readFileSync(file, "utf8");
  writeFileSync(file, "17\n");
  await expect(start()).rejects.toThrow(/made by PostgreSQL 17, this is 18: move it with pg_dump/);
  writeFileSync(file, version);
});

test("what is acknowledged is on disk, unless a test says otherwise", async () => {
  const { connection } = await start();
  const shown =
    "select name, setting from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit') order by name";
  const settings = await ask(connection, shown);
  expect(settings.map(({ setting }) => setting)).toEqual(["on", "on", "on"]);
});

test("nobody else gets to it: no network, a private socket, no password lying around, no superuser", async () => {
  const { connection } = await start();
  const [row] = await ask(
    connection,
    `select current_setting('listen_addresses') as network, rolsuper as is_superuser from pg_roles where rolname = current_user`,
  );
  expect(row).toEqual({ network: "", is_superuser: false });
  expect(statSync(String(connection.host)).mode & 0o777).toBe(0o700);
  expect(statSync(cluster).mode & 0o777).toBe(0o700);
  expect(readdirSync(dataDir).toSorted()).toEqual(["lock", "postgres", "postgres.log"]);
});

test("Hebrew is searched by its letters", async () => {
  const { connection } = await start();
  await ask(connection, "create extension if not exists pg_trgm");
  const [row] = await ask(connection, "select cardinality(show_trgm('שלום עולם')) as count");
  expect(Number(row?.count)).toBeGreaterThan(5);
});

test("Ctrl-C in a terminal reaches us and not the database", async () => {
  await start();
  expect(sessionOf(postmaster())).toBe(postmaster());
});

test("programs without their library links, where the database's user cannot reach them, are copied to where it can", () => {
  const hidden = join(home, "node_modules/native");
  cpSync(packaged(), hidden, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (from) => !lstatSync(from).isSymbolicLink(),
  });
  const spare = mkdtempSync(join(tmpdir(), "aftercall-spare-"));
  chmodSync(spare, 0o755);
  const account = accountFor(cluster);
  for (const time of ["made", "found again"]) {
    const { postgres } = findBinaries(account, spare, { native: hidden, version: "x" });
    expect(`${time}: ${postgres}`).toBe(
      `${time}: ${account ? join(spare, "postgres-x/bin/postgres") : join(hidden, "bin/postgres")}`,
    );
  }
  rmSync(spare, { recursive: true });
});

test("programs are not run from a place that another user can write to", () => {
  const spare = mkdtempSync(join(tmpdir(), "aftercall-spare-"));
  chmodSync(spare, 0o777);
  const broken = { native: join(home, "nowhere"), version: "x" };
  expect(() => findBinaries(accountFor(cluster), spare, broken)).toThrow("can be written to by another user");
  rmSync(spare, { recursive: true });
});

async function start(): Promise<Embedded> {
  running = await startEmbedded({ dataDir, log: silentLog() });
  return running;
}

type Child = { readonly process: ChildProcess; readonly connection: ClientConfig; readonly refused: string };

async function startChild(...args: string[]): Promise<Child> {
  const script = fileURLToPath(new URL("../../test/harness/embedded-child.ts", import.meta.url));
  const child = spawn(process.execPath, [script, dataDir, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return { process: child, ...(JSON.parse(line) as { connection: ClientConfig; refused: string }) };
}

function packaged(): string {
  return dirname(dirname(findBinaries(null, home).postgres));
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

function postmaster(): number {
  return readPostmaster(cluster)?.pid ?? 0;
}

function sessionOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3]);
}

async function pidOfTheDead(): Promise<number> {
  const child = spawn("true", { stdio: "ignore" });
  await once(child, "exit");
  return child.pid ?? 0;
}

function writePidFile(pid: number): void {
  writeFileSync(
    join(cluster, "postmaster.pid"),
    `${pid}\n${cluster}\n1700000000\n5432\n/tmp/none\n\n  12345 67890\nready   \n`,
  );
}

async function ask(connection: ClientConfig, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client(connection);
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function askUntilAnswered(connection: ClientConfig): Promise<Record<string, unknown>[]> {
  for (;;) {
    try {
      return await ask(connection, "select 1 as one");
    } catch {
      await setImmediate();
    }
  }
}
