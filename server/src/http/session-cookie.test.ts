import type { IncomingMessage } from "node:http";

import { expect, test } from "vitest";

import { createFakeClock } from "../../test/harness/clock.ts";
import { createSecretBox } from "../kernel/secrets.ts";
import { createSessionCookies } from "./session-cookie.ts";

const clock = createFakeClock();
const cookiesOf = (secret: string, isSecure = true) =>
  createSessionCookies({ box: createSecretBox(secret), clock, isSecure });
const cookies = cookiesOf("a root secret that is long enough for a test");
const bearer = "Bearer ac_live_1";

/** What a browser sends back for a `Set-Cookie`. */
function sentBack(setCookie: string | null): IncomingMessage {
  return { rawHeaders: ["Cookie", `theme=dark; ${setCookie?.split(";")[0]}`] } as IncomingMessage;
}
const inHour = () => clock.now() + 3_600_000;
const sessionOf = (setCookie: string | null) => cookies.find(sentBack(setCookie)) ?? "";

test("what was put in comes out, until its time is over", async () => {
  const session = sessionOf(cookies.set(bearer, inHour()));
  expect(cookies.authorizationIn(session)).toBe(bearer);
  await clock.advance(3_599_000);
  expect(cookies.authorizationIn(session)).toBe(bearer);
  await clock.advance(1_000);
  expect(cookies.authorizationIn(session)).toBe(null);
});

test("a session of another server, or one that was altered anywhere, is none", () => {
  const foreign = cookiesOf("another root secret that is long enough for it").set(bearer, inHour());
  expect(cookies.authorizationIn(sessionOf(foreign))).toBe(null);
  const bytes = Buffer.from(sessionOf(cookies.set(bearer, inHour())), "base64url");
  for (let at = 0; at < bytes.length; at++) {
    const altered = Buffer.from(bytes);
    altered[at] = (altered[at] ?? 0) ^ 1;
    expect(cookies.authorizationIn(altered.toString("base64url"))).toBe(null);
  }
  for (const text of ["", "x", "e30"]) expect(cookies.authorizationIn(text)).toBe(null);
});

test("a token that browsers would cut off is not made into a cookie", () => {
  expect(cookies.set(`Bearer ${"a".repeat(2_600)}`, inHour())?.length).toBeLessThan(4_096);
  expect(cookies.set(`Bearer ${"a".repeat(4_000)}`, inHour())).toBe(null);
});
