import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { environment } from "../harness/app.ts";
import { startDatabaseProxy } from "../harness/database-proxy.ts";
import { discardDatabase, ownDatabase } from "../harness/database.ts";

const root = path.join(import.meta.dirname, "../../..");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "start-"));
});
afterAll(() => rm(folder, { recursive: true }));

test(
  "a port that is in use is said in one line, and nothing else is worth a warning",
  { timeout: 60_000 },
  async () => {
    const database = await ownDatabase();
    const proxy = await startDatabaseProxy(database.connection);
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    const settings = { DATABASE_URL: proxy.url, AFTERCALL_HOST: "127.0.0.1", PORT: String(port) };
    const said = await run([path.join(root, "server/src/main.ts")], { ...settings, AFTERCALL_LOG_LEVEL: "warn" });
    await new Promise((resolve) => other.close(resolve));
    await proxy.close();
    await discardDatabase(database);
    expect([said.code, said.err]).toEqual([
      1,
      `aftercall cannot start: port ${port} is in use: stop what uses it, or set PORT to another one\n`,
    ]);
    // The database of tests may lose what it commits, and the server says so.
    expect(said.out.split("\n").filter((line) => line !== "" && !line.includes('"durability"'))).toEqual([]);
  },
);

test("with a Node that is too old, or without packages, a line says so instead of a stack trace", async () => {
  const checked = "server/scripts/check-node.cjs";
  await mkdir(path.join(folder, "server/scripts"), { recursive: true });
  await cp(path.join(root, checked), path.join(folder, checked));
  await cp(path.join(root, "package.json"), path.join(folder, "package.json"));
  await writeFile(
    path.join(folder, "old.cjs"),
    'Object.defineProperty(process.versions, "node", { value: "20.1.0" });',
  );
  const start = (...before: string[]) => run([...before.flatMap((file) => ["-r", `./${file}`]), "-p", "'started'"]);

  expect(await start(checked)).toEqual({
    ...{ code: 1, out: "" },
    err: "aftercall cannot start: its packages are not installed: run npm ci\n",
  });
  await mkdir(path.join(folder, "node_modules/@aftercall"), { recursive: true });
  expect(await start("old.cjs", checked)).toEqual({
    ...{ code: 1, out: "" },
    err: expect.stringMatching(/^aftercall cannot start: it needs Node 24, and this is 20\.1\.0: .*npm ci.*\n$/),
  });
  expect(await start(checked)).toEqual({ code: 0, out: "started\n", err: "" });
});

test("npm start, run dev, run demo and run bench look at that first", async () => {
  const { scripts } = JSON.parse(await readFile(path.join(root, "package.json"), "utf8"));
  for (const name of ["start", "dev", "demo", "bench"]) {
    expect(scripts[name]).toMatch(/^node -r \.\/server\/scripts\/check-node\.cjs \S+\.ts$/);
  }
});

/** Runs Node until it ends; resolves with its exit code and what it printed. */
function run(args: readonly string[], settings: Readonly<Record<string, string>> = {}) {
  const env = { PATH: process.env["PATH"], ...environment(), ...settings };
  return new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    const child = execFile(process.execPath, args, { cwd: folder, env }, (_failed, out, err) =>
      resolve({ code: child.exitCode, out, err }),
    );
  });
}
