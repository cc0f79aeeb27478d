import { join } from "node:path";

import type { Loader } from "../loader.ts";
import { type Aftercall, startAftercall } from "../machine/aftercall.ts";
import { cpuMicros } from "../machine/cpu.ts";
import { type Database, startDatabase } from "../machine/database.ts";
import { type Remote, startRemote } from "../machine/remote.ts";
import type { Receiver } from "../receiver.ts";
import { webhookSecret } from "../servers/secret.ts";

/** What all parts measure with. */
export type Bench = {
  readonly database: Database;
  readonly loader: Remote<Loader>;
  readonly receiver: Remote<Receiver>;
  readonly receiverUrl: string;
  readonly logLevel: string;
  readonly profileDir: string | null;
  stop(): Promise<void>;
};

export async function startBench(root: string, options: Pick<Bench, "logLevel" | "profileDir">): Promise<Bench> {
  const loader = startRemote<Loader>(join(import.meta.dirname, "../loader.ts"));
  const receiver = startRemote<Receiver>(join(import.meta.dirname, "../receiver.ts"));
  const { port } = await receiver.call("listen");
  const database = await startDatabase(process.env.DATABASE_URL, join(root, ".aftercall", "bench-pipeline"));
  return {
    ...options,
    database,
    loader,
    receiver,
    receiverUrl: `http://127.0.0.1:${port}/`,
    async stop() {
      await Promise.all([loader.stop(), receiver.stop()]);
      await database.stop();
    },
  };
}

export type Running = Aftercall & {
  /** Where calls of the load generator go. */
  readonly load: { readonly port: number; readonly path: string; readonly secret: string };
  /** Name of its database. */
  readonly databaseName: string;
};

/** A server on an empty database, with a source that takes the load generator's calls. */
export async function withServer<Result>(
  { database, logLevel, profileDir }: Bench,
  analysis: "on" | "off",
  measure: (server: Running) => Promise<Result>,
): Promise<Result> {
  const databaseName = "bench_pipeline";
  const server = await startAftercall({
    databaseUrl: await database.create(databaseName),
    logLevel,
    profileDir,
    analysis,
  });
  try {
    const secrets = [{ slot: "secret", value: webhookSecret }];
    await server.ask("POST", "/v1/sources", { slug: "bench", provider: "elevenlabs", secrets });
    const load = { port: server.port, path: "/webhooks/bench", secret: webhookSecret };
    return await measure({ ...server, load, databaseName });
  } finally {
    await server.stop();
    await database.drop(databaseName);
  }
}

/** Milliseconds of processor time so far; null where they cannot be read. */
export type Cpu = { readonly server: number | null; readonly database: number | null };

export function cpuOf({ database }: Bench, { pid }: Running): Cpu {
  const [server, postmaster] = [cpuMicros(pid), database.pid === null ? null : cpuMicros(database.pid)];
  return { server: server && server / 1000, database: postmaster && postmaster / 1000 };
}

/** What one of `count` took. */
export function perOne(before: Cpu, after: Cpu, count: number): Cpu {
  const of = (name: keyof Cpu) => {
    const [from, to] = [before[name], after[name]];
    return from === null || to === null ? null : (to - from) / count;
  };
  return { server: of("server"), database: of("database") };
}
