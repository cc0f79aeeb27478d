import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { freePort } from "../machine/ports.ts";
import { endOf } from "../machine/remote.ts";
import { webhookSecret } from "../servers/secret.ts";
import type { Contender, Running, Surroundings } from "./contender.ts";

/** Everything that aftercall does with a call that nobody subscribed to: log, call record, transcript, message. */
export const intake: Contender = {
  name: "intake",
  title: "3 · aftercall: intake",
  delivers: false,
  needsRedis: false,
  start: (surroundings) => start(surroundings, null),
};

export const delivery: Contender = {
  name: "delivery",
  title: "4 · aftercall: end to end",
  delivers: true,
  needsRedis: false,
  start: (surroundings) => start(surroundings, surroundings.receiverUrl),
};

const databaseName = "bench_aftercall";
const apiKey = "ac_bench_4b1e6f0d2c8a47d39f35";

async function start(surroundings: Surroundings, receiverUrl: string | null): Promise<Running> {
  const port = await freePort();
  const dataDir = mkdtempSync(join(tmpdir(), "aftercall-bench-"));
  const { profileDir } = surroundings;
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
        PUBLIC_URL: `http://127.0.0.1:${port}`,
        DATABASE_URL: await surroundings.database.create(databaseName),
        AFTERCALL_DATA_DIR: dataDir,
        AFTERCALL_SECRET: "bench-0123456789-0123456789-0123456789",
        AFTERCALL_API_KEY: apiKey,
        AFTERCALL_PRIVATE_TARGETS: "127.0.0.0/8",
        AFTERCALL_HTTPS_ONLY: "false",
        AFTERCALL_LOG_LEVEL: surroundings.logLevel,
      },
    },
  );
  const url = `http://127.0.0.1:${port}`;
  await untilReady(url, () => child.exitCode);
  await post(`${url}/v1/sources`, {
    slug: "bench",
    provider: "elevenlabs",
    secrets: [{ slot: "secret", value: webhookSecret }],
  });
  if (receiverUrl) {
    await post(`${url}/v1/endpoints`, { url: receiverUrl, types: ["call.completed"], in_flight_max: 64 });
  }
  return {
    port,
    path: "/webhooks/bench",
    secret: webhookSecret,
    pid: child.pid ?? 0,
    async stop() {
      await endOf(child, 30_000);
      await surroundings.database.drop(databaseName);
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

async function post(url: string, body: unknown): Promise<void> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`POST ${url} answered ${answer.status}: ${await answer.text()}`);
}
