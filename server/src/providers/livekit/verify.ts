import type { ProviderRequest, Verification, VerifyInput } from "../provider.ts";
import { check } from "../signatures/check.ts";
import { oneHeader, optionalHeader } from "../signatures/header.ts";
import { checkHmac } from "../signatures/hmac.ts";
import { checkBodyHash, checkJwt } from "../signatures/jwt.ts";
import { usable, withoutPrefix } from "../signatures/secret.ts";
import type { LivekitSetup } from "./setup.ts";

/**
 * Two ways to sign, told apart by the header that is there: LiveKit's own token with the hash of the body
 * (livekit/protocol `webhook/verifier.go`), and the plain HMAC of the Call Outcomes API. A request that carries both must
 * pass both: a valid signature never excuses a wrong one.
 */
export function verify(input: VerifyInput<LivekitSetup>): Verification {
  const hasToken = ["authorization", "authorize"].some((name) => input.request.headers.has(name));
  const hasHmac = input.request.headers.has("x-livekit-signature");
  if (!hasHmac) return verifyToken(input);
  const byHmac = verifyHmac(input);
  if (!hasToken || !byHmac.ok) return byHmac;
  const byToken = verifyToken(input);
  return byToken.ok ? { ok: true, scheme: `${byToken.scheme}+${byHmac.scheme}` } : byToken;
}

/** `X-LiveKit-Signature`: hex HMAC-SHA256 of the raw body. */
function verifyHmac({ request, secrets }: VerifyInput<LivekitSetup>): Verification {
  return check("livekit-hmac", () => {
    const given = oneHeader(request, "x-livekit-signature");
    checkHmac([given], usable(secrets, "secret"), { signed: [request.body] });
  });
}

/**
 * `Authorization`: a bare JWT, HS256, by the secret of the API key that it names. A join token for a room is signed with
 * the same key, so the `sha256` claim is what makes it a webhook.
 */
function verifyToken({ request, secrets, nowMs }: VerifyInput<LivekitSetup>): Verification {
  return check("livekit-jwt-sha256", () => {
    const claims = checkJwt(tokenOf(request), {
      nowMs,
      secretsFor: ({ iss }) =>
        usable(secrets, "api_secret").filter(({ keyId }) => keyId === null || keyId === "" || keyId === iss),
    });
    checkBodyHash(claims["sha256"], request.body, "base64");
  });
}

/** LiveKit sends the bare token, under an older name from older servers; proxies and test tools put `Bearer` before it. */
function tokenOf(request: ProviderRequest): string {
  const header = optionalHeader(request, "authorization") ?? oneHeader(request, "authorize");
  return withoutPrefix(header, "Bearer ");
}
