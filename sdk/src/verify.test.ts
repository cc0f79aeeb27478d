import { createPrivateKey, generateKeyPairSync, randomBytes, sign as signBytes } from "node:crypto";

import { eventTypes } from "@aftercall/contract/events.ts";
import * as fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";

import { verify, WebhookError, type WebhookEvent } from "./verify.ts";

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const now = Date.UTC(2026, 0, 2, 3, 4, 5);

function signed(body: string, secrets: readonly string[] = [secret], at = now) {
  return {
    "webhook-id": "msg_1",
    "webhook-timestamp": String(Math.floor(at / 1000)),
    "webhook-signature": secrets.map((one) => new Webhook(one).sign("msg_1", new Date(at), body)).join(" "),
  };
}

const at = (ms: number) => ({ now: () => ms });
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "verified",
    (error: unknown) => (error instanceof WebhookError ? error.code : String(error)),
  );

test("the example of the specification verifies", async () => {
  const headers = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  };
  expect(await verify('{"test": 2432232314}', headers, secret, at(1614265330_000))).toEqual({
    id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
    sentAt: new Date(1614265330_000),
    event: { test: 2432232314 },
  });
});

test("whatever the reference library signs is verified, as text, as bytes and in the middle of a buffer", async () => {
  await fc.assert(
    fc.asyncProperty(fc.json(), fc.uint8Array({ minLength: 24, maxLength: 64 }), async (text, key) => {
      const own = `whsec_${Buffer.from(key).toString("base64")}`;
      const bytes = new TextEncoder().encode(text);
      const inside = new Uint8Array([1, 2, ...bytes, 3]).subarray(2, -1);
      const exact = bytes.buffer.slice(0, bytes.length);
      for (const body of [text, bytes, inside, exact]) {
        expect((await verify(body, signed(text, [own]), own, at(now))).event).toEqual(JSON.parse(text));
      }
    }),
  );
});

test("a body that was changed in one place is refused", async () => {
  const body = JSON.stringify(eventTypes["call.completed"].examples.he);
  await fc.assert(
    fc.asyncProperty(fc.nat(body.length - 1), async (place) => {
      const changed = `${body.slice(0, place)}\u0001${body.slice(place + 1)}`;
      expect(await codeOf(verify(changed, signed(body), secret, at(now)))).toBe("signature");
    }),
    { numRuns: 30 },
  );
});

test("the type of an event says what its data is", async () => {
  const body = JSON.stringify(eventTypes["call.completed"].examples.en);
  const { event } = await verify(body, signed(body), secret, at(now));
  if (event.type !== "call.completed") throw new Error(event.type);
  expect(event.data.call.outcome).toBe(eventTypes["call.completed"].examples.en.data.call.outcome);
  event satisfies WebhookEvent;
});

test("during a rotation the old secret and the new one verify, and no other", async () => {
  const [old, fresh, other] = [newSecret(), newSecret(), newSecret()];
  const headers = signed("{}", [fresh, old]);
  expect(await codeOf(verify("{}", headers, old, at(now)))).toBe("verified");
  expect(await codeOf(verify("{}", headers, fresh, at(now)))).toBe("verified");
  expect(await codeOf(verify("{}", headers, [other, fresh], at(now)))).toBe("verified");
  expect(await codeOf(verify("{}", headers, other, at(now)))).toBe("signature");
  expect(await codeOf(verify("{}", headers, [], at(now)))).toBe("signature");
});

test.each([
  [-301, "timestamp"],
  [-300, "verified"],
  [300, "verified"],
  [301, "timestamp"],
])("a message of %s s from now: %s", async (seconds, expected) => {
  expect(await codeOf(verify("{}", signed("{}", [secret], now + seconds * 1000), secret, at(now)))).toBe(expected);
});

test.each(["", "soon", "1e3", "-5", "99999999999999999999", "NaN"])(
  "the timestamp '%s' is refused",
  async (timestamp) => {
    const code = await codeOf(verify("{}", { ...signed("{}"), "webhook-timestamp": timestamp }, secret, at(now)));
    expect(code).toBe(timestamp === "" ? "headers" : "timestamp");
  },
);

test.each(["webhook-id", "webhook-timestamp", "webhook-signature"])("without %s it is refused", async (name) => {
  const { [name as "webhook-id"]: _left, ...headers } = signed("{}");
  expect(await codeOf(verify("{}", headers, secret, at(now)))).toBe("headers");
});

test("headers may be a Headers object, of any case, and lists as Node has them", async () => {
  const headers = signed("{}");
  const upper = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]));
  const lists = { ...headers, "webhook-signature": ["v1,AAAA", headers["webhook-signature"]] };
  for (const form of [new Headers(headers), upper, lists]) {
    expect(await codeOf(verify("{}", form, secret, at(now)))).toBe("verified");
  }
});

test("an Ed25519 signature is verified with the public key, and only in its own version", async () => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const whpk = `whpk_${publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("base64")}`;
  const headers = { "webhook-id": "msg_1", "webhook-timestamp": String(now / 1000) };
  const signature = signBytes(
    null,
    Buffer.from(`msg_1.${now / 1000}.{"a":1}`),
    createPrivateKey(privateKey.export({ format: "pem", type: "pkcs8" })),
  );
  const header = (version: string) => ({
    ...headers,
    "webhook-signature": `${version},${signature.toString("base64")}`,
  });
  expect((await verify('{"a":1}', header("v1a"), [secret, whpk], at(now))).event).toEqual({ a: 1 });
  expect(await codeOf(verify('{"a":2}', header("v1a"), whpk, at(now)))).toBe("signature");
  expect(await codeOf(verify('{"a":1}', header("v1"), whpk, at(now)))).toBe("signature");
  expect(await codeOf(verify('{"a":1}', header("v1a"), secret, at(now)))).toBe("signature");
});

test("no signature header, however it is written, is more than refused", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ minLength: 1 }), async (signature) => {
      const code = await codeOf(verify("{}", { ...signed("{}"), "webhook-signature": signature }, secret, at(now)));
      expect(code).toBe("signature");
    }),
  );
});

test("a body that is signed and is no JSON is refused as such", async () => {
  expect(await codeOf(verify("<html>", signed("<html>"), secret, at(now)))).toBe("body");
});

test.each(["", "whsec_", "whsec_*", "whsk_AAAA"])(
  "the secret '%s' is a mistake of the program, not of the request",
  async (wrong) => {
    await expect(verify("{}", signed("{}"), wrong, at(now))).rejects.toThrow(TypeError);
  },
);

function newSecret(): string {
  return `whsec_${randomBytes(32).toString("base64")}`;
}
