import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  chownSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

import { Client, type ClientConfig } from "pg";

import type { Clock } from "#/kernel/clock.ts";

import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { pathFor, surroundings } from "./cluster.ts";
import { disownPidFile, isAlive, isPostmasterOf, readPostmaster, signalTo, stopPostmaster } from "./postmaster.ts";
import { freePort, isOnTcp } from "./tcp.ts";

/** Where a running server is reached. */
export type Address = { readonly socketDir: string; readonly port: number };

/** A server that runs on our directory; `child` is null when an earlier process of ours started it. */
export type Running = Address & { readonly pid: number; readonly child: ChildProcess | null };

export type Place = {
  readonly dataDir: string;
  readonly logFile: string;
  readonly account: Account | null;
  readonly binaries: Binaries;
  /** Null: whoever gets to the socket is let in. */
  readonly password: string | null;
  readonly clock: Clock;
};

/**
 * The server that an earlier process left behind when it was killed, made to read its settings again. Null when there is none,
 * or when it is of no use any more; then it is gone, and so is what it would have left in the way of the next.
 */
export async function adopt(place: Place): Promise<Running | null> {
  const { dataDir, clock } = place;
  const until = clock.monotonic() + 60_000; // Recovery after a crash of the machine takes its time.
  for (;;) {
    const found = readPostmaster(dataDir);
    if (!found || !isPostmasterOf(found.pid, dataDir)) {
      disownPidFile(dataDir);
      return null;
    }
    const { pid, port, socketDir, state } = found;
    const isReachable = isOnTcp || existsSync(join(socketDir, `.s.PGSQL.${port}`));
    if (state === "stopping" || (state === "ready" && !isReachable) || clock.monotonic() > until) {
      await stopPostmaster(pid, clock);
    } else if (state === "ready" && (await answers(place, found))) {
      signalTo(pid, "SIGHUP");
      return { pid, port, socketDir, child: null };
    }
    // Starting, or killed a moment ago and not yet gone.
    await clock.sleep(10);
  }
}

/** How the superuser of the cluster is reached; only this process can. */
export function superuser({ password }: Place, { socketDir, port }: Address): ClientConfig {
  const where = password === null ? { host: socketDir, port } : { host: "127.0.0.1", port, password };
  return { ...where, user: "postgres", database: "postgres", connectionTimeoutMillis: 5_000 };
}

async function answers(place: Place, address: Address): Promise<boolean> {
  const client = new Client(superuser(place, address));
  client.on("error", () => {});
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

/** Resolves when a server has ended by itself, with what is known of it; also when told to stop waiting. */
export async function whenEnded({ pid, child }: Running, clock: Clock, stop: AbortSignal): Promise<unknown> {
  if (child && child.exitCode === null && child.signalCode === null) {
    await once(child, "exit", { signal: stop }).catch(() => {});
    return { code: child.exitCode, signal: child.signalCode };
  }
  while (!stop.aborted && isAlive(pid)) await clock.sleep(500, stop);
  return {};
}

/** Starts a server and waits until it takes connections. */
export async function launch(place: Place, address: Address): Promise<Running> {
  const until = place.clock.monotonic() + 60_000;
  for (;;) {
    const child = spawnPostgres(place, address);
    const failure = await ready(place, child, until);
    if (failure === null) return { ...address, pid: child.pid ?? 0, child };
    // The last processes of a killed server let go of its memory a moment after it.
    if (!failure.includes("shared memory block") || place.clock.monotonic() > until) throw new Error(failure);
    await place.clock.sleep(50);
  }
}

/**
 * A private directory for the socket. Its name comes from the data directory, so that one which a killed server left behind is
 * used again instead of staying for ever; what somebody else put there in our name is left alone.
 */
export async function newAddress({ dataDir, account }: Place): Promise<Address> {
  if (isOnTcp) return { socketDir: "", port: await freePort() };
  // A socket's path holds about 100 characters; and root's own temporary directory may be closed to others.
  const parent = account || tmpdir().length > 60 ? "/tmp" : tmpdir();
  const usual = join(parent, `${socketDirPrefix}${createHash("sha256").update(dataDir).digest("hex").slice(0, 12)}`);
  const socketDir = isOurs(usual, account) ? makeAnew(usual) : mkdtempSync(join(parent, socketDirPrefix));
  if (account) chownSync(socketDir, account.uid, account.gid);
  return { socketDir, port: 5432 };
}

const socketDirPrefix = "aftercall-pg-";

function isOurs(path: string, account: Account | null): boolean {
  const there = lstatSync(path, { throwIfNoEntry: false });
  return !there || (there.isDirectory() && (there.uid === process.getuid?.() || there.uid === account?.uid));
}

function makeAnew(path: string): string {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { mode: 0o700 });
  return path;
}

export function removeSocketDir(socketDir: string): void {
  if (basename(socketDir).startsWith(socketDirPrefix)) rmSync(socketDir, { recursive: true, force: true });
}

/** In a session of its own: Ctrl-C in a terminal is for us, and the database ends after our last transaction. */
function spawnPostgres({ dataDir, logFile, account, binaries }: Place, { socketDir, port }: Address): ChildProcess {
  if (existsSync(logFile) && statSync(logFile).size > logBytesMax) renameSync(logFile, `${logFile}.1`);
  const log = openSync(logFile, "a", 0o600);
  const args = ["-D", pathFor(account, dataDir), "-p", String(port), ...(isOnTcp ? [] : ["-k", socketDir])];
  const stdio = ["ignore", log, log] as const;
  const child = spawn(binaries.postgres, args, {
    ...surroundings(dataDir, account),
    detached: true,
    stdio: [...stdio],
  });
  closeSync(log);
  child.unref();
  return child;
}

const logBytesMax = 10_000_000;

/** Null once it takes connections, else why it does not. */
async function ready({ dataDir, logFile, clock }: Place, child: ChildProcess, until: number): Promise<string | null> {
  const logStart = statSync(logFile).size;
  let failure: Error | undefined;
  child.once("error", (error) => {
    failure = error;
  });
  for (;;) {
    await clock.sleep(5);
    if (failure) return `PostgreSQL did not start: ${failure.message}`;
    if (child.exitCode !== null || child.signalCode !== null)
      return `PostgreSQL did not start: ${reason(logFile, logStart)}`;
    const found = readPostmaster(dataDir);
    if (found?.pid === child.pid && found?.state === "ready") return null;
    if (clock.monotonic() > until) return `PostgreSQL did not get ready within a minute: see ${logFile}`;
  }
}

function reason(logFile: string, logStart: number): string {
  const lines = readFileSync(logFile).subarray(logStart).toString("utf8").trim().split("\n");
  return (lines.find((line) => /FATAL|PANIC/.test(line)) ?? lines.at(-1) ?? "").replace(/^.*?(FATAL|PANIC): +/, "");
}
