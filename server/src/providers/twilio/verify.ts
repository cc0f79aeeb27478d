import { formOf, isForm } from "../form.ts";
import type { ProviderRequest, Secret, Verification, VerifyInput } from "../provider.ts";
import { Refused, check } from "../signatures/check.ts";
import { oneHeader } from "../signatures/header.ts";
import { hmac } from "../signatures/hmac.ts";
import { checkBodyHash } from "../signatures/jwt.ts";
import { isSame, usable } from "../signatures/secret.ts";
import { urlAndForm } from "../signatures/url-form.ts";
import type { TwilioSetup } from "./setup.ts";
import { queryOf, signedUrls } from "./url.ts";

/**
 * `X-Twilio-Signature`: base64 HMAC-SHA1 by the account's auth token over the URL and the decoded form fields. There is
 * no time in it, so a repeat is recognised by what it says. Of a JSON body only the hash in the URL is signed
 * (`bodySHA256`): without comparing that, any body would pass. (https://www.twilio.com/docs/usage/security)
 */
export function verify({ request, secrets }: VerifyInput<TwilioSetup>): Verification {
  return isForm(request) ? verifyForm(request, secrets) : verifyJson(request, secrets);
}

/**
 * The request that opens a media stream: the URL is signed as TwiML named it, with `wss`. Twilio's servers have added a slash to it,
 * and signed it as `https`; neither makes it another URL of ours. (https://www.twilio.com/docs/usage/security)
 */
export function verifyStream(request: ProviderRequest, secrets: readonly Secret[]): Verification {
  return check("twilio-hmac-sha1", () => {
    const given = oneHeader(request, "x-twilio-signature");
    const https = request.url.replace(/^ws/i, "http");
    const urls = [https.replace(/^http/i, "ws"), https].flatMap((url) => [url, `${url}/`]);
    checkUrls(urls, given, usable(secrets, "auth_token"), []);
  });
}

function verifyForm(request: ProviderRequest, secrets: readonly Secret[]): Verification {
  return check("twilio-hmac-sha1", () => {
    const given = oneHeader(request, "x-twilio-signature");
    const fields = request.method === "GET" ? new URLSearchParams() : formOf(request.body);
    checkUrls([request.url], given, tokensOf(secrets, fields.get("AccountSid")), fields);
  });
}

function verifyJson(request: ProviderRequest, secrets: readonly Secret[]): Verification {
  return check("twilio-hmac-sha1-bodysha256", () => {
    const given = oneHeader(request, "x-twilio-signature");
    checkUrls([request.url], given, usable(secrets, "auth_token"), []);
    checkBodyHash(queryOf(request.url)?.get("bodySHA256"), request.body, "hex");
  });
}

function checkUrls(
  urls: readonly string[],
  given: string,
  tokens: readonly Secret[],
  fields: Iterable<readonly [string, string]>,
): void {
  const form = urlAndForm("", fields);
  let isSigned = false;
  for (const candidate of urls.flatMap(signedUrls)) {
    for (const token of tokens) {
      const expected = hmac(token.value, [candidate, form], "sha1").toString("base64");
      isSigned = isSame(given, expected) || isSigned;
    }
  }
  if (!isSigned) throw new Refused("bad_signature");
}

/** Subaccounts sign with tokens of their own: a token kept under an AccountSid counts for that account only. */
function tokensOf(secrets: readonly Secret[], accountSid: string | null): readonly Secret[] {
  const tokens = usable(secrets, "auth_token");
  const narrowed = tokens.filter(({ keyId }) => !keyId || accountSid === null || keyId === accountSid);
  if (tokens.length > 0 && narrowed.length === 0) throw new Refused("unknown_api_key");
  return narrowed;
}
