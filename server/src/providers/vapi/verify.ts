import type { ProviderRequest, Secret, Verification, VerifyInput } from "../provider.ts";
import { check, Refused } from "../signatures/check.ts";
import { oneHeader } from "../signatures/header.ts";
import { checkHmac } from "../signatures/hmac.ts";
import { checkBearer, checkSharedSecret, usable } from "../signatures/secret.ts";
import { checkWindow, headerTime } from "../signatures/time.ts";
import type { HmacPlan, VapiSetup } from "./setup.ts";

/**
 * Vapi can prove itself in several ways (docs.vapi.ai/server-url/server-authentication). Every configured credential that
 * a request carries must be right: a good one does not make up for a wrong one.
 */
export function verify(input: VerifyInput<VapiSetup>): Verification {
  const carried = credentialsOf(input).filter(({ header }) => input.request.headers.has(header.toLowerCase()));
  let last: Verification = { ok: false, code: "missing_header" };
  for (const credential of carried) {
    last = check(credential.scheme, credential.checks);
    if (!last.ok) return last;
  }
  return last;
}

type Credential = { readonly header: string; readonly scheme: string; readonly checks: () => void };

function credentialsOf({ request, secrets: all, setup, nowMs }: VerifyInput<VapiSetup>): Credential[] {
  // The API key of a source opens doors; it proves nothing about who calls.
  const secrets = usable(all, "secret");
  return setup.credentials.flatMap((kind): Credential[] => {
    switch (kind) {
      case "secret":
        return ["x-webhook-secret", "x-vapi-secret"].map((header) => ({
          header,
          scheme: `vapi-${header}`,
          checks: () => checkSharedSecret(request, header, secrets),
        }));
      case "bearer": {
        const header = setup.bearer_header;
        const checks = () => checkBearer(request, secrets, { header, prefix: setup.bearer_prefix });
        return [{ header, scheme: "vapi-bearer", checks }];
      }
      case "hmac": {
        const checks = () => checkPlan(request, secrets, setup.hmac, nowMs);
        return [{ header: setup.hmac.signature_header, scheme: "vapi-hmac", checks }];
      }
    }
  });
}

/** @throws Refused */
function checkPlan(request: ProviderRequest, secrets: readonly Secret[], plan: HmacPlan, nowMs: number | null): void {
  const header = oneHeader(request, plan.signature_header);
  const timestamp = plan.include_timestamp ? oneHeader(request, plan.timestamp_header) : "";
  if (!header.startsWith(plan.signature_prefix)) throw new Refused("malformed_header");
  if (plan.include_timestamp) checkWindow(headerTime(timestamp, "auto"), nowMs);
  checkHmac([header.slice(plan.signature_prefix.length)], secrets, {
    algorithm: plan.algorithm,
    encoding: plan.signature_encoding,
    signed: signedBy(plan, request, timestamp),
    ...(plan.secret_is_base64 && { keyOf: (secret: Secret) => Buffer.from(secret.value, "base64") }),
  });
}

/** The payload format with its placeholders filled in, in pieces: what is filled in is never searched for placeholders. */
function signedBy(plan: HmacPlan, request: ProviderRequest, timestamp: string): (string | Buffer)[] {
  return plan.payload_format.split(/(\{[\w-]+\})/).map((piece) => {
    switch (piece) {
      case "{body}":
        return request.body;
      case "{timestamp}":
        return timestamp;
      case "{method}":
        return request.method;
      case "{url}":
        return request.url;
      case "{svix-id}":
        return oneHeader(request, plan.message_id_header);
      default:
        return piece;
    }
  });
}
