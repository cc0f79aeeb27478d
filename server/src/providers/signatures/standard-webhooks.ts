import type { ProviderRequest, Secret } from "../provider.ts";
import { Refused } from "./check.ts";
import { oneHeader } from "./header.ts";
import { checkHmac } from "./hmac.ts";
import { checkWindow, headerTime } from "./time.ts";

/**
 * Standard Webhooks (https://www.standardwebhooks.com), with its `webhook-*` headers or the `svix-*` ones. Several
 * signatures may come, separated by blanks; unknown versions are skipped. Gives the message id, which is the event's.
 * @throws Refused `missing_header`, `malformed_header`, `timestamp_stale`, `timestamp_future`, `bad_signature`.
 */
export function checkStandardWebhook(
  request: ProviderRequest,
  secrets: readonly Secret[],
  nowMs: number | null,
): { readonly messageId: string } {
  const prefix =
    request.headers.has("webhook-signature") || !request.headers.has("svix-signature") ? "webhook" : "svix";
  const messageId = oneHeader(request, `${prefix}-id`);
  const timestamp = oneHeader(request, `${prefix}-timestamp`);
  const header = oneHeader(request, `${prefix}-signature`);
  const sentMs = headerTime(timestamp);
  const given = header.split(" ").flatMap((item) => (item.startsWith("v1,") ? [item.slice(3)] : []));
  if (!header.includes(",")) throw new Refused("malformed_header");
  // The window counts whole seconds, as the reference implementation does.
  checkWindow(sentMs, nowMs === null ? null : Math.floor(nowMs / 1000) * 1000);
  checkHmac(given, secrets, {
    encoding: "base64",
    signed: [messageId, ".", timestamp, ".", request.body],
    keyOf: standardKey,
  });
  return { messageId };
}

/** `whsec_` is followed by the key in base64; any other secret is the key itself. */
export function standardKey(secret: Secret): string | Buffer {
  return secret.value.startsWith("whsec_") ? Buffer.from(secret.value.slice(6), "base64") : secret.value;
}
