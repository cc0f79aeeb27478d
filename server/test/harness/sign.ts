import { createHash, createHmac } from "node:crypto";

import type { Sent } from "./app.ts";

/** How each provider signs, written down once more: a mistake in the server's own code must not be made here again. */

/** Vapi's server secret; `x-webhook-secret` is the name the given system uses. */
export function signVapi(secret: string, body: string, header = "x-vapi-secret"): Sent {
  return { headers: { "content-type": "application/json", [header]: secret }, body };
}

/** `ElevenLabs-Signature: t=…,v0=…` over `t.body`. */
export function signElevenlabs(secret: string, body: string, atMs: number = Date.now()): Sent {
  const t = Math.floor(atMs / 1000);
  const signature = hmac("sha256", secret, `${t}.${body}`).toString("hex");
  return { headers: { "content-type": "application/json", "elevenlabs-signature": `t=${t},v0=${signature}` }, body };
}

/** The header of the Call Outcomes API. */
export function signLivekit(secret: string, body: string): Sent {
  const signature = hmac("sha256", secret, body).toString("hex");
  return { headers: { "content-type": "application/json", "x-livekit-signature": signature }, body };
}

/** LiveKit's own way: a bare token with the hash of the body. */
export function signLivekitToken(
  { key, secret }: { key: string; secret: string },
  body: string,
  atMs: number = Date.now(),
): Sent {
  const now = Math.floor(atMs / 1000);
  const sha256 = createHash("sha256").update(body).digest("base64");
  const authorization = jwt({ iss: key, nbf: now, exp: now + 300, sha256 }, secret);
  return { headers: { "content-type": "application/webhook+json", authorization }, body };
}

/** `X-Twilio-Signature`: base64 HMAC-SHA1 over the URL and the sorted fields. */
export function signTwilio(token: string, url: string, body: string): Sent {
  const fields = [...new URLSearchParams(body)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const signature = hmac("sha1", token, url + fields.flat().join("")).toString("base64");
  return {
    headers: { "content-type": "application/x-www-form-urlencoded; charset=UTF-8", "x-twilio-signature": signature },
    body,
  };
}

export function signWonderful(secret: string, body: string): Sent {
  return { headers: { "content-type": "application/json", "x-webhook-secret": secret }, body };
}

/** A token of a user, as the system that our users come from makes it. */
export function userToken(
  secret: string,
  claims: { readonly sub?: string; readonly exp?: number | null; readonly tenant?: string; readonly role?: string },
): string {
  const { exp = Math.floor(Date.now() / 1000) + 600, ...rest } = claims;
  return jwt({ ...rest, ...(exp !== null && { exp }) }, secret);
}

function jwt(claims: Record<string, unknown>, secret: string): string {
  const signed = [{ alg: "HS256", typ: "JWT" }, claims].map((part) => base64url(JSON.stringify(part))).join(".");
  return `${signed}.${hmac("sha256", secret, signed).toString("base64url")}`;
}

function hmac(algorithm: "sha1" | "sha256", secret: string, text: string): Buffer {
  return createHmac(algorithm, secret).update(text).digest();
}

function base64url(text: string): string {
  return Buffer.from(text).toString("base64url");
}
