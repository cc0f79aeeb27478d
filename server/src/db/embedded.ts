import { accessSync, constants, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";

import { Client, type ClientConfig } from "pg";

import { type Clock, systemClock } from "#/kernel/clock.ts";
import type { Log } from "#/kernel/log.ts";

import { accountFor } from "./embedded/account.ts";
import { findBinaries } from "./embedded/binaries.ts";
import { ensureCluster, writeSettings } from "./embedded/cluster.ts";
import { holdDirectory } from "./embedded/lock.ts";
import { isAlive, readPostmaster, signalTo, stopPostmaster } from "./embedded/postmaster.ts";
import {
  type Address,
  adopt,
  launch,
  newAddress,
  type Place,
  removeSocketDir,
  type Running,
  superuser,
  whenEnded,
} from "./embedded/process.ts";
import { ensurePassword, isOnTcp } from "./embedded/tcp.ts";

export type Embedded = {
  /** For the owner of the database `aftercall`: it may create roles and databases, and is no superuser. */
  readonly connection: ClientConfig;
  /** Stops the database and gives the directory back. Twice is once. */
  stop(): Promise<void>;
};

export type EmbeddedOptions = {
  /** The cluster lives in `<dataDir>/postgres`; nobody else may use the directory meanwhile. */
  readonly dataDir: string;
  readonly log: Log;
  readonly clock?: Clock;
  /** False: a crash of the machine may lose or corrupt data. For tests only; default true. */
  readonly isDurable?: boolean;
};

/**
 * Runs a real PostgreSQL of our own for as long as this process lives. A server that a killed process left behind is taken over;
 * one that dies is started again. Reached by a Unix socket in a private directory (Windows: loopback and a password).
 * @throws Error with one line that says what to do, {@link DirectoryInUse} among them.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const base = resolve(options.dataDir);
  mkdirSync(base, { recursive: true });
  const lock = holdDirectory(base);
  let server: Supervised | undefined;
  const stop = async () => {
    await server?.stop();
    lock.release();
  };
  try {
    const place = prepare(base, options);
    server = await supervise(place, options.log);
    return { connection: await ensureDatabase(place, server.address), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function prepare(base: string, { clock = systemClock, isDurable = true }: EmbeddedOptions): Place {
  const dataDir = join(base, "postgres");
  const account = accountFor(dataDir);
  const binaries = findBinaries(account, account ? sharedCache() : base);
  const secret = isOnTcp ? ensurePassword(base) : null;
  ensureCluster(dataDir, binaries, account, { isDurable, passwordFile: secret?.file ?? null });
  writeSettings(dataDir, { isDurable, isOnTcp });
  return { dataDir, logFile: join(base, "postgres.log"), account, binaries, password: secret?.password ?? null, clock };
}

/** Where root keeps what every user may run: our own directory may lie where only root gets. */
function sharedCache(): string {
  try {
    accessSync("/var/cache", constants.W_OK);
    return "/var/cache/aftercall";
  } catch {
    return "/tmp/aftercall-cache"; // A read-only container.
  }
}

type Supervised = { readonly address: Address; stop(): Promise<void> };

/** Keeps one server running until told to stop. */
async function supervise(place: Place, log: Log): Promise<Supervised> {
  const stopping = new AbortController();
  const before = readPostmaster(place.dataDir);
  let running = (await adopt(place)) ?? (await launchAnew(place));
  const address: Address = { socketDir: running.socketDir, port: running.port };
  if (before && before.socketDir !== address.socketDir) removeSocketDir(before.socketDir);
  log.info({ pid: running.pid, adopted: running.child === null, dir: place.dataDir }, "database started");

  /** A database that ends by itself is started again, at the same address and for as long as it takes. */
  const keep = async () => {
    while (!stopping.signal.aborted) {
      const how = await whenEnded(running, place.clock, stopping.signal);
      if (stopping.signal.aborted) return;
      log.error({ how, see: place.logFile }, "database ended by itself, starting it again");
      for (let wait = 100; !isAlive(running.pid); wait = Math.min(wait * 2, 10_000)) {
        await place.clock.sleep(wait, stopping.signal);
        if (stopping.signal.aborted) return;
        try {
          running = (await adopt(place)) ?? (await launch(place, address));
        } catch (error) {
          log.error({ err: error }, "database could not be started again");
        }
      }
    }
  };
  const keeping = keep();

  // An exit that nobody prepared still ends the database; SIGKILL does not, and the next start adopts it.
  const atExit = () => {
    signalTo(running.pid, "SIGINT");
    removeSocketDir(address.socketDir);
  };
  process.once("exit", atExit);
  return {
    address,
    async stop() {
      if (stopping.signal.aborted) return;
      stopping.abort();
      process.off("exit", atExit);
      await keeping;
      await stopPostmaster(running.pid, place.clock);
      removeSocketDir(address.socketDir);
    },
  };
}

async function launchAnew(place: Place): Promise<Running> {
  const address = await newAddress(place);
  try {
    return await launch(place, address);
  } catch (error) {
    removeSocketDir(address.socketDir);
    throw error;
  }
}

/** Creates the owner and its database once, and says how to reach it. */
async function ensureDatabase(place: Place, address: Address): Promise<ClientConfig> {
  const config = superuser(place, address);
  const admin = new Client(config);
  await admin.connect();
  try {
    const { rows } = await admin.query<{ role: boolean; database: boolean }>(
      `select exists (select from pg_roles where rolname = 'aftercall') as role,
              exists (select from pg_database where datname = 'aftercall') as database`,
    );
    const password = place.password === null ? "" : `password ${admin.escapeLiteral(place.password)}`;
    if (!rows[0]?.role) await admin.query(`create role aftercall login createrole createdb ${password}`);
    if (!rows[0]?.database) await admin.query("create database aftercall owner aftercall");
  } finally {
    await admin.end();
  }
  return { ...config, user: "aftercall", database: "aftercall" };
}
