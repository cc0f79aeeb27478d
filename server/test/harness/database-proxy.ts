import { connect, createServer, type AddressInfo, type Socket } from "node:net";

import { Client, type ClientConfig } from "pg";

export type DatabaseProxy = {
  /** The same database, reached through the proxy. */
  readonly connection: ClientConfig;
  /** The same as a URL, for a process of its own. */
  readonly url: string;
  /** Breaks every connection and refuses new ones: the database is away. */
  cut(): void;
  /** The database is back. */
  restore(): void;
  /**
   * Waits until one connection has sent these texts, one after the other, and stops everything there: nothing passes in either
   * direction until {@link restore}. `after`: the last one still reaches the database, and only its answer does not come back.
   */
  stopAt(texts: readonly string[], where: "before" | "after"): Promise<void>;
  close(): Promise<void>;
};

/** A TCP relay in front of a database, so that tests can take the database away as a network does. */
export async function startDatabaseProxy(connection: ClientConfig): Promise<DatabaseProxy> {
  const target = new Client(connection);
  const open = new Set<Socket>();
  let isCut = false;
  let isStopped = false;
  let watch: { readonly texts: readonly string[]; readonly where: "before" | "after"; reached(): void } | null = null;

  const server = createServer((client) => {
    if (isCut) return void client.destroy();
    const database = target.host.startsWith("/")
      ? connect(`${target.host}/.s.PGSQL.${target.port}`)
      : connect(target.port, target.host);
    for (const [socket, other] of [
      [client, database],
      [database, client],
    ] as const) {
      open.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        open.delete(socket);
        other.destroy();
      });
    }
    let seen = 0;
    client.on("data", (bytes) => {
      if (isStopped) return;
      while (watch && bytes.includes(watch.texts[seen] ?? "")) {
        if (++seen < watch.texts.length) continue;
        const { where, reached } = watch;
        watch = null;
        isStopped = true;
        if (where === "after") database.write(bytes, () => reached());
        else reached();
        return;
      }
      database.write(bytes);
    });
    database.on("data", (bytes) => {
      if (!isStopped) client.write(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const breakAll = () => {
    for (const socket of open) socket.destroy();
  };

  const { user = "", password, database = "" } = target;
  const url = new URL(`postgres://127.0.0.1:${port}/${database}`);
  url.username = user;
  if (typeof password === "string") url.password = password;
  return {
    connection: { ...(connection.options && { options: connection.options }), connectionString: url.href },
    url: url.href,
    cut() {
      isCut = true;
      breakAll();
    },
    restore() {
      if (isStopped) breakAll();
      isCut = false;
      isStopped = false;
    },
    stopAt: (texts, where) => new Promise((reached) => (watch = { texts, where, reached })),
    async close() {
      breakAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
