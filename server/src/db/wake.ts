import { Client, type ClientConfig, escapeIdentifier } from "pg";

import type { Clock } from "#/kernel/clock.ts";
import { messageOf } from "#/kernel/errors.ts";
import type { Log } from "#/kernel/log.ts";

import { appRole, withSettings } from "./connect.ts";
import { holdPresence } from "./presence.ts";
import type { Tx } from "./transaction.ts";

/** Called when something was announced on a channel; with null after a reconnect, when anything may have been missed. */
export type Woken = (payload: string | null) => void;

export type Wake = {
  /** Calls `woken` at every announcement until the returned function is called. Announcements wake; they never carry the data. */
  on(channel: string, woken: Woken): () => void;
  /** Resolves when it listens for the first time, and holds the lock of the process. */
  readonly ready: Promise<void>;
  stop(): Promise<void>;
};

/**
 * Announces on a channel when this transaction commits, and not if it rolls back. Once per transaction: equal announcements are
 * folded by PostgreSQL, and one for each row would cost three times the throughput.
 */
export async function notify(tx: Tx, channel: string, payload = ""): Promise<void> {
  await tx.run("select pg_notify($1, $2)", [channel, payload], "notify");
}

export type WakeOptions = {
  readonly connection: ClientConfig;
  readonly log: Log;
  readonly clock: Clock;
  /** The number of the process, which this connection shows to be alive. */
  readonly presence?: number;
};

/**
 * Listens on one connection of its own for the whole process. A lost connection is opened again; who waits must poll as well,
 * since an announcement made meanwhile is gone.
 */
export function createWake({ connection, log, clock, presence }: WakeOptions): Wake {
  const listeners = new Map<string, Set<Woken>>();
  const stopping = new AbortController();
  let client: Client | null = null;
  let asking: Promise<unknown> = Promise.resolve();
  const first = Promise.withResolvers<void>();
  const running = keepListening();

  return {
    on(channel, woken) {
      const set = listeners.get(channel) ?? new Set();
      listeners.set(channel, set.add(woken));
      // Until the connection is there this does nothing: connecting listens to every channel that is known by then.
      if (set.size === 1 && client) ask(client, listen(channel)).catch(() => {});
      return () => set.delete(woken);
    },
    ready: first.promise,
    async stop() {
      stopping.abort();
      first.resolve();
      await client?.end().catch(() => {});
      await running;
    },
  };

  async function keepListening(): Promise<void> {
    for (let failures = 0; !stopping.signal.aborted; failures++) {
      try {
        await listenOnce(() => {
          failures = 0;
        });
      } catch (error) {
        log.warn({ reason: messageOf(error) }, "database wake-ups lost, connecting again");
      }
      await clock.sleep(Math.min(100 * 2 ** failures, 5_000), stopping.signal);
    }
  }

  /** Resolves or throws when the connection has ended. */
  async function listenOnce(connected: () => void): Promise<void> {
    const fresh = new Client({
      ...withSettings(connection, { role: appRole }),
      application_name: "aftercall wake",
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    });
    const ended = new Promise<void>((resolve, reject) => {
      fresh.once("end", resolve);
      fresh.on("error", reject);
    });
    ended.catch(() => {}); // It may fail while nobody waits for it yet.
    fresh.on("notification", ({ channel, payload }) => call(channel, payload ?? ""));
    try {
      await fresh.connect();
      if (stopping.signal.aborted) return;
      client = fresh;
      if (presence !== undefined) await ask(fresh, holdPresence(presence));
      for (const channel of listeners.keys()) await ask(fresh, listen(channel));
      connected();
      first.resolve();
      for (const channel of listeners.keys()) call(channel, null);
      await Promise.race([ended, checkRegularly(fresh)]);
    } finally {
      client = null;
      await fresh.end().catch(() => {});
    }
  }

  /** A connection can be dead without either side being told: asked every 15 s, it answers within 5 or is given up. */
  async function checkRegularly(fresh: Client): Promise<void> {
    for (;;) {
      await clock.sleep(15_000, stopping.signal);
      if (client !== fresh || stopping.signal.aborted) return;
      const answer = ask(fresh, "select 1").then(() => true);
      const isAlive = await Promise.race([answer, clock.sleep(5_000).then(() => false)]);
      if (!isAlive) throw new Error("no answer within 5 s");
    }
  }

  /** One statement after the other, as a connection wants it. */
  function ask(on: Client, sql: string): Promise<unknown> {
    asking = asking.catch(() => {}).then(() => on.query(sql));
    return asking;
  }

  function call(channel: string, payload: string | null): void {
    for (const woken of listeners.get(channel) ?? []) woken(payload);
  }
}

function listen(channel: string): string {
  return `listen ${escapeIdentifier(channel)}`;
}
