import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { startEmbedded } from "#/db/embedded.ts";
import { silentLog } from "#/kernel/log.ts";

export const faultApiKey = "key-of-the-fault-run-0123456789";

/** The server as people run it, with its own durable PostgreSQL, to be killed at any moment. */
export type Victim = {
  /** Resolves when it takes requests; false when it was killed or ended before. */
  ready(): Promise<boolean>;
  /** SIGKILL: no handler runs, nothing is written any more. The database lives on and is adopted by the next. */
  kill(): Promise<void>;
  /** SIGTERM, as an operator stops it; the database ends with it. */
  stop(): Promise<void>;
};

/** Starts `node server/src/main.ts` in `directory`. */
export function startVictim(directory: string, port: number): Victim {
  const child = spawn(process.execPath, [join(import.meta.dirname, "../../src/main.ts")], {
    cwd: directory,
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      PATH: process.env["PATH"],
      NODE_ENV: "production",
      NODE_COMPILE_CACHE: join(directory, "compiled"),
      PORT: String(port),
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      AFTERCALL_HOST: "127.0.0.1",
      AFTERCALL_DATA_DIR: dataDirOf(directory),
      AFTERCALL_SECRET: "root-key-of-the-fault-run-0123456789abcdef",
      AFTERCALL_API_KEY: faultApiKey,
      AFTERCALL_PRIVATE_TARGETS: "127.0.0.0/8",
      AFTERCALL_HTTPS_ONLY: "false",
      AFTERCALL_LOG_LEVEL: "fatal",
    },
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    ready: () => readyOf(child, port),
    kill: () => {
      child.kill("SIGKILL");
      return ended;
    },
    stop: () => {
      child.kill("SIGTERM");
      return ended;
    },
  };
}

/** Ends the database that a killed server left behind. */
export async function endDatabase(directory: string): Promise<void> {
  const left = await startEmbedded({ dataDir: dataDirOf(directory), log: silentLog() });
  await left.stop();
}

function dataDirOf(directory: string): string {
  return join(directory, "data");
}

async function readyOf(child: ChildProcess, port: number): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    const isReady = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2_000) }).then(
      (answer) => answer.ok,
      () => false,
    );
    if (isReady) return true;
    await sleep(20);
  }
  return false;
}
