import { createHmac } from "node:crypto";

import type { StreamedVerification } from "../large.ts";
import type { ProviderRequest, Secret, Verification, VerifyInput } from "../provider.ts";
import { check, Refused } from "../signatures/check.ts";
import { fieldsOf, oneHeader } from "../signatures/header.ts";
import { checkHmac } from "../signatures/hmac.ts";
import { isSame, usable } from "../signatures/secret.ts";
import { checkWindow, headerTime } from "../signatures/time.ts";
import type { ElevenLabsSetup } from "./setup.ts";

/**
 * `ElevenLabs-Signature: t=<seconds>,v0=<hex>` over `t.body` with the whole secret, its `wsec_` included. Stricter than
 * their JavaScript library, which takes any `t` that is no number and sets no bound ahead; and any of several `v0` may
 * match, so that a secret can be rotated.
 */
export function verify(input: VerifyInput<ElevenLabsSetup>): Verification {
  return check("elevenlabs-v0", () => {
    const { timestamp, signatures } = signatureOf(input.request);
    checkTime(timestamp, input);
    checkHmac(signatures, usable(input.secrets, "secret"), { signed: [timestamp, ".", input.request.body] });
  });
}

/** The same for a body that passes by in pieces: one sum is begun with each secret that may turn out to be the right one. */
export function beginVerification(
  headers: ProviderRequest["headers"],
  secrets: readonly Secret[],
): StreamedVerification<ElevenLabsSetup> {
  const request = { method: "POST", url: "", headers, body: Buffer.alloc(0) };
  const timestamp = fieldsOf((headers.get("elevenlabs-signature") ?? [])[0] ?? "").get("t")?.[0] ?? "";
  const values = new Set(usable(secrets, "secret").map((secret) => secret.value));
  const sums = new Map([...values].map((value) => [value, createHmac("sha256", value).update(`${timestamp}.`)]));
  let digests: ReadonlyMap<string, string> | null = null;
  return {
    update(chunk) {
      for (const sum of sums.values()) sum.update(chunk);
    },
    verify: (input) =>
      check("elevenlabs-v0", () => {
        const { timestamp: said, signatures } = signatureOf(request);
        checkTime(said, input);
        digests ??= new Map([...sums].map(([value, sum]) => [value, sum.digest("hex")]));
        let found = false;
        for (const { value } of usable(input.secrets, "secret")) {
          const expected = digests.get(value) ?? "";
          for (const given of signatures) found = isSame(given.toLowerCase(), expected) || found;
        }
        if (!found) throw new Refused("bad_signature");
      }),
  };
}

function signatureOf(request: ProviderRequest): { timestamp: string; signatures: readonly string[] } {
  const fields = fieldsOf(oneHeader(request, "elevenlabs-signature"));
  const [timestamp, ...others] = fields.get("t") ?? [];
  const signatures = fields.get("v0");
  if (timestamp === undefined || others.length > 0 || !signatures) throw new Refused("malformed_header");
  return { timestamp, signatures };
}

function checkTime(timestamp: string, { setup, nowMs }: VerifyInput<ElevenLabsSetup>): void {
  checkWindow(headerTime(timestamp), nowMs, { pastMs: setup.past_minutes * 60_000, aheadMs: 300_000 });
}
