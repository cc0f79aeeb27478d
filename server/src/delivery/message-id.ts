import { createHash } from "node:crypto";

import { uuidFrom } from "#/kernel/ids.ts";

/**
 * The id of the message about one fact: a UUIDv7 of the time it happened, the rest taken from what it is about. So one fact
 * cannot be written twice, every attempt and replay carries the same `webhook-id`, and ids still sort by time.
 * @param subjectId UUID of the call or campaign.
 */
export function messageIdOf(occurredAtMs: number, subjectId: string, type: string): string {
  const hash = createHash("sha256").update(`${subjectId}:${type}`).digest();
  const ms = Math.min(Math.max(Math.trunc(occurredAtMs), 0), timeMax);
  return uuidFrom(ms, hash.readUInt16BE(0) & 0xfff, hash.subarray(2, 10));
}

/** 48 bits. */
const timeMax = 2 ** 48 - 1;
