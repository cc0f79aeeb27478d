import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { freePort } from "../machine/ports.ts";
import { endOf } from "../machine/remote.ts";

export const apiKey = "ac_bench_4b1e6f0d2c8a47d39f35";

export type LiveServer = {
  readonly port: number;
  readonly pid: number;
  ask(method: string, path: string, body?: unknown): Promise<Record<string, string>>;
  /** Memory of the process, bytes: what the system has given it, and what JavaScript objects take after a collection. */
  memory(): Promise<{ resident: number; heap: number }>;
  /** Ends it as the kernel would, without a word. */
  kill(): Promise<void>;
  stop(): Promise<void>;
};

/** A whole server in a process of its own; several may have one database. */
export async function startLiveServer(databaseUrl: string, dataDir: string, logLevel: string): Promise<LiveServer> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  // Collected on SIGUSR2, so that memory is measured without what is only waiting to be collected.
  const child = spawn(
    process.execPath,
    [
      "--expose-gc",
      "--import",
      join(import.meta.dirname, "collect.ts"),
      join(import.meta.dirname, "../../server/src/main.ts"),
    ],
    {
      stdio: ["ignore", "ignore", "inherit"],
      env: {
        ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("AFTERCALL_"))),
        NODE_ENV: "production",
        PORT: String(port),
        AFTERCALL_HOST: "127.0.0.1",
        PUBLIC_URL: url,
        DATABASE_URL: databaseUrl,
        AFTERCALL_DATA_DIR: dataDir,
        AFTERCALL_SECRET: "bench-0123456789-0123456789-0123456789",
        AFTERCALL_API_KEY: apiKey,
        AFTERCALL_LOG_LEVEL: logLevel,
        // Thousands of clients have one key here.
        AFTERCALL_READS_PER_MINUTE: "0",
      },
    },
  );
  await untilReady(url, child);
  return {
    port,
    pid: child.pid ?? 0,
    async ask(method, path, body) {
      const answer = await fetch(url + path, {
        method,
        headers: {
          authorization: `Bearer ${apiKey}`,
          ...(body !== undefined && { "content-type": "application/json" }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
      return (await answer.json()) as Record<string, string>;
    },
    async memory() {
      child.kill("SIGUSR2");
      await sleep(1_000);
      const metrics = await (await fetch(`${url}/metrics`)).text();
      const valueOf = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(metrics)?.[1] ?? Number.NaN);
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
      return {
        resident: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) * 1024,
        heap: valueOf("nodejs_heap_size_used_bytes") + valueOf("nodejs_external_memory_bytes"),
      };
    },
    async kill() {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
    stop: () => endOf(child, 30_000),
  };
}

async function untilReady(url: string, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (child.exitCode !== null) throw new Error("aftercall ended while starting");
    const isReady = await fetch(`${url}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (isReady) return;
    await sleep(50);
  }
  throw new Error("aftercall does not get ready");
}
