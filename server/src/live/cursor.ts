import { liveLimits } from "./limits.ts";

/**
 * How far somebody has read. Numbers of rows are handed out before their transactions commit, so "everything up to number
 * n" would miss the row that commits late. A place is therefore a snapshot: everything that could be seen in `seen`, and of
 * what became visible by `ahead.snapshot`, the rows up to number `ahead.seq`.
 */
export type Place = {
  /** The database cluster: transaction ids mean nothing in another one. */
  readonly cluster: string;
  /** Database time at which `seen` was taken, epoch milliseconds. */
  readonly at: number;
  readonly seen: string;
  readonly ahead: { readonly snapshot: string; readonly seq: number } | null;
};

/** `1.7445…1.mf3k2p1c.812:815:812,813` or, in the middle of a step, `….820:820:.4411`. For clients it is opaque. */
export function writeCursor({ cluster, at, seen, ahead }: Place): string {
  const place = [version, cluster, at.toString(36), seen];
  return (ahead ? [...place, ahead.snapshot, String(ahead.seq)] : place).join(".");
}

/** Null for anything that is no cursor of ours. */
export function readCursor(text: string): Place | null {
  const parts = text.length <= liveLimits.cursorLengthMax ? text.split(".") : [];
  const [found, cluster = "", at = "", seen = "", snapshot, seq] = parts;
  if (found !== version || ![4, 6].includes(parts.length)) return null;
  if (!/^\d{1,20}$/.test(cluster) || !/^[0-9a-z]{1,10}$/.test(at) || !isSnapshot(seen)) return null;
  const place = { cluster, at: Number.parseInt(at, 36), seen };
  if (snapshot === undefined || seq === undefined) return { ...place, ahead: null };
  if (!isSnapshot(snapshot) || !/^\d{1,15}$/.test(seq)) return null;
  return { ...place, ahead: { snapshot, seq: Number(seq) } };
}

const version = "1";

/** Whether what follows a place is still there to be read by somebody who has read up to `here`. */
export function gapOf(from: Place, here: Place): "open" | "too_old" | "unknown_cursor" {
  if (from.cluster !== here.cluster) return "unknown_cursor";
  const { xmax } = readSnapshot(from.ahead?.snapshot ?? from.seen);
  // A dump that was restored, or a cursor that somebody made up: transactions that have not happened.
  if (xmax > readSnapshot(here.seen).xmax || from.at > here.at) return "unknown_cursor";
  return here.at - from.at > liveLimits.keptMs ? "too_old" : "open";
}

/** Which transactions somebody saw: those below `xmin`, and those below `xmax` that were not running. */
export type Snapshot = { readonly xmin: bigint; readonly xmax: bigint; readonly running: readonly bigint[] };

/** PostgreSQL's text of a snapshot: `xmin:xmax:running,running`. */
export function readSnapshot(text: string): Snapshot {
  const [xmin = "0", xmax = "0", running = ""] = text.split(":");
  return { xmin: BigInt(xmin), xmax: BigInt(xmax), running: running === "" ? [] : running.split(",").map(BigInt) };
}

/** Whether a snapshot shows what a transaction did, provided that it committed. */
export function isVisible(xid: bigint, { xmin, xmax, running }: Snapshot): boolean {
  return xid < xmin || (xid < xmax && !running.includes(xid));
}

/** Whether everything that `older` shows, `newer` shows as well. */
export function isWithin(older: Snapshot, newer: Snapshot): boolean {
  return older.xmax <= newer.xmax && !newer.running.some((xid) => isVisible(xid, older));
}

/** Strict, since it is handed to PostgreSQL: ordered, and the running ones between the two ends. */
function isSnapshot(text: string): boolean {
  if (!/^\d{1,19}:\d{1,19}:(?:\d{1,19}(?:,\d{1,19})*)?$/.test(text)) return false;
  const { xmin, xmax, running } = readSnapshot(text);
  const isOrdered = running.every((xid, index) => index === 0 || xid > (running[index - 1] ?? 0n));
  return (
    xmin > 0n && xmin <= xmax && xmax < 1n << 62n && isOrdered && running.every((xid) => xid >= xmin && xid < xmax)
  );
}
