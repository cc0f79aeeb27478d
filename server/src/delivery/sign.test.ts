import { createHash } from "node:crypto";

import * as fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";

import { keyOf, newSecret, sign } from "./sign.ts";

test("the signature of the specification's example comes out", () => {
  const key = keyOf("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  const body = Buffer.from('{"test": 2432232314}');
  expect(sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, [key])).toBe(
    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  );
});

const random = (seed: string) => (size: number) => createHash("shake256", { outputLength: size }).update(seed).digest();

test("any body signed with any of our secrets verifies in the reference library", () => {
  fc.assert(
    fc.property(fc.json(), fc.string(), (text, seed) => {
      const secret = newSecret(random(seed));
      expect(new Webhook(secret).verify(text, signedHeaders(text, [secret]))).toEqual(JSON.parse(text));
    }),
  );
});

test("during a rotation a receiver verifies with the old secret and with the new one, and with no other", () => {
  const [old, fresh, other] = [newSecret(random("old")), newSecret(random("fresh")), newSecret(random("other"))];
  const headers = signedHeaders('{"a":"ש"}', [fresh, old]);
  expect(new Webhook(old).verify('{"a":"ש"}', headers)).toEqual({ a: "ש" });
  expect(new Webhook(fresh).verify('{"a":"ש"}', headers)).toEqual({ a: "ש" });
  expect(() => new Webhook(other).verify('{"a":"ש"}', headers)).toThrow("No matching signature found");
});

function signedHeaders(text: string, secrets: readonly string[]) {
  const timestamp = Math.floor(Date.now() / 1000);
  return {
    "webhook-id": "msg_1",
    "webhook-timestamp": String(timestamp),
    "webhook-signature": sign("msg_1", timestamp, Buffer.from(text), secrets.map(keyOf)),
  };
}
