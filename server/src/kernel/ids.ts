import { randomBytes } from "node:crypto";

import type { Clock } from "./clock.ts";

/** Makes ids that sort by time. */
export interface Ids {
  /** UUIDv7 (RFC 9562 §5.7), strictly increasing within this process. */
  next(): string;
}

/** UUIDv7 with a 12-bit counter in rand_a, so ids of one millisecond still sort in the order they were made. */
export function createIds(clock: Clock, random: (size: number) => Buffer = randomBytes): Ids {
  let lastMs = 0;
  let counter = 0;
  let pool = "";
  let used = 0;
  return {
    next() {
      const now = clock.now();
      if (now > lastMs) {
        lastMs = now;
        counter = 0;
      } else if (++counter > 0xfff) {
        lastMs++;
        counter = 0;
      }
      if (used + 16 > pool.length) {
        pool = random(4096).toString("hex");
        used = 0;
      }
      return uuidFrom(lastMs, counter, pool.slice(used, (used += 16)));
    },
  };
}

/** A UUIDv7 from its parts: milliseconds, 12 bits, 16 hexadecimal digits of which 62 bits are used. */
export function uuidFrom(ms: number, twelveBits: number, tail: string): string {
  const time = ms.toString(16).padStart(12, "0");
  const version = (0x7000 | twelveBits).toString(16);
  const variant = "89ab".charAt(Number.parseInt(tail.charAt(0), 16) & 3);
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}-${variant}${tail.slice(1, 4)}-${tail.slice(4, 16)}`;
}
