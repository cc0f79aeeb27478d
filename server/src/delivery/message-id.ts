import { hash } from "node:crypto";

import { uuidFrom } from "#/kernel/ids.ts";

/**
 * The id of the message about one fact: a UUIDv7 of the time it happened, the rest taken from what it is about. So one fact
 * cannot be written twice, every attempt and replay carries the same `webhook-id`, and ids still sort by time.
 * @param subjectId UUID of the call or campaign.
 */
export function messageIdOf(occurredAtMs: number, subjectId: string, type: string): string {
  const digest = hash("sha256", `${subjectId}:${type}`, "hex");
  const ms = Math.min(Math.max(Math.trunc(occurredAtMs), 0), timeMax);
  return uuidFrom(ms, Number.parseInt(digest.slice(1, 4), 16), digest.slice(4, 20));
}

/** The time in such an id, epoch milliseconds. */
export function timeOf(messageId: string): number {
  return Number.parseInt(messageId.replaceAll("-", "").slice(0, 12), 16);
}

/** 48 bits. */
const timeMax = 2 ** 48 - 1;
