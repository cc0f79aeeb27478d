import type { AttemptClass } from "@aftercall/contract/delivery.ts";

import type { HttpFailureClass } from "#/kernel/net/failure.ts";

/** As kept: what the operator sees. The API shows a blocked target as a failed connection. */
export type StoredClass = AttemptClass | "blocked_target";

/** What an answer means. Only 2xx is success; a redirect is a failure, since it is never followed. */
export function classOfStatus(status: number): StoredClass {
  if (status >= 200 && status < 300) return "ok";
  if (status === 410) return "gone";
  if (status === 429 || status === 502 || status === 503 || status === 504) return "throttled";
  if (status < 400) return "redirect";
  return status < 500 ? "http_4xx" : "http_5xx";
}

/**
 * The same where there is another URL to go to: one that wants a pause does not make the other wait, and that the fallback is
 * gone says nothing about the endpoint.
 */
export function classOfTwo(status: number, isFallback: boolean): StoredClass {
  const usual = classOfStatus(status);
  if (usual !== "throttled" && !(usual === "gone" && isFallback)) return usual;
  return status < 500 ? "http_4xx" : "http_5xx";
}

/** What a missing answer means; null when we ended the request ourselves, which is no attempt. */
export function classOfFailure(failure: HttpFailureClass): StoredClass | null {
  return failure === "aborted" ? null : failure;
}

/** What the API shows: nothing that would tell a tenant a blocked address from a closed port. */
export function shownClass(stored: StoredClass): AttemptClass {
  return stored === "blocked_target" ? "connect" : stored;
}

/** The sentence of an attempt that got no answer, the same for everything a tenant must not tell apart. */
export function shownError(stored: StoredClass): string | null {
  return shownErrors[shownClass(stored)] ?? null;
}

const shownErrors: { readonly [Class in AttemptClass]?: string } = {
  timeout: "No complete answer within the time limit.",
  connect: "No connection: nobody listens there, or the address is not one we may connect to.",
  reset: "The connection broke before an answer came.",
  dns: "The name has no address.",
  tls: "The TLS handshake failed: check the certificate and its names.",
  auth: "No access token: the token URL did not answer with one. Check the URL, the client id and its secret.",
  render:
    "The body could not be made with the mapping of the endpoint, so nothing was sent. Try the mapping on the message.",
  invalid_response: "The answer is not HTTP, or its headers are larger than 16 kB.",
};
