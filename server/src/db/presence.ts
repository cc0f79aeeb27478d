import type { Random } from "#/kernel/random.ts";

/**
 * The number under which a process holds an advisory lock as long as it lives. PostgreSQL lets it go in the moment in which the
 * process is gone, so others need not wait for anything to run out.
 */
export function newPresence(random: Random): number {
  return random(4).readUInt32BE() >>> 1;
}

/** The setting that names the process on each of its connections. */
export function presenceSettings(presence: number | undefined): Record<string, string> {
  return presence === undefined ? {} : { "app.process": String(presence) };
}

/** Takes the lock on the connection that it is sent on. */
export function holdPresence(presence: number): string {
  return `select pg_advisory_lock(${presenceClass}, ${presence})`;
}

/** What tells these locks from others; the functions of the schema know it as well. */
const presenceClass = 1_633_906_540;
