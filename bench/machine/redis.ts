import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { freePort } from "./ports.ts";
import { endOf } from "./remote.ts";

export type Redis = {
  readonly pid: number;
  readonly port: number;
  readonly version: string;
  flush(): Promise<void>;
  stop(): Promise<void>;
};

/** A Redis of our own as the documentation of BullMQ asks for it (append-only file, everysec); null when it is not installed. */
export async function startRedis(): Promise<Redis | null> {
  const asked = spawnSync("redis-server", ["--version"], { encoding: "utf8" });
  if (asked.error) return null;
  const dir = mkdtempSync(join(tmpdir(), "aftercall-bench-redis-"));
  const port = await freePort();
  const settings = {
    port,
    bind: "127.0.0.1",
    dir,
    appendonly: "yes",
    appendfsync: "everysec",
    save: "",
    loglevel: "warning",
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn("redis-server", args, { stdio: "ignore" });
  for (let tries = 0; !(await ask(port, "PING")); tries++) {
    if (tries > 100) throw new Error("Redis does not start");
    await sleep(50);
  }
  return {
    pid: child.pid ?? 0,
    port,
    version: /v=([\d.]+)/.exec(asked.stdout)?.[1] ?? "unknown",
    async flush() {
      await ask(port, "FLUSHALL");
    },
    async stop() {
      await endOf(child);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Whether the command was answered. */
function ask(port: number, command: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", () => resolve(false));
    socket.once("data", () => {
      socket.destroy();
      resolve(true);
    });
    socket.write(`${command}\r\n`);
  });
}
