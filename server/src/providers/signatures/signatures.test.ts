import { createHmac, generateKeyPairSync, sign } from "node:crypto";

import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";

import type { ProviderRequest, Secret } from "../provider.ts";
import { check } from "./check.ts";
import { checkEd25519 } from "./ed25519.ts";
import { fieldsOf, oneHeader, optionalHeader } from "./header.ts";
import { checkBodyHash, checkJwt } from "./jwt.ts";
import type { Claims } from "./jwt.ts";
import { checkBearer, checkSharedSecret, usable } from "./secret.ts";
import { checkStandardWebhook } from "./standard-webhooks.ts";
import { checkWindow, headerTime } from "./time.ts";
import { urlAndForm } from "./url-form.ts";

const nowMs = 1_772_461_800_000;
const nowS = nowMs / 1000;
const body = Buffer.from('{"city":"בית שאן"}');

test("a header that decides: absent, blank, twice", () => {
  const headers = { "x-a": ["1"], "x-blank": ["  "], "x-twice": ["1", "1"] };
  const request = requestWith(headers);
  expect(oneHeader(request, "X-A")).toBe("1");
  expect(optionalHeader(request, "x-none")).toBeNull();
  expect(codeOf(() => oneHeader(request, "x-none"))).toBe("missing_header");
  expect(codeOf(() => oneHeader(request, "x-blank"))).toBe("missing_header");
  expect(codeOf(() => oneHeader(request, "x-twice"))).toBe("malformed_header");
});

test("fields of a header keep every value, in order, without blanks around them", () => {
  expect(fieldsOf("t=1, v0=a ,v0=b=c,x")).toEqual(
    new Map([
      ["t", ["1"]],
      ["v0", ["a", "b=c"]],
    ]),
  );
});

test("empty secrets and the words of unset variables never count", () => {
  expect(usable(secrets("", "  ", "undefined", "null", "real")).map(({ value }) => value)).toEqual(["real"]);
  expect(codeOf(() => checkSharedSecret(requestWith({ "x-s": ["undefined"] }), "x-s", secrets("undefined")))).toBe(
    "bad_signature",
  );
});

test("a bearer token is taken with its scheme in any letter case, and bare", () => {
  for (const value of ["Bearer s3cret", "bearer s3cret", "BEARER  s3cret", "s3cret"]) {
    const request = requestWith({ authorization: [value] });
    expect(codeOf(() => checkBearer(request, secrets("old", "s3cret")))).toBeNull();
  }
  expect(codeOf(() => checkBearer(requestWith({ authorization: ["Bearer"] }), secrets("s3cret")))).toBe(
    "bad_signature",
  );
});

test("the window has a bound on either side, and none without a clock", () => {
  expect(codeOf(() => checkWindow(nowMs - 300_000, nowMs))).toBeNull();
  expect(codeOf(() => checkWindow(nowMs - 300_001, nowMs))).toBe("timestamp_stale");
  expect(codeOf(() => checkWindow(nowMs + 300_000, nowMs))).toBeNull();
  expect(codeOf(() => checkWindow(nowMs + 300_001, nowMs))).toBe("timestamp_future");
  expect(codeOf(() => checkWindow(0, null))).toBeNull();
});

test("a header's time is digits and nothing else", () => {
  expect([headerTime("1772461800"), headerTime("1772461800000", "auto"), headerTime("1772461800", "auto")]).toEqual([
    nowMs,
    nowMs,
    nowMs,
  ]);
  for (const text of ["", "abc", "-1", "1e9", "1.5", " 1", "9".repeat(20)]) {
    expect(codeOf(() => headerTime(text))).toBe("malformed_header");
  }
});

test("a JWT: alg, then key, then signature, then time", () => {
  const claims = { iss: "key", exp: nowS + 300, nbf: nowS };
  expect(read(jwt(claims))).toBeNull();
  expect(read(jwt(claims, "wrong"))).toBe("bad_signature");
  expect(read(jwt({ ...claims, iss: "other" }, "wrong"))).toBe("unknown_api_key");
  expect(read(jwt(claims, "s3cret", { alg: "none" }))).toBe("bad_signature");
  expect(read(jwt(claims, "s3cret", { alg: "HS512" }))).toBe("bad_signature");
  expect(read(jwt({ ...claims, exp: nowS - 59 }))).toBeNull();
  expect(read(jwt({ ...claims, exp: nowS - 61 }))).toBe("token_expired");
  expect(read(jwt({ ...claims, exp: nowS - 61 }), null)).toBeNull();
  expect(read(jwt({ iss: "key" }))).toBe("token_expired");
  expect(read(jwt({ ...claims, exp: "never" }))).toBe("token_expired");
  expect(read(jwt({ ...claims, nbf: nowS + 61 }))).toBe("timestamp_future");
  for (const token of ["", "a", "a.b", "a.b.c", "a.b.c.d", `${jwt(claims)}.x`, "..", "é.é.é"]) {
    expect(read(token)).toBe("malformed_header");
  }
});

test("a body hash must be there and be the body's", () => {
  expect(codeOf(() => checkBodyHash(undefined, body, "base64"))).toBe("bad_body_hash");
  expect(codeOf(() => checkBodyHash("", body, "hex"))).toBe("bad_body_hash");
});

test("Ed25519 (RFC 8032): any of several keys, and only whole signatures", () => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const key = publicKey.export({ format: "der", type: "spki" }).subarray(12).toString("base64");
  const signature = sign(null, Buffer.concat([Buffer.from("1772461800|"), body]), privateKey).toString("base64");
  const other = Buffer.alloc(32, 7).toString("base64");
  expect(codeOf(() => checkEd25519(signature, ["1772461800|", body], secrets(other, "short", key)))).toBeNull();
  expect(codeOf(() => checkEd25519(signature, ["1772461801|", body], secrets(key)))).toBe("bad_signature");
  expect(codeOf(() => checkEd25519(signature, ["1772461800|", body], secrets(other)))).toBe("bad_signature");
  expect(codeOf(() => checkEd25519("AAAA", [body], secrets(key)))).toBe("malformed_header");
  expect(codeOf(() => checkEd25519(`${signature}!`, [body], secrets(key)))).toBe("malformed_header");
});

test("Standard Webhooks: what their library signs verifies, whichever header names it uses", () => {
  const secret = "whsec_YWZ0ZXJjYWxsLXRlc3Qta2V5LTI0Ynl0";
  const signature = new Webhook(secret).sign("msg_1", new Date(nowMs), body.toString());
  const verify = (prefix: string, given: string, id = "msg_1", at = nowMs) => {
    const names = { [`${prefix}-id`]: [id], [`${prefix}-timestamp`]: [String(nowS)], [`${prefix}-signature`]: [given] };
    return codeOf(() => checkStandardWebhook(requestWith(names), secrets("whsec_b2xk", secret), at));
  };
  expect(verify("webhook", signature)).toBeNull();
  expect(verify("svix", signature)).toBeNull();
  expect(verify("webhook", `v2,x v1,AAAA ${signature}`)).toBeNull();
  expect(verify("webhook", signature, "msg_2")).toBe("bad_signature");
  expect(verify("webhook", signature.slice(3))).toBe("malformed_header");
  expect(verify("webhook", signature, "msg_1", nowMs + 300_999)).toBeNull();
  expect(verify("webhook", signature, "msg_1", nowMs + 301_000)).toBe("timestamp_stale");
  expect(verify("other", signature)).toBe("missing_header");
});

test("URL and form: keys by code unit, equal values once, all of them in order", () => {
  const fields = [
    ["b", "2"],
    ["a", "1"],
    ["B", "3"],
    ["b", "1"],
    ["b", "2"],
  ] as const;
  expect(urlAndForm("https://x/y?z=1", fields)).toBe("https://x/y?z=1B3a1b1b2");
});

test("a check that throws anything else is a bug and is not swallowed", () => {
  expect(() =>
    check("x", () => {
      throw new TypeError("bug");
    }),
  ).toThrow("bug");
});

function read(token: string, at: number | null = nowMs): string | null {
  return codeOf(() => checkJwt(token, { nowMs: at, secretsFor }));
}

function secretsFor({ iss }: Claims): Secret[] {
  return iss === "key" ? secrets("old", "s3cret") : [];
}

function codeOf(checks: () => unknown): string | null {
  const verdict = check("test", () => void checks());
  return verdict.ok ? null : verdict.code;
}

function requestWith(headers: Readonly<Record<string, readonly string[]>>): ProviderRequest {
  return { method: "POST", url: "https://hooks.example.com/x", headers: new Map(Object.entries(headers)), body };
}

function secrets(...values: string[]): Secret[] {
  return values.map((value) => ({ slot: "secret", keyId: null, value }));
}

function jwt(claims: Readonly<Record<string, unknown>>, secret = "s3cret", header: object = { alg: "HS256" }): string {
  const [head, payload] = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  return `${head}.${payload}.${createHmac("sha256", secret).update(`${head}.${payload}`).digest("base64url")}`;
}
