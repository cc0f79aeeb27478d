import { randomBytes } from "node:crypto";

/** Unpredictable bytes, handed in wherever chance plays a part; tests hand in a seeded source. */
export type Random = (size: number) => Buffer;

export const systemRandom: Random = randomBytes;

/** A text for URLs and headers that nobody guesses: 32 bytes make 43 characters. */
export function randomToken(random: Random, bytes = 32): string {
  return random(bytes).toString("base64url");
}

/** At least 0, below 1. For jitter. */
export function randomFraction(random: Random): number {
  return random(4).readUInt32BE() / 2 ** 32;
}
