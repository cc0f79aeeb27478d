import { expect, test } from "vitest";

import { TooMany, Unauthorized } from "#/kernel/errors.ts";

import { createFakeClock } from "../../test/harness/clock.ts";
import { guardGuesses } from "./guesses.ts";

const caller = { tenant: "t1", actor: { kind: "api_key", id: "key_1", role: "owner" } } as const;

function guarded(perMinute = 3) {
  const clock = createFakeClock();
  const looked: string[] = [];
  const right = new Set(["Bearer right", "Bearer also right"]);
  const auth = guardGuesses(
    {
      async caller([header = ""]) {
        looked.push(header);
        if (!right.has(header)) throw new Unauthorized();
        return caller;
      },
      person: () => Promise.reject(new Unauthorized()),
    },
    { clock, perMinute },
  );
  const outcome = (text: string, address = "203.0.113.7") =>
    auth.caller(text === "" ? [] : [`Bearer ${text}`], address).then(
      () => "let in",
      (error: unknown) => (error instanceof TooMany ? error.retryAfterSeconds : error instanceof Unauthorized && 401),
    );
  return { clock, looked, right, outcome };
}

test("429: past the limit a guess is not even looked up, and one more may be made when Retry-After is over", async () => {
  const { clock, looked, outcome } = guarded();
  for (const guess of ["a", "b", "c"]) expect(await outcome(guess)).toBe(401);
  expect(await outcome("d")).toBe(20);
  expect(looked).toHaveLength(3);
  await clock.advance(20_000);
  expect([await outcome("e"), await outcome("f")]).toEqual([401, 20]);
});

test("what was right here a little while ago comes through; what is new waits, right or not", async () => {
  const { clock, outcome } = guarded();
  expect(await outcome("right")).toBe("let in");
  for (const guess of ["a", "b", "c"]) await outcome(guess);
  expect([await outcome("right"), await outcome("also right")]).toEqual(["let in", 20]);
  await clock.advance(16 * 60_000);
  for (const guess of ["a", "b", "c"]) await outcome(guess);
  expect(await outcome("right")).toBe(20);
});

test("a key that was revoked is a guess like any other, from its first refusal on", async () => {
  const { right, outcome } = guarded();
  await outcome("right");
  right.delete("Bearer right");
  expect([await outcome("right"), await outcome("a"), await outcome("b"), await outcome("right")]).toEqual([
    ...[401, 401, 401, 20],
  ]);
});

test("each address counts for itself, an IPv6 network as one; a request without a credential is no guess", async () => {
  const { outcome } = guarded();
  for (const guess of ["a", "b", "c"]) await outcome(guess, "2001:db8::1");
  expect(await outcome("d", "2001:db8::ffff")).toBe(20);
  expect(await outcome("d", "203.0.113.9")).toBe(401);
  for (let i = 0; i < 10; i++) expect(await outcome("", "203.0.113.10")).toBe(401);
});

test("0: as many as come", async () => {
  const { outcome } = guarded(0);
  for (let i = 0; i < 200; i++) expect(await outcome(String(i))).toBe(401);
});
