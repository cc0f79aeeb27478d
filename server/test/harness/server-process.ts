import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { environment } from "./app.ts";

export type ServerProcess = {
  readonly url: string;
  readonly pid: number;
  /** Ends it as the kernel would, without a word. */
  kill(): Promise<void>;
  /** Asks it to stop, as an operator does; gives its exit code. */
  stop(): Promise<number | null>;
};

/** The server as operators run it: a process of its own, told everything by its environment. */
export async function startServerProcess(
  databaseUrl: string,
  /** Settings other than those of every test; undefined leaves one out. */
  settings: Readonly<Record<string, string | undefined>> = {},
): Promise<ServerProcess> {
  const cwd = mkdtempSync(join(tmpdir(), "aftercall-process-"));
  const child = spawn(process.execPath, [fileURLToPath(new URL("../../src/main.ts", import.meta.url))], {
    cwd,
    env: { PATH: process.env["PATH"], ...environment(), DATABASE_URL: databaseUrl, ...settings },
    stdio: ["ignore", "ignore", "pipe"],
  });
  // A test that runs out of time leaves nobody behind.
  const endWithUs = () => child.kill("SIGKILL");
  process.once("exit", endWithUs);
  const ended = once(child, "exit").finally(() => {
    process.off("exit", endWithUs);
    rmSync(cwd, { recursive: true, force: true });
  });
  let said = "";
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      const page = /Page\s+(http:\/\/[^/\s]+)/.exec(said)?.[1];
      if (page) resolve(page);
    });
    child.once("exit", (code) => reject(new Error(`The server ended with ${code} before it listened: ${said}`)));
  });
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    const [code] = (await ended) as [number | null];
    return code;
  };
  return { url, pid: child.pid ?? 0, kill: async () => void (await end("SIGKILL")), stop: () => end("SIGTERM") };
}
