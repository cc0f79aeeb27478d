import { fork } from "node:child_process";
import { join } from "node:path";

import { freePort } from "./ports.ts";
import { endOf } from "./remote.ts";

/** Starts a server of `bench/servers` in a process of its own; it says by itself when it is ready. */
export async function startServer(
  file: string,
  env: Readonly<Record<string, string>>,
): Promise<{ port: number; pid: number; stop(): Promise<void> }> {
  const port = await freePort();
  const child = fork(join(import.meta.dirname, "../servers", file), {
    env: { ...process.env, ...env, PORT: String(port), NODE_ENV: "production" },
  });
  await new Promise<void>((resolve, reject) => {
    child.once("message", () => resolve());
    child.once("exit", (code) => reject(new Error(`${file} ended with ${code}`)));
  });
  return { port, pid: child.pid ?? 0, stop: () => endOf(child) };
}
