import { createHash } from "node:crypto";

import type { Secret } from "../provider.ts";
import { Refused } from "./check.ts";
import { hmac } from "./hmac.ts";
import { isSame, usable } from "./secret.ts";

export type Claims = Readonly<Record<string, unknown>>;

/**
 * Verifies a compact HS256 token (RFC 7519, RFC 7515) and gives its claims. The algorithm is pinned: what the token's
 * own header says is only ever compared. `exp` is demanded. Synchronous, unlike the libraries, because a provider's
 * `verify` is a plain function.
 * @throws Refused `malformed_header`, `bad_signature` (also another alg), `unknown_api_key`, `token_expired`, `timestamp_future`.
 */
export function checkJwt(token: string, { secretsFor, nowMs, leewayMs = 60_000 }: JwtCheck): Claims {
  const [head, payload, signature, ...rest] = token.split(".");
  if (!head || !payload || !signature || rest.length > 0) throw new Refused("malformed_header");
  const header = partOf(head);
  const claims = partOf(payload);
  if (header["alg"] !== "HS256" || header["crit"] !== undefined) throw new Refused("bad_signature");
  const secrets = usable(secretsFor(claims));
  if (secrets.length === 0) throw new Refused("unknown_api_key");
  let isSigned = false;
  for (const secret of secrets) {
    isSigned = isSame(signature, hmac(secret.value, [head, ".", payload]).toString("base64url")) || isSigned;
  }
  if (!isSigned) throw new Refused("bad_signature");
  if (nowMs !== null) checkLifetime(claims, nowMs, leewayMs);
  return claims;
}

/** A compact HS256 token with these claims. */
export function signHs256(claims: Claims, secret: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${signed}.${hmac(secret, [signed]).toString("base64url")}`;
}

export type JwtCheck = {
  /** The secrets of the key that the (still unproven) claims name; none means `unknown_api_key`. */
  readonly secretsFor: (claims: Claims) => readonly Secret[];
  /** Null leaves the time out. */
  readonly nowMs: number | null;
  /** How far the two clocks may differ. */
  readonly leewayMs?: number;
};

function checkLifetime({ exp, nbf }: Claims, nowMs: number, leewayMs: number): void {
  if (typeof exp !== "number" || exp * 1000 + leewayMs < nowMs) throw new Refused("token_expired");
  if (typeof nbf === "number" && nbf * 1000 - leewayMs > nowMs) throw new Refused("timestamp_future");
}

/**
 * A claim or header equals the SHA-256 of the body.
 * @throws Refused `bad_body_hash`, also when the claim is absent: without it any body would pass.
 */
export function checkBodyHash(claim: unknown, body: Buffer, encoding: "hex" | "base64"): void {
  const expected = createHash("sha256").update(body).digest(encoding);
  const given = typeof claim === "string" ? claim : "";
  if (!isSame(encoding === "hex" ? given.toLowerCase() : given, expected)) throw new Refused("bad_body_hash");
}

function partOf(part: string): Claims {
  if (!/^[\w-]+$/.test(part)) throw new Refused("malformed_header");
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Claims;
  } catch {
    // Falls through: not JSON is as malformed as not an object.
  }
  throw new Refused("malformed_header");
}
