import { spawnSync } from "node:child_process";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";

/** Makes the cluster if it is not there: beside its place, then one rename, so a half-made one is never taken for whole. */
export function ensureCluster(
  dataDir: string,
  binaries: Binaries,
  account: Account | null,
  { isDurable, passwordFile }: { isDurable: boolean; passwordFile: string | null },
): void {
  removeUnfinished(dataDir);
  if (existsSync(join(dataDir, "PG_VERSION"))) return refuseOtherVersion(dataDir);
  const unfinished = `${dataDir}.new-${process.pid}`;
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  if (account) chownSync(unfinished, account.uid, account.gid);
  // C sorts bytes, which is fast and the same everywhere; C.UTF-8 knows letters, without which trigram search finds no Hebrew.
  const locale =
    process.platform === "linux"
      ? ["--locale=C", "--lc-ctype=C.UTF-8"]
      : ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"];
  const args = ["-D", pathFor(account, unfinished), "-U", "postgres", "-E", "UTF8", ...locale];
  const access = passwordFile ? ["-A", "scram-sha-256", "--pwfile", passwordFile] : ["-A", "trust"];
  const made = spawnSync(binaries.initdb, [...args, ...access, ...(isDurable ? [] : ["--no-sync"])], {
    ...surroundings(unfinished, account),
    encoding: "utf8",
  });
  if (made.error || made.status !== 0) {
    rmSync(unfinished, { recursive: true, force: true });
    const reason = made.error?.message ?? (made.stderr || made.stdout).trim().replaceAll("\n", " · ");
    throw new Error(`The database could not be created in ${dataDir}: ${reason}`);
  }
  renameSync(unfinished, dataDir);
}

/**
 * How a child finds its directory. Under another account it may not be allowed to walk there (a project under /root), but
 * it is put there before it changes account, and Linux lets it name the place where it stands.
 */
export function pathFor(account: Account | null, directory: string): string {
  return account && process.platform === "linux" ? "/proc/self/cwd" : directory;
}

/** Nothing of our environment reaches PostgreSQL; Windows programs need theirs. */
export function surroundings(cwd: string, account: Account | null) {
  const env = process.platform === "win32" ? {} : { env: { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" } };
  return { cwd, ...account, ...env };
}

export type Settings = { readonly isDurable: boolean; readonly isOnTcp: boolean };

/** Writes all settings anew at each start. `ALTER SYSTEM` still wins, and the start-up check sees what it did. */
export function writeSettings(dataDir: string, { isDurable, isOnTcp }: Settings): void {
  const durable = isDurable ? "on" : "off";
  const lines = [
    "# Written by aftercall at every start: changes here are lost. Use ALTER SYSTEM.",
    `listen_addresses = '${isOnTcp ? "127.0.0.1" : ""}'`,
    "unix_socket_permissions = 0700",
    "password_encryption = scram-sha-256",
    // A process takes about thirty. Where nothing need last, tests run dozens of servers on one cluster.
    `max_connections = ${isDurable ? 100 : 400}`,
    "shared_buffers = 128MB",
    "max_parallel_workers_per_gather = 0",
    "jit = off",
    // Rows are found by key; as if on a spinning disk, a small table would be read whole.
    "random_page_cost = 1.1",
    // Plans made while tables were new and empty are replaced within seconds, not after a minute of load.
    "autovacuum_naptime = 10s",
    `fsync = ${durable}`,
    `full_page_writes = ${durable}`,
    `synchronous_commit = ${durable}`,
    "timezone = 'UTC'",
    "log_timezone = 'UTC'",
    "log_min_messages = warning",
    // A refused statement is the application's to report; with its values it would put calls into the server's log.
    "log_min_error_statement = panic",
    "log_line_prefix = '%m [%p] '",
  ];
  writeOver(join(dataDir, "postgresql.conf"), `${lines.join("\n")}\n`);
  // Over a socket in a directory of mode 0700 whoever gets there is allowed; over TCP nobody is without the password.
  const rule = isOnTcp ? "host all all 127.0.0.1/32 scram-sha-256" : "local all all trust";
  writeOver(join(dataDir, "pg_hba.conf"), `${rule}\n`);
}

/** Keeps owner and mode of the file. */
function writeOver(path: string, text: string): void {
  if (readFileSync(path, "utf8") !== text) writeFileSync(path, text);
}

function refuseOtherVersion(dataDir: string): void {
  const version = readFileSync(join(dataDir, "PG_VERSION"), "utf8").trim();
  if (version === packagedVersion) return;
  throw new Error(
    `The database in ${dataDir} was made by PostgreSQL ${version}, this is ${packagedVersion}: ` +
      `move it with pg_dump, or set AFTERCALL_DATA_DIR to a new directory`,
  );
}

const packagedVersion = "18";

function removeUnfinished(dataDir: string): void {
  const parent = dirname(dataDir);
  if (!existsSync(parent)) return;
  for (const name of readdirSync(parent)) {
    if (name.startsWith(`${basename(dataDir)}.new-`)) rmSync(join(parent, name), { recursive: true, force: true });
  }
}
