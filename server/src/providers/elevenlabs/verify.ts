import type { Verification, VerifyInput } from "../provider.ts";
import { check, Refused } from "../signatures/check.ts";
import { fieldsOf, oneHeader } from "../signatures/header.ts";
import { checkHmac } from "../signatures/hmac.ts";
import { usable } from "../signatures/secret.ts";
import { checkWindow, headerTime } from "../signatures/time.ts";
import type { ElevenLabsSetup } from "./setup.ts";

/**
 * `ElevenLabs-Signature: t=<seconds>,v0=<hex>` over `t.body` with the whole secret, its `wsec_` included. Stricter than
 * their JavaScript library, which takes any `t` that is no number and sets no bound ahead; and any of several `v0` may
 * match, so that a secret can be rotated.
 */
export function verify({ request, secrets, setup, nowMs }: VerifyInput<ElevenLabsSetup>): Verification {
  return check("elevenlabs-v0", () => {
    const fields = fieldsOf(oneHeader(request, "elevenlabs-signature"));
    const [timestamp, ...others] = fields.get("t") ?? [];
    const signatures = fields.get("v0");
    if (timestamp === undefined || others.length > 0 || !signatures) throw new Refused("malformed_header");
    checkWindow(headerTime(timestamp), nowMs, { pastMs: setup.past_minutes * 60_000, aheadMs: 300_000 });
    checkHmac(signatures, usable(secrets, "secret"), { signed: [timestamp, ".", request.body] });
  });
}
