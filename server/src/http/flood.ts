import { isIPv6 } from "node:net";

import type { Clock } from "#/kernel/clock.ts";

import { createRate } from "./rate.ts";

/**
 * Slows down whoever keeps sending requests that fail verification. Only those count, and only those are refused:
 * a provider sends everything from a few addresses, and its signed events always come through.
 */
export type FloodGate = {
  /** Asked after a request failed verification: may it have its own answer (401), or is it part of a flood (429)? */
  allow(address: string): { readonly ok: true } | { readonly ok: false; readonly retryAfterSeconds: number };
  /** Counts a request that failed verification. */
  failed(address: string): void;
};

export function createFloodGate(options: { clock: Clock; perMinute?: number }): FloodGate {
  const rate = createRate({ perMinute: options.perMinute ?? 100, clock: options.clock });
  return {
    allow(address) {
      const key = networkOf(address);
      if (rate.hasLeft(key)) return { ok: true };
      return { ok: false, retryAfterSeconds: rate.retryAfterSeconds(key) };
    },
    failed: (address) => void rate.take(networkOf(address)),
  };
}

/** An IPv6 host owns a whole /64, so its addresses count together. */
export function networkOf(address: string): string {
  if (!isIPv6(address) || address.startsWith("::ffff:")) return address;
  const [head = "", tail = ""] = address.split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => "0");
  return [...first, ...zeros, ...last].slice(0, 4).join(":");
}
