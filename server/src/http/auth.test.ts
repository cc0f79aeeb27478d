import { createHmac } from "node:crypto";

import { describe, expect, test } from "vitest";

import { Unauthorized } from "#/kernel/errors.ts";
import { digest } from "#/kernel/secrets.ts";

import { createFakeClock } from "../../test/harness/clock.ts";
import { createAuth } from "./auth.ts";

const jwtSecret = "a-secret-that-only-tests-know-0001";
const clock = createFakeClock();
const nowSeconds = Math.floor(clock.now() / 1000);
const apiKey = "ac_dev_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";

const auth = createAuth({
  clock,
  jwtSecret,
  callerOfKey: async (wanted) =>
    wanted.equals(digest(apiKey)) ? { tenant: "t1", actor: { kind: "api_key", id: "key_1", role: "owner" } } : null,
  membershipsOf: async (externalId) => {
    if (externalId === "anna") return [{ tenant: "t1", userId: "usr_1" }];
    if (externalId === "both")
      return [
        { tenant: "t1", userId: "usr_2" },
        { tenant: "t2", userId: "usr_3" },
      ];
    return [];
  },
});

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

function token(claims: Record<string, unknown>, { header = {}, secret = jwtSecret, alg = "HS256" } = {}): string {
  const signed = `${part({ alg, typ: "JWT", ...header })}.${part(claims)}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}
const good = { sub: "anna", exp: nowSeconds + 600 };
const bearer = (text: string) => [`Bearer ${text}`];

describe("an API key", () => {
  test("stands for its tenant and role", async () => {
    expect(await auth.caller(bearer(apiKey))).toEqual({
      tenant: "t1",
      actor: { kind: "api_key", id: "key_1", role: "owner" },
    });
  });

  test.each([
    ["no header", []],
    ["an empty header", [""]],
    ["another scheme", [`Basic ${apiKey}`]],
    ["no token", ["Bearer "]],
    ["an unknown key", ["Bearer ac_dev_unknown"]],
    ["two headers, both right", [`Bearer ${apiKey}`, `Bearer ${apiKey}`]],
    ["something behind the key", [`Bearer ${apiKey} x`]],
  ])("401: %s", async (_name, headers) => {
    await expect(auth.caller(headers)).rejects.toBeInstanceOf(Unauthorized);
  });
});

describe("a token", () => {
  test("stands for a user with the role of a member", async () => {
    expect(await auth.caller(bearer(token(good)))).toEqual({
      tenant: "t1",
      actor: { kind: "user", id: "usr_1", role: "member" },
    });
  });

  test.each([
    ["viewer", "viewer"],
    ["member", "member"],
    ["admin", "admin"],
    ["owner", "member"],
    ["root", "member"],
    [7, "member"],
  ])("of a user without a role, with the role claim %s, acts as %s", async (role, expected) => {
    expect((await auth.caller(bearer(token({ ...good, role })))).actor.role).toBe(expected);
  });

  test.each([
    ["viewer", "admin", "viewer"],
    ["owner", "member", "member"],
    ["owner", "admin", "admin"],
    ["admin", "owner", "admin"],
    ["admin", "root", "admin"],
  ] as const)("of %s with the role claim %s acts as %s", async (role, claim, expected) => {
    const membershipsOf = async () => [{ tenant: "t1", userId: "usr_1", role }];
    const one = createAuth({ clock, jwtSecret, callerOfKey: async () => null, membershipsOf });
    expect((await one.caller(bearer(token({ ...good, role: claim })))).actor.role).toBe(expected);
  });

  test("of somebody in two tenants has to name one of them", async () => {
    const both = { ...good, sub: "both" };
    expect((await auth.caller(bearer(token({ ...both, tenant: "t2" })))).tenant).toBe("t2");
    await expect(auth.caller(bearer(token(both)))).rejects.toBeInstanceOf(Unauthorized);
    await expect(auth.caller(bearer(token({ ...both, tenant: "t3" })))).rejects.toBeInstanceOf(Unauthorized);
  });

  test.each([
    ["expired", token({ ...good, exp: nowSeconds - 1 })],
    ["without exp", token({ sub: "anna" })],
    ["without sub", token({ exp: nowSeconds + 600 })],
    ["with an empty sub", token({ ...good, sub: "" })],
    ["with a NUL in sub", token({ ...good, sub: "an\0na" })],
    ["with a sub that is a number", token({ ...good, sub: 7 })],
    ["with exp as text", token({ ...good, exp: "never" })],
    ["not valid yet", token({ ...good, nbf: nowSeconds + 60 })],
    ["of alg none", token(good, { alg: "none" })],
    ["of alg HS512", token(good, { alg: "HS512" })],
    ["of an empty key", token(good, { secret: " ".trim() })],
    ["of another key", token(good, { secret: "another-secret-of-some-length-0002" })],
    [
      "with a key of its own",
      token(good, { header: { kid: "../../dev/null", jwk: { kty: "oct", k: "" } }, secret: "x" }),
    ],
    ["with an unknown critical header", token(good, { header: { crit: ["x-evil"], "x-evil": 1 } })],
    ["without its signature", token(good).replace(/[^.]*$/, "")],
    ["over 8 kB", token({ ...good, filler: "x".repeat(9_000) })],
    ["of somebody nobody knows", token({ ...good, sub: "stranger" })],
  ])("401: %s", async (_name, text) => {
    await expect(auth.caller(bearer(text))).rejects.toBeInstanceOf(Unauthorized);
  });

  test("401: no token is right where no JWT_SECRET is set, an empty one included", async () => {
    for (const secret of [null, ""]) {
      const none = createAuth({
        clock,
        jwtSecret: secret,
        callerOfKey: async () => null,
        membershipsOf: async () => [],
      });
      await expect(none.person(bearer(token(good, { secret: secret ?? "" })))).rejects.toBeInstanceOf(Unauthorized);
    }
  });

  test("a stranger's valid token is a person without tenants, so that routes can answer as for things that are not there", async () => {
    expect((await auth.person(bearer(token({ ...good, sub: "stranger" })))).memberships).toEqual([]);
  });
});
