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
  let pool: Buffer = Buffer.alloc(0);
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
      if (used + 8 > pool.length) {
        pool = random(4096);
        used = 0;
      }
      const tail = pool.subarray(used, (used += 8));
      return uuidFrom(lastMs, counter, tail);
    },
  };
}

/** A UUIDv7 from its parts: milliseconds, 12 bits, 8 bytes of which 62 bits are used. */
export function uuidFrom(ms: number, twelveBits: number, tail: Uint8Array): string {
  const time = ms.toString(16).padStart(12, "0");
  const version = (0x7000 | twelveBits).toString(16);
  const bytes = Buffer.from(tail);
  bytes[0] = 0x80 | ((bytes[0] ?? 0) & 0x3f);
  const rest = bytes.toString("hex");
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}-${rest.slice(0, 4)}-${rest.slice(4, 16)}`;
}
