import { createHmac, createPublicKey, verify } from "node:crypto";

import { Signature } from "@aftercall/contract/endpoint.ts";
import * as fc from "fast-check";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Stripe } from "stripe";
import { Webhook as SvixWebhook } from "svix";
import { expect, test } from "vitest";

import { textKeyOf } from "../endpoints/secrets.ts";
import { keyOf, newSecret, publicKeyOf } from "../sign.ts";
import { hasReplayProtection, signatureHeaders } from "./index.ts";

const random = (size: number) => Buffer.alloc(size, ++seed);
let seed = 0;
const [fresh, old] = [newSecret(random), newSecret(random)];
const asymmetric = newSecret(random, "ed25519");
const now = Math.floor(Date.now() / 1000);
const text = '{"type":"call.completed","data":{"city":"בית שאן"}}';

/** What a receiver gets, names in lower case as HTTP servers give them. */
function sent(
  settings: unknown,
  changes: { body?: string; timestamp?: number; secrets?: string[]; own?: string } = {},
) {
  const { body = text, timestamp = now, secrets = [fresh, old], own } = changes;
  const headers = signatureHeaders(Signature.parse(settings), {
    id: "msg_1",
    timestamp,
    type: "call.completed",
    body: Buffer.from(body),
    keys: secrets.map(keyOf),
    textKeys: own === undefined ? secrets.filter((one) => one.startsWith("whsec_")).map(textKeyOf) : [textKeyOf(own)],
  });
  return Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]));
}
const hmac = (key: string, signed: string, how: "hex" | "base64" = "hex", hash = "sha256") =>
  createHmac(hash, key).update(signed).digest(how);

test("standard: any body verifies in both libraries, with either key of a rotation", () => {
  fc.assert(
    fc.property(fc.json(), fc.boolean(), (body, isOld) => {
      const secret = isOld ? old : fresh;
      const headers = sent({ profile: "standard" }, { body });
      expect(new StandardWebhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
      expect(new SvixWebhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
    }),
    { numRuns: 50 },
  );
});

test("svix: a receiver that knows only svix's own headers verifies", () => {
  const headers = sent({ profile: "svix", with_standard: false });
  expect(Object.keys(headers)).toEqual(["svix-id", "svix-timestamp", "svix-signature"]);
  for (const secret of [fresh, old]) expect(new SvixWebhook(secret).verify(text, headers)).toEqual(JSON.parse(text));
  expect(() => new SvixWebhook(newSecret(random)).verify(text, headers)).toThrow("No matching signature found");
});

test("an HMAC and an Ed25519 key sign side by side, and the public key verifies", () => {
  const headers = sent({ profile: "standard" }, { secrets: [asymmetric, fresh] });
  const [v1a = "", v1 = ""] = headers["webhook-signature"]?.split(" ") ?? [];
  expect([v1a.slice(0, 4), v1.slice(0, 3)]).toEqual(["v1a,", "v1,"]);
  expect(new StandardWebhook(fresh).verify(text, headers)).toEqual(JSON.parse(text));
  const publicKey = publicKeyOf(keyOf(asymmetric)) ?? "";
  expect(publicKey).toMatch(/^whpk_[A-Za-z0-9+/]{43}=$/);
  const x = Buffer.from(publicKey.slice(5), "base64").toString("base64url");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  const signed = Buffer.from(`msg_1.${now}.${text}`);
  expect(verify(null, signed, key, Buffer.from(v1a.slice(4), "base64"))).toBe(true);
  expect(verify(null, Buffer.from(`msg_2.${now}.${text}`), key, Buffer.from(v1a.slice(4), "base64"))).toBe(false);
});

test("an Ed25519 key is its seed with or without the public half, and halves that do not fit are refused", () => {
  const bytes = Buffer.from(asymmetric.slice(5), "base64");
  expect(publicKeyOf(keyOf(`whsk_${bytes.subarray(0, 32).toString("base64")}`))).toBe(publicKeyOf(keyOf(asymmetric)));
  bytes[40] = (bytes[40] ?? 0) ^ 1;
  expect(() => keyOf(`whsk_${bytes.toString("base64")}`)).toThrow(RangeError);
});

test("stripe: t and one v1 for each key, over t.body", () => {
  const header = sent({ profile: "stripe" })["stripe-signature"] ?? "";
  expect(header).toBe(`t=${now},v1=${hmac(fresh, `${now}.${text}`)},v1=${hmac(old, `${now}.${text}`)}`);
});

test("stripe: Stripe's own library takes it with either key of a rotation, and with no other", () => {
  const { webhooks } = new Stripe("sk_test_that_is_never_used");
  const verify = (header: string, secret: string) => webhooks.constructEvent(text, header, secret);
  const header = sent({ profile: "stripe" })["stripe-signature"] ?? "";
  for (const secret of [fresh, old]) expect(verify(header, secret)).toEqual(JSON.parse(text));
  expect(() => verify(header, "whsec_another")).toThrow("signature");
  const own =
    sent({ profile: "stripe", header: "X-Acme-Signature" }, { own: "whsec_from_there" })["x-acme-signature"] ?? "";
  expect(verify(own, "whsec_from_there")).toEqual(JSON.parse(text));
});

test("stripe: a secret of the other system signs in place of the keys, under a header of one's own", () => {
  const headers = sent({ profile: "stripe", header: "X-Acme-Signature" }, { own: "whsec_from_there" });
  expect(headers["x-acme-signature"]).toBe(`t=${now},v1=${hmac("whsec_from_there", `${now}.${text}`)}`);
  expect(new StandardWebhook(fresh).verify(text, headers)).toEqual(JSON.parse(text));
});

test("github: sha256= and the hex HMAC of the body", () => {
  const headers = sent({ profile: "github" }, { own: "It's a Secret to Everybody", body: "Hello, World!" });
  // The example of GitHub's documentation.
  expect(headers["x-hub-signature-256"]).toBe(
    "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
  );
  expect(headers).toMatchObject({ "x-github-event": "call.completed", "x-github-delivery": "msg_1" });
});

// From Convoy's own vectors (pkg/signature/testdata).
const convoy = {
  own: "convoy-webhook-secret",
  body: '{"event":"charge.success","amount":1000,"currency":"NGN"}',
  timestamp: 1_700_000_000,
};
test.each([
  [{}, "244449b7f48cbc2709060c9dcdc2b3aa47a78f540430579015c579fb12defbb4"],
  [{ encoding: "base64" }, "JERJt/SMvCcJBgydzcKzqkenj1QEMFeQFcV5+xLe+7Q="],
  [
    { hash: "sha512", encoding: "base64" },
    "bMdy3IGUKuG1/6kcOmoHsNN+3I3GvYPjUYohnx8Z/3GuG3bWsyCUDUFMI2oarX95MLY+DxkolRlV0xIZVF4bZg==",
  ],
  [{ is_advanced: true }, "t=1700000000,v1=77b8b9269f25a199846a55a2bd25b3fba151c70fdae60bb1dcd87fbbc943c55c"],
  [{ is_advanced: true, encoding: "base64" }, "t=1700000000,v1=d7i5Jp8loZmEalWivSWz+6FRxw/a5gux3Nh/u8lDxVw="],
])("convoy: its own vectors come out with %j", (settings, expected) => {
  const headers = sent({ profile: "convoy", ...settings }, convoy);
  expect(headers["x-convoy-signature"]).toBe(expected);
  expect(headers["x-convoy-event-id"]).toBe("msg_1");
});

test("outpost: v0= and the hex HMAC of the body with each key", () => {
  const headers = sent({ profile: "outpost" }, { timestamp: 1_800_000_000 });
  expect(headers).toMatchObject({
    "x-outpost-signature": `v0=${hmac(fresh, text)},${hmac(old, text)}`,
    "x-outpost-event-id": "msg_1",
    "x-outpost-topic": "call.completed",
    "x-outpost-timestamp": "2027-01-15T08:00:00.000Z",
  });
});

test("hookdeck: the newest key in one header, the one before in a second", () => {
  expect(sent({ profile: "hookdeck" })).toMatchObject({
    "x-hookdeck-signature": hmac(fresh, text, "base64"),
    "x-hookdeck-signature-2": hmac(old, text, "base64"),
  });
});

test("hook0: the time, the headers that are named and the body are covered", () => {
  const headers = sent({ profile: "hook0" });
  const parts = Object.fromEntries((headers["x-hook0-signature"] ?? "").split(",").map((part) => part.split("=", 2)));
  // As hook0's clients verify: time.names.values.body.
  const values = parts["h"].split(" ").map((name: string) => headers[name]);
  expect(parts["v1"]).toBe(hmac(fresh, `${parts["t"]}.${parts["h"]}.${values.join(".")}.${text}`));
});

test("custom: the header, prefix, hash and encoding that were asked for", () => {
  const plain = sent({ profile: "custom", header: "X-Sig", hash: "sha512", encoding: "base64" }, { own: "12345678" });
  expect(plain["x-sig"]).toBe(hmac("12345678", text, "base64", "sha512"));
  const timed = {
    profile: "custom",
    header: "X-Sig",
    prefix: "v0=",
    signs: "timestamp.body",
    timestamp_header: "X-Time",
  };
  const headers = sent(timed, { own: "12345678" });
  expect(headers).toMatchObject({ "x-sig": `v0=${hmac("12345678", `${now}.${text}`)}`, "x-time": String(now) });
});

test("the headers of Standard Webhooks go beside every profile unless they are switched off", () => {
  for (const profile of ["svix", "stripe", "github", "convoy", "outpost", "hookdeck", "hook0"]) {
    expect(sent({ profile })).toHaveProperty("webhook-signature");
    expect(sent({ profile, with_standard: false })).not.toHaveProperty("webhook-signature");
  }
});

test("with nothing but Ed25519 keys a profile of HMACs sends no signature, rather than a wrong one", () => {
  expect(Object.keys(sent({ profile: "github" }, { secrets: [asymmetric] }))).toEqual([
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
  ]);
});

test("profiles that sign no time say so", () => {
  const isProtected = (settings: unknown) => hasReplayProtection(Signature.parse(settings));
  expect(["standard", "svix", "stripe", "hook0"].every((profile) => isProtected({ profile }))).toBe(true);
  expect(["github", "convoy", "outpost", "hookdeck"].some((profile) => isProtected({ profile }))).toBe(false);
  expect(isProtected({ profile: "convoy", is_advanced: true })).toBe(true);
  expect(isProtected({ profile: "custom", header: "X-Sig" })).toBe(false);
});
