import { createHmac } from "node:crypto";

import { equalConstantTime } from "#/kernel/secrets.ts";

import { bridgeLimits } from "./limits.ts";

/** What a stream's token stands for: one stream of one call of one source. */
export type Ticket = { readonly sourceId: string; readonly callSid: string; readonly session: string };

/**
 * Names the stream in the TwiML that Twilio was answered with, and comes back in its first frame. That it counts once is up to whoever
 * stores the beginning of its session.
 */
export function makeToken(key: Buffer, { sourceId, callSid, session }: Ticket, nowMs: number): string {
  const expiresAt = nowMs + bridgeLimits.tokenMs;
  return `${session}.${expiresAt}.${macOf(key, [sourceId, callSid, session, String(expiresAt)])}`;
}

/** The session that a token was made for; null for a token that was made for another call or source, is too old, or is none of ours. */
export function sessionIn(key: Buffer, token: string, call: Omit<Ticket, "session">, nowMs: number): string | null {
  const [session = "", expiresAt = "", mac = "", ...more] = token.split(".");
  const isOurs = equalConstantTime(mac, macOf(key, [call.sourceId, call.callSid, session, expiresAt]));
  return isOurs && more.length === 0 && Number(expiresAt) > nowMs ? session : null;
}

function macOf(key: Buffer, parts: readonly string[]): string {
  return createHmac("sha256", key).update(JSON.stringify(parts)).digest("base64url");
}
