import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readlinkSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

import type { Clock } from "#/kernel/clock.ts";

/** What `postmaster.pid` says. Its line 8 is absent until the server knows its state. */
export type Postmaster = {
  readonly pid: number;
  readonly port: number;
  readonly socketDir: string;
  readonly state: string;
};

/** Null without a pid file, or with one that was cut off. */
export function readPostmaster(dataDir: string): Postmaster | null {
  let lines: string[];
  try {
    lines = readFileSync(join(dataDir, "postmaster.pid"), "utf8").split("\n");
  } catch {
    return null;
  }
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || pid <= 0) return null;
  return { pid, port: Number(lines[3]), socketDir: lines[4] ?? "", state: (lines[7] ?? "").trim() };
}

/** True when the process is a living PostgreSQL that serves this very directory: a pid alone may have gone to a stranger. */
export function isPostmasterOf(pid: number, dataDir: string): boolean {
  if (!isAlive(pid)) return false;
  if (process.platform === "linux") return servesByProc(pid, dataDir);
  if (process.platform === "win32") return run("tasklist", ["/FI", `PID eq ${pid}`, "/NH"]).includes("postgres.exe");
  return run("ps", ["-p", String(pid), "-o", "command="]).includes(dataDir);
}

/** A postmaster's working directory is its data directory. */
function servesByProc(pid: number, dataDir: string): boolean {
  try {
    const program = basename(readlinkSync(`/proc/${pid}/exe`));
    return program.startsWith("postgres") && readlinkSync(`/proc/${pid}/cwd`) === realpathSync(dataDir);
  } catch {
    return false;
  }
}

function run(command: string, args: string[]): string {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return "";
  }
}

/** False for a zombie: it has ended, and only waits for its parent to ask. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !stat.slice(stat.lastIndexOf(")")).startsWith(") Z");
  } catch {
    return process.platform !== "linux" || existsAgain(pid);
  }
}

function existsAgain(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * Takes a stranger's pid out of the pid file, so that PostgreSQL does not believe itself running. Our own pid takes its place:
 * PostgreSQL knows that its parent is no postmaster, and still checks the rest of the file (the shared memory of an
 * earlier run) before it starts, which deleting the file would prevent.
 */
export function disownPidFile(dataDir: string): void {
  const path = join(dataDir, "postmaster.pid");
  if (!existsSync(path)) return;
  // Without a pid in it, it was cut off by a full disk or a power cut before any memory was taken.
  if (!readPostmaster(dataDir)) return rmSync(path);
  writeFileSync(path, readFileSync(path, "utf8").replace(/^.*/, String(process.pid)));
}

/** Resolves when the process has ended; false when it has not within `limitMs`. */
export async function hasEnded(pid: number, limitMs: number, clock: Clock): Promise<boolean> {
  const until = clock.monotonic() + limitMs;
  while (isAlive(pid)) {
    if (clock.monotonic() > until) return false;
    await clock.sleep(10);
  }
  return true;
}

/** Fast shutdown; then without a checkpoint; then by force. The last two cost a recovery at the next start, and no data. */
export async function stopPostmaster(pid: number, clock: Clock): Promise<void> {
  const steps = [
    ["SIGINT", 10_000],
    ["SIGQUIT", 5_000],
    ["SIGKILL", 5_000],
  ] as const;
  for (const [signal, limitMs] of steps) {
    signalTo(pid, signal);
    if (await hasEnded(pid, limitMs, clock)) return;
  }
}

/** Sends a signal; a process that has ended meanwhile is no error. */
export function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {}
}
