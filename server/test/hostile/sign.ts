import { createHash, createHmac } from "node:crypto";

import type { Signing, Token, Variables } from "./cases.ts";
import type { Filler } from "./request.ts";

export type Signed = { readonly headers: Record<string, string>; readonly body: Buffer | undefined };

/** Signs as a provider does, or wrongly in the way the case names. A mutation may change the body after it was signed. */
export function sign(
  signing: Signing | null | undefined,
  request: { readonly body: Buffer | undefined; readonly path: string; readonly name: string },
  { variables, filler }: { readonly variables: Variables; readonly filler: Filler },
): Signed {
  const { body, path, name } = request;
  const raw = body ?? Buffer.alloc(0);
  const variable = (wanted: string) => variables[wanted] ?? "";
  if (!signing) return { headers: {}, body };
  switch (signing.scheme) {
    case "literal": {
      const { header, value } = signing;
      // Header values go out as latin1: these are the bytes of the text in UTF-8.
      const text = typeof value === "string" ? Buffer.from(value, "utf8").toString("latin1") : filler.text(value, name);
      return { headers: { [header]: text }, body };
    }
    case "livekit": {
      const signed = signing.mutate === "sign-minified" ? JSON.stringify(JSON.parse(raw.toString())) : raw;
      const hex = hmac(signing.secret ?? variable("LIVEKIT_SECRET"), signed).toString("hex");
      const flipped = hex.slice(0, -1) + (hex.endsWith("0") ? "1" : "0");
      return { headers: { "x-livekit-signature": signing.mutate === "flip-last" ? flipped : hex }, body };
    }
    case "livekit-jwt": {
      const isNone = signing.mutate === "alg-none";
      const hashed = signing.mutate === "wrong-hash" ? Buffer.concat([raw, Buffer.from(" ")]) : raw;
      const sha256 = createHash("sha256").update(hashed).digest("base64");
      const claims = { iss: variable("LIVEKIT_KEY"), nbf: seconds() - 5, exp: seconds() + 300, sha256 };
      const data = `${part({ alg: isNone ? "none" : "HS256", typ: "JWT" })}.${part(claims)}`;
      const signature = isNone ? "" : hmac(variable("LIVEKIT_SECRET"), data).toString("base64url");
      return { headers: { authorization: `${data}.${signature}` }, body };
    }
    case "vapi": {
      const secret = variable("VAPI_SECRET");
      return { headers: { "x-webhook-secret": signing.mutate === "drop-last" ? secret.slice(0, -1) : secret }, body };
    }
    case "elevenlabs":
      return { headers: { "elevenlabs-signature": elevenlabs(signing, raw, variable("ELEVEN_SECRET")) }, body };
    case "twilio": {
      const fields = [...new URLSearchParams(raw.toString())].toSorted(([a], [b]) => (a < b ? -1 : 1));
      const host = signing.mutate?.startsWith("host:") ? `http://${signing.mutate.slice(5)}` : variable("PUBLIC_URL");
      const signature = hmac(variable("TWILIO_TOKEN"), host + path + fields.flat().join(""), "sha1").toString("base64");
      const sent = signing.mutate === "extra-param" ? Buffer.concat([raw, Buffer.from("&Extra=1")]) : body;
      return { headers: { "x-twilio-signature": signature }, body: sent };
    }
  }
}

function elevenlabs(signing: Exclude<Signing, { scheme: "literal" }>, raw: Buffer, secret: string): string {
  const age = signing.ageSec ?? 0;
  const t = seconds() - age;
  const v0 = hmac(secret, Buffer.concat([Buffer.from(`${t}.`), raw])).toString("hex");
  if (signing.mutate === "double-t") return `t=${t},t=${t + age},v0=${v0}`;
  return signing.mutate === "two-v0" ? `t=${t},v0=${"0".repeat(64)},v0=${v0}` : `t=${t},v0=${v0}`;
}

/** A user's token, or a wrong one. */
export function userToken(token: Token, sub: string, jwtSecret: string): string {
  const isNone = token.mutate === "alg-none";
  const header = { alg: isNone ? "none" : "HS256", typ: "JWT", ...token.header };
  const times = { iat: seconds() - 10, ...(token.exp !== null && { exp: seconds() + (token.exp ?? 600) }) };
  const data = `${part(header)}.${part({ sub, tenant: sub, user_id: sub, role: token.role ?? "user", ...times })}`;
  if (isNone || token.mutate === "strip-sig") return `${data}.`;
  return `${data}.${hmac(token.secret ?? jwtSecret, data).toString("base64url")}`;
}

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function hmac(key: string, data: string | Buffer, algorithm = "sha256"): Buffer {
  return createHmac(algorithm, key).update(data).digest();
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
