import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { freePort } from "./ports.ts";
import { endOf } from "./remote.ts";

export const apiKey = "ac_bench_4b1e6f0d2c8a47d39f35";
/** What secrets in the database are sealed with. */
export const rootSecret = "bench-0123456789-0123456789-0123456789";

export type Aftercall = {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Asks its API and gives the answer. */
  ask<Answer>(method: string, path: string, body?: unknown): Promise<Answer>;
  stop(): Promise<void>;
};

export type AftercallOptions = {
  readonly databaseUrl: string;
  readonly logLevel: string;
  /** Directory for processor profiles; null: none. */
  readonly profileDir: string | null;
  /** Whether it works out what calls were about; not where taking in and sending alone is measured. */
  readonly analysis?: "on" | "off";
};

/** The whole server in a process of its own, as in production but for the receivers of this machine, which it may reach. */
export async function startAftercall({
  databaseUrl,
  logLevel,
  profileDir,
  analysis = "off",
}: AftercallOptions): Promise<Aftercall> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const dataDir = mkdtempSync(join(tmpdir(), "aftercall-bench-"));
  const child = spawn(
    process.execPath,
    [
      ...(profileDir ? ["--cpu-prof", `--cpu-prof-dir=${profileDir}`] : []),
      join(import.meta.dirname, "../../server/src/main.ts"),
    ],
    {
      stdio: ["ignore", "ignore", "inherit"],
      env: {
        ...withoutOurs(process.env),
        NODE_ENV: "production",
        PORT: String(port),
        AFTERCALL_HOST: "127.0.0.1",
        PUBLIC_URL: url,
        DATABASE_URL: databaseUrl,
        AFTERCALL_DATA_DIR: dataDir,
        AFTERCALL_SECRET: rootSecret,
        AFTERCALL_API_KEY: apiKey,
        AFTERCALL_PRIVATE_TARGETS: "127.0.0.0/8",
        AFTERCALL_HTTPS_ONLY: "false",
        AFTERCALL_LOG_LEVEL: logLevel,
        AFTERCALL_ANALYSIS: analysis,
      },
    },
  );
  await untilReady(url, () => child.exitCode);
  return {
    url,
    port,
    pid: child.pid ?? 0,
    async ask<Answer>(method: string, path: string, body?: unknown) {
      const answer = await fetch(url + path, {
        method,
        headers: {
          authorization: `Bearer ${apiKey}`,
          ...(body !== undefined && { "content-type": "application/json" }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
      return (await answer.json()) as Answer;
    },
    async stop() {
      await endOf(child, 30_000);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** What the caller's shell says about an aftercall of its own must not reach this one. */
function withoutOurs(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("AFTERCALL_")));
}

async function untilReady(url: string, exitCode: () => number | null): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (exitCode() !== null) throw new Error("aftercall ended while starting");
    const isReady = await fetch(`${url}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (isReady) return;
    await sleep(50);
  }
  throw new Error("aftercall does not get ready");
}
