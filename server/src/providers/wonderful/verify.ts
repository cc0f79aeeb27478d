import type { Verification, VerifyInput } from "../provider.ts";
import { check } from "../signatures/check.ts";
import { oneHeader } from "../signatures/header.ts";
import { checkHmac } from "../signatures/hmac.ts";
import { checkSharedSecret, usable, withoutPrefix } from "../signatures/secret.ts";
import type { WonderfulSetup } from "./setup.ts";

/** Nothing is documented about how Wonderful authenticates its webhooks: the two usual ways, chosen by the source's settings. */
export function verify({ request, secrets, setup }: VerifyInput<WonderfulSetup>): Verification {
  const held = usable(secrets, "secret");
  if (setup.verification === "shared_secret") {
    return check("wonderful-secret", () => checkSharedSecret(request, setup.secret_header, held));
  }
  return check("wonderful-hmac", () => {
    const given = withoutPrefix(oneHeader(request, setup.signature_header), setup.signature_prefix);
    checkHmac([given], held, { signed: [request.body] });
  });
}
