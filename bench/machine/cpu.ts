import { readdirSync, readFileSync } from "node:fs";

/**
 * Microseconds of processor time that a process, its children and their finished children have used. From /proc, so Linux
 * only; elsewhere null. The kernel counts in steps of 10 ms, which is little against seconds of load.
 */
export function cpuMicros(root: number): number | null {
  if (process.platform !== "linux") return null;
  const stats = new Map<number, Stat>();
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const stat = statOf(pid);
    if (stat) stats.set(pid, stat);
  }
  let ticks = 0;
  const family = [root];
  for (const pid of family) {
    const stat = stats.get(pid);
    if (!stat) continue;
    ticks += stat.ticks;
    for (const [child, { parent }] of stats) if (parent === pid) family.push(child);
  }
  return ticks * (1_000_000 / ticksPerSecond);
}

type Stat = { readonly parent: number; readonly ticks: number };

/** USER_HZ, which Linux fixes at 100 for all that user space sees. */
const ticksPerSecond = 100;

function statOf(pid: number): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name in brackets may hold spaces; the fields after it do not.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const [user, system, childUser, childSystem] = fields.slice(11, 15).map(Number);
    return { parent: Number(fields[1]), ticks: (user ?? 0) + (system ?? 0) + (childUser ?? 0) + (childSystem ?? 0) };
  } catch {
    return null;
  }
}
