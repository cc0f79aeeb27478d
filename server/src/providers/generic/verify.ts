import type { ProviderRequest, Verification, VerifyInput } from "../provider.ts";
import { check, Refused } from "../signatures/check.ts";
import { fieldsOf, oneHeader } from "../signatures/header.ts";
import { checkHmac } from "../signatures/hmac.ts";
import { checkBearer, checkSharedSecret, usable, withoutPrefix } from "../signatures/secret.ts";
import { checkStandardWebhook } from "../signatures/standard-webhooks.ts";
import { checkWindow, headerTime } from "../signatures/time.ts";
import type { GenericSetup } from "./setup.ts";

type Plan = GenericSetup["verification"];

/** Verifies in the way the source's settings say; a way that is not set is never tried. */
export function verify({ request, secrets, setup, nowMs }: VerifyInput<GenericSetup>): Verification {
  const plan = setup.verification;
  const held = usable(secrets, "secret");
  switch (plan.kind) {
    case "shared_secret":
      return check("generic-secret", () => checkSharedSecret(request, plan.header || "x-webhook-secret", held));
    case "bearer":
      return check("generic-bearer", () => checkBearer(request, held, { header: plan.header || "authorization" }));
    case "standard_webhooks":
      return check("standardwebhooks-v1", () => checkStandardWebhook(request, held, nowMs));
    case "hmac":
      return check(`generic-hmac-${plan.algorithm}`, () => {
        const { signatures, timestamp } = claimed(request, plan);
        if (timestamp !== null) {
          const windowMs = plan.tolerance_seconds * 1000;
          checkWindow(headerTime(timestamp, plan.timestamp_unit), nowMs, { pastMs: windowMs, aheadMs: windowMs });
        }
        checkHmac(signatures, held, {
          algorithm: plan.algorithm,
          encoding: plan.encoding,
          signed: signedPieces(plan.signed, request, timestamp ?? ""),
          ...(plan.secret_is_base64 && { keyOf: ({ value }) => Buffer.from(value, "base64") }),
        });
      });
  }
}

/** The signatures and the time that the request claims, from one list header or from headers of their own. */
function claimed(request: ProviderRequest, plan: Plan): { signatures: readonly string[]; timestamp: string | null } {
  const header = oneHeader(request, plan.header || "x-signature");
  const list = fieldsOf(header);
  const given = plan.signature_field === "" ? [header] : (list.get(plan.signature_field) ?? []);
  if (given.length === 0) throw new Refused("malformed_header");
  const timestamp = timestampIn(request, plan, list);
  if (timestamp === null && plan.signed.includes("{timestamp}")) throw new Refused("malformed_header");
  return { signatures: given.map((one) => withoutPrefix(one, plan.prefix)), timestamp };
}

function timestampIn(
  request: ProviderRequest,
  plan: Plan,
  list: ReadonlyMap<string, readonly string[]>,
): string | null {
  if (plan.timestamp_field !== "") {
    const [timestamp, ...others] = list.get(plan.timestamp_field) ?? [];
    if (timestamp === undefined || others.length > 0) throw new Refused("malformed_header");
    return timestamp;
  }
  return plan.timestamp_header === "" ? null : oneHeader(request, plan.timestamp_header);
}

/** `{timestamp}.{body}` as pieces, so that the body's bytes are signed as they came. */
function signedPieces(template: string, request: ProviderRequest, timestamp: string): (string | Buffer)[] {
  return template.split(/(\{(?:body|timestamp|method|url)\})/).map((piece) => {
    switch (piece) {
      case "{body}":
        return request.body;
      case "{timestamp}":
        return timestamp;
      case "{method}":
        return request.method;
      case "{url}":
        return request.url;
      default:
        return piece;
    }
  });
}
