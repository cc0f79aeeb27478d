import { z } from "zod";

import { HeaderName } from "./headers.ts";

/** `whsec_` and the base64 of 24 to 64 random bytes: HMAC-SHA256 (Standard Webhooks `v1`). */
const hmacForm = /^whsec_(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** `whsk_` and the base64 of an Ed25519 key: the seed of 32 bytes, or seed and public key, 64 bytes (`v1a`). */
const ed25519Form = /^whsk_(?:[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{86}==)$/;

/** A signing key to take over from elsewhere. */
export const SigningSecret = z
  .string()
  .max(200)
  .refine((text) => hmacForm.test(text) || ed25519Form.test(text), "whsec_ or whsk_ followed by base64")
  .refine((text) => {
    if (!text.startsWith("whsec_")) return true;
    const bytes = Math.floor((text.slice(6).replace(/=+$/, "").length * 3) / 4);
    return bytes >= 24 && bytes <= 64;
  }, "24 to 64 bytes after whsec_");

/** How a key signs. The public half of an `ed25519` key may be read by everybody, so receivers hold no secret at all. */
export const SigningKind = z.enum(["hmac", "ed25519"]);
export type SigningKind = z.infer<typeof SigningKind>;

/** A secret as another system had it: any visible characters. Signs only the headers of the profile, as text. */
const ProfileSecret = z
  .string()
  .regex(/^[\x21-\x7e]{8,256}$/, "8 to 256 visible characters")
  .nullable()
  .optional();

const besides = {
  /** Whether the headers of Standard Webhooks are sent beside those of the profile. */
  with_standard: z.boolean().default(true),
  /** Instead of the signing keys. Never shown; absent: the one that is there stays; null: none. */
  secret: ProfileSecret,
};

const hash = z.enum(["sha256", "sha512"]).default("sha256");
const encoding = z.enum(["hex", "base64"]).default("hex");

/**
 * In which headers the signature is sent, so that a receiver written for another system needs no change. Without `secret`
 * the text of the endpoint's own `whsec_…` keys is the key, as it is for receivers that never decode it; `svix` uses the keys
 * themselves.
 */
export const Signature = z.discriminatedUnion("profile", [
  /** `webhook-id`, `webhook-timestamp`, `webhook-signature` (https://www.standardwebhooks.com). */
  z.strictObject({ profile: z.literal("standard") }),
  /** The same under the names `svix-id`, `svix-timestamp`, `svix-signature`. */
  z.strictObject({ profile: z.literal("svix"), with_standard: besides.with_standard }),
  /** `t=…,v1=…`: hex HMAC-SHA256 of `t.body`, one `v1` for each key. */
  z.strictObject({ profile: z.literal("stripe"), header: HeaderName.default("Stripe-Signature"), ...besides }),
  /** `X-Hub-Signature-256: sha256=…`: hex HMAC of the body, with `X-GitHub-Event` and `X-GitHub-Delivery`. */
  z.strictObject({ profile: z.literal("github"), ...besides }),
  /** `X-Convoy-Signature`: the HMAC of the body, or in the advanced form `t=…,v1=…` of `t,body`. */
  z.strictObject({
    profile: z.literal("convoy"),
    header: HeaderName.default("X-Convoy-Signature"),
    is_advanced: z.boolean().default(false),
    hash,
    encoding,
    ...besides,
  }),
  /** `x-outpost-signature: v0=…`: hex HMAC-SHA256 of the body, with event id, topic and timestamp. */
  z.strictObject({ profile: z.literal("outpost"), ...besides }),
  /** `x-hookdeck-signature`: base64 HMAC-SHA256 of the body; a second key in `x-hookdeck-signature-2`. */
  z.strictObject({ profile: z.literal("hookdeck"), ...besides }),
  /** `X-Hook0-Signature: t=…,h=…,v1=…`: hex HMAC-SHA256 of time, the headers named in `h`, and body. */
  z.strictObject({ profile: z.literal("hook0"), ...besides }),
  /** A header of one's own. */
  z.strictObject({
    profile: z.literal("custom"),
    header: HeaderName,
    prefix: z
      .string()
      .regex(/^[\x21-\x7e]{0,50}$/, "At most 50 visible characters")
      .default(""),
    hash,
    encoding,
    /** `timestamp.body` also needs `timestamp_header`, for the receiver to know the time. */
    signs: z.enum(["body", "timestamp.body"]).default("body"),
    timestamp_header: HeaderName.nullable().default(null),
    ...besides,
  }),
]);
export type Signature = z.output<typeof Signature>;

/** The same as it is shown: whether there is a secret, and not the secret. */
export const ShownSignature = z.looseObject({
  profile: z.enum(["standard", "svix", "stripe", "github", "convoy", "outpost", "hookdeck", "hook0", "custom"]),
  has_secret: z.boolean(),
  /** False: the signature covers no time, so whoever sees a request can send it again. */
  has_replay_protection: z.boolean(),
});
