import { Refused } from "./check.ts";

export type Window = { readonly pastMs: number; readonly aheadMs: number };

/** Standard Webhooks, Vapi and most others: five minutes either way. */
export const fiveMinutes: Window = { pastMs: 300_000, aheadMs: 300_000 };

/**
 * The signed time lies inside the window. Without a clock (a stale request that an operator runs again) any time does.
 * @throws Refused `timestamp_stale`, `timestamp_future`.
 */
export function checkWindow(
  timestampMs: number,
  nowMs: number | null,
  { pastMs, aheadMs }: Window = fiveMinutes,
): void {
  if (nowMs === null) return;
  if (timestampMs < nowMs - pastMs) throw new Refused("timestamp_stale");
  if (timestampMs > nowMs + aheadMs) throw new Refused("timestamp_future");
}

/**
 * A header's time in milliseconds. `auto`: 13 digits and more are milliseconds, fewer are seconds.
 * @throws Refused `malformed_header` for anything but digits.
 */
export function headerTime(text: string, unit: "s" | "ms" | "auto" = "s"): number {
  if (!/^\d{1,15}$/.test(text)) throw new Refused("malformed_header");
  const isMs = unit === "ms" || (unit === "auto" && text.length >= 13);
  return isMs ? Number(text) : Number(text) * 1000;
}
