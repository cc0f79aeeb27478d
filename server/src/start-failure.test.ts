import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import pg from "pg";
import { expect, test } from "vitest";

import { connectionFrom } from "#/db/connect.ts";

import { inDatabase } from "../test/harness/clone.ts";
import { testDatabase } from "../test/harness/database.ts";
import { whyNotStarted } from "./start-failure.ts";

test("a port that is in use is named, with the setting to change", async () => {
  const first = createServer();
  const port = await listen(first, 0);
  await expect(whyFailed(listen(createServer(), port))).resolves.toBe(
    `port ${port} is in use: stop what uses it, or set PORT to another one`,
  );
  await new Promise((resolve) => first.close(resolve));
});

test("a database that does not answer is named, whichever way its host is written", async () => {
  const closed = createServer();
  const port = await listen(closed, 0);
  await new Promise((resolve) => closed.close(resolve));
  for (const host of ["127.0.0.1", "localhost"]) {
    const client = new pg.Client(connectionFrom(`postgres://a:b@${host}:${port}/aftercall`));
    await expect(whyFailed(client.connect())).resolves.toMatch(
      /^the database at .*:\d+ cannot be reached \(ECONNREFUSED\): start it, or correct DATABASE_URL$/,
    );
  }
});

test("a database that is not there is said to be missing, not to be away", async () => {
  const { connection } = await testDatabase();
  const client = new pg.Client(inDatabase(connection, "no_such_database"));
  await expect(whyFailed(client.connect())).resolves.toMatch(/^the database of DATABASE_URL is not there: .*Create it/);
});

test("a data directory that cannot be made is named", async () => {
  const file = path.join(tmpdir(), `aftercall-file-${process.pid}`);
  await writeFile(file, "");
  await expect(whyFailed(mkdir(path.join(file, "data")))).resolves.toMatch(
    /data cannot be made \(ENOTDIR\): set AFTERCALL/,
  );
});

test("an error that explains itself is passed on as it is", () => {
  expect(whyNotStarted(new Error("stop it, or set AFTERCALL_DATA_DIR"))).toBe("stop it, or set AFTERCALL_DATA_DIR");
});

async function whyFailed(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(
    () => "nothing failed",
    (error: unknown) => whyNotStarted(error),
  );
}

function listen(server: ReturnType<typeof createServer>, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : 0);
    });
  });
}
