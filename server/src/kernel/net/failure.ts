/** Why a request got no complete answer. `aborted`: by us, not by the other side. */
export type HttpFailureClass =
  | "blocked_target"
  | "dns"
  | "connect"
  | "tls"
  | "timeout"
  | "reset"
  | "invalid_response"
  | "aborted";

/** What {@link GuardedHttp.request} throws. The message is for the operator; it may name an address. */
export class HttpFailure extends Error {
  readonly failure: HttpFailureClass;
  constructor(failure: HttpFailureClass, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "HttpFailure";
    this.failure = failure;
  }
}

/** Sorts what undici, the TLS layer and the system throw. */
export function failureOf(error: unknown): HttpFailure {
  if (error instanceof HttpFailure) return error;
  const { code, message } = codeOf(error);
  return new HttpFailure(classOf(code), code === "" ? message : `${code}: ${message}`, error);
}

function classOf(code: string): HttpFailureClass {
  if (code === "UND_ERR_HEADERS_OVERFLOW" || code.startsWith("HPE_")) return "invalid_response";
  if (code === "UND_ERR_RES_CONTENT_LENGTH_MISMATCH") return "reset";
  if (code.endsWith("_TIMEOUT") || code === "ETIMEDOUT") return "timeout";
  if (code === "ENOTFOUND" || code.startsWith("EAI_")) return "dns";
  if (isTlsCode(code)) return "tls";
  if (code === "ECONNREFUSED" || code === "EHOSTUNREACH" || code === "ENETUNREACH" || code === "EADDRNOTAVAIL") {
    return "connect";
  }
  return "reset";
}

/** Certificate verdicts of OpenSSL have no common prefix. */
function isTlsCode(code: string): boolean {
  return (
    code.startsWith("ERR_TLS") ||
    code.startsWith("ERR_SSL") ||
    code.startsWith("ERR_OSSL") ||
    code.startsWith("CERT_") ||
    code.startsWith("UNABLE_TO_") ||
    code === "DEPTH_ZERO_SELF_SIGNED_CERT" ||
    code === "SELF_SIGNED_CERT_IN_CHAIN" ||
    code === "INVALID_CA" ||
    code === "INVALID_PURPOSE" ||
    code === "HOSTNAME_MISMATCH" ||
    code === "EPROTO"
  );
}

function codeOf(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: "", message: String(error) };
  const named = "code" in error && typeof error.code === "string" ? error.code : "";
  // undici's parser errors often come without a code.
  const code = named === "" && error.name === "HTTPParserError" ? "HPE_INVALID" : named;
  return { code, message: error.message };
}
