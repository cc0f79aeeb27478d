import { type ClientConfig, type CustomTypesConfig, Pool, type PoolConfig, types } from "pg";

import type { Log } from "#/kernel/log.ts";

import { presenceSettings } from "./presence.ts";

/** The role that the application's statements run as: owns nothing, and row-level security binds it. */
export const appRole = "aftercall_app";

/** A PostgreSQL URL as connection settings. Options in the URL are kept; what {@link openPool} needs is added to them. */
export function connectionFrom(url: string): ClientConfig {
  const parsed = new URL(url);
  const options = parsed.searchParams.get("options");
  parsed.searchParams.delete("options");
  return { connectionString: parsed.href, ...(options && { options }) };
}

export type PoolOptions = {
  readonly connection: ClientConfig;
  /** Shown in pg_stat_activity: `aftercall api`. */
  readonly name: string;
  readonly log: Log;
  /** Connections at most; default 10. */
  readonly max?: number;
  /** The number of the process, on every connection. */
  readonly presence?: number;
  /** Lets the process end although connections are open. For tests and tools. */
  readonly mayExit?: boolean;
};

/** The application's pool. Every connection starts as {@link appRole}, so no statement can run with the owner's rights by mistake. */
export function openAppPool(options: PoolOptions): Pool {
  return openPool(options, {
    role: appRole,
    ...presenceSettings(options.presence),
    statement_timeout: "15s",
    lock_timeout: "5s",
    idle_in_transaction_session_timeout: "30s",
  });
}

/** The owner's pool: for setting up job queues, and for nothing that a request causes. */
export function openOwnerPool(options: PoolOptions): Pool {
  return openPool({ max: 2, ...options }, { lock_timeout: "10s", idle_in_transaction_session_timeout: "60s" });
}

function openPool({ connection, name, log, max = 10, mayExit = false }: PoolOptions, settings: Settings): Pool {
  const pool = new Pool({
    ...withSettings(connection, settings),
    ...pipelined,
    application_name: name,
    max,
    allowExitOnIdle: mayExit,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    types: rowTypes,
  });
  // An idle connection that breaks is replaced at the next use; without a listener it would end the process.
  pool.on("error", (error) => log.warn({ err: error, pool: name }, "idle database connection lost"));
  return pool;
}

/**
 * Statements issued together travel together. An option of pg itself that its type declarations do not know yet; every
 * transaction awaits what it started before it ends (db/transaction.ts).
 */
const pipelined: PoolConfig = { ...({ pipeline: true } as object) };

export type Settings = Readonly<Record<string, string>>;

/** Sets run-time parameters from the first moment of a connection on. */
export function withSettings(connection: ClientConfig, settings: Settings): ClientConfig {
  const added = Object.entries({ search_path: "public", ...settings }).map(([name, value]) => `-c ${name}=${value}`);
  return { ...connection, options: [connection.options, ...added].filter(Boolean).join(" ") };
}

/** bigint columns and lists hold counts and milliseconds and come as numbers; timestamptz comes as Date, uuid and xid8 as text. */
const rowTypes: CustomTypesConfig = {
  getTypeParser(oid: number, format?: "text" | "binary") {
    if (oid === int8) return safeInteger;
    if (oid === int8Array) return safeIntegers;
    return types.getTypeParser(oid, format);
  },
};

const int8 = 20;
const int8Array = 1016;

function safeIntegers(text: string): (number | null)[] {
  const items = text.slice(1, -1);
  return items === "" ? [] : items.split(",").map((item) => (item === "NULL" ? null : safeInteger(item)));
}

function safeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} does not fit a number: select it as text`);
  return value;
}
