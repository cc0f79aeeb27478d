import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";

import pg from "pg";

import { type Clock, systemClock } from "#/kernel/clock.ts";
import type { Log } from "#/kernel/log.ts";

import { accountFor } from "./embedded/account.ts";
import { findBinaries } from "./embedded/binaries.ts";
import { ensureCluster, writeSettings } from "./embedded/cluster.ts";
import { holdDirectory } from "./embedded/lock.ts";
import { readPostmaster, signalTo, stopPostmaster } from "./embedded/postmaster.ts";
import {
  type Address,
  adopt,
  launch,
  newAddress,
  type Place,
  removeSocketDir,
  type Running,
} from "./embedded/process.ts";
import { ensurePassword, isOnTcp } from "./embedded/tcp.ts";

export type Embedded = {
  /** For the owner of the database `aftercall`: it may create roles and databases, and is no superuser. */
  readonly connection: pg.ClientConfig;
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
  try {
    const place = prepare(base, options);
    const server = await supervise(place, options.log);
    const connection = await ensureDatabase(server.address, base);
    return {
      connection,
      async stop() {
        await server.stop();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function prepare(base: string, { clock = systemClock, isDurable = true }: EmbeddedOptions): Place {
  const dataDir = join(base, "postgres");
  const account = accountFor(dataDir);
  // Where root keeps what every user may run; our own directory may lie where only root gets.
  const binaries = findBinaries(account, account ? "/var/cache/aftercall" : base);
  ensureCluster(dataDir, binaries, account, { isDurable, passwordFile: isOnTcp ? ensurePassword(base).file : null });
  writeSettings(dataDir, { isDurable, isOnTcp });
  return { dataDir, logFile: join(base, "postgres.log"), account, binaries, clock };
}

/** Keeps one server running until told to stop. */
async function supervise(place: Place, log: Log): Promise<{ address: Address; stop(): Promise<void> }> {
  let isStopping = false;
  const before = readPostmaster(place.dataDir);
  let running = (await adopt(place)) ?? (await launch(place, await newAddress(place.account)));
  const address: Address = { socketDir: running.socketDir, port: running.port };
  if (before && before.socketDir !== address.socketDir) removeSocketDir(before.socketDir);
  log.info({ pid: running.pid, adopted: running.child === null, dir: place.dataDir }, "database started");

  const watch = ({ child }: Running) => {
    child?.once("exit", (code, signal) => {
      if (isStopping) return;
      log.error({ code, signal, see: place.logFile }, "database ended by itself, starting it again");
      relaunching = relaunch();
    });
  };
  let relaunching = Promise.resolve();
  const relaunch = async () => {
    for (let wait = 100; !isStopping; wait = Math.min(wait * 2, 10_000)) {
      await place.clock.sleep(wait);
      try {
        if (isStopping) return;
        running = (await adopt(place)) ?? (await launch(place, address));
        return watch(running);
      } catch (error) {
        log.error({ err: error }, "database could not be started again");
      }
    }
  };
  watch(running);

  // An exit that nobody prepared still ends the database; SIGKILL does not, and the next start adopts it.
  const atExit = () => {
    signalTo(running.pid, "SIGINT");
    removeSocketDir(address.socketDir);
  };
  process.once("exit", atExit);
  return {
    address,
    async stop() {
      if (isStopping) return;
      isStopping = true;
      process.off("exit", atExit);
      await relaunching;
      await stopPostmaster(running.pid, place.clock);
      removeSocketDir(address.socketDir);
    },
  };
}

/** Creates the owner and its database once, and says how to reach it. */
async function ensureDatabase({ socketDir, port }: Address, base: string): Promise<pg.ClientConfig> {
  const where = isOnTcp
    ? { host: "127.0.0.1", port, password: ensurePassword(base).password }
    : { host: socketDir, port };
  const admin = new pg.Client({ ...where, user: "postgres", database: "postgres" });
  await admin.connect();
  try {
    const { rows } = await admin.query<{ role: boolean; database: boolean }>(
      `select exists (select from pg_roles where rolname = 'aftercall') as role,
              exists (select from pg_database where datname = 'aftercall') as database`,
    );
    const password = "password" in where ? `password ${admin.escapeLiteral(where.password)}` : "";
    if (!rows[0]?.role) await admin.query(`create role aftercall login createrole createdb ${password}`);
    if (!rows[0]?.database) await admin.query("create database aftercall owner aftercall");
  } finally {
    await admin.end();
  }
  return { ...where, user: "aftercall", database: "aftercall" };
}
