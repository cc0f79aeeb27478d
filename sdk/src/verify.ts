import type { EventData } from "./contract.ts";

/** A message as aftercall sends it in the standard format; `type` says what `data` is. */
export type WebhookEvent = {
  [Type in keyof EventData]: { readonly type: Type; readonly timestamp: string; readonly data: EventData[Type] };
}[keyof EventData];

export type Verified<Body> = {
  /** The `webhook-id`: the same in every attempt and replay. Remember it, and do nothing the second time. */
  readonly id: string;
  /** When this attempt was signed. */
  readonly sentAt: Date;
  readonly event: Body;
};

export type VerifyOptions = {
  /** How far the clocks may be apart, default 300 s. */
  readonly toleranceSeconds?: number;
  /** Epoch milliseconds; default the clock of this machine. */
  readonly now?: () => number;
};

export type WebhookErrorCode =
  /** A header is missing. */
  | "headers"
  /** `webhook-timestamp` is no time, or too far from now: a request sent again by somebody, or a clock that is wrong. */
  | "timestamp"
  /** No signature is of one of the secrets. */
  | "signature"
  /** The signature is right and the body is not JSON. */
  | "body";

/** A request that did not come from aftercall as it is: answer 400 and do nothing. */
export class WebhookError extends Error {
  override readonly name = "WebhookError";
  readonly code: WebhookErrorCode;
  constructor(code: WebhookErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Verifies a webhook of aftercall (Standard Webhooks: `v1` HMAC-SHA256, `v1a` Ed25519) and reads it. Needs nothing but
 * WebCrypto, so it runs in Node, at the edge and in browsers.
 * @param body the bytes as they came, or their text: before any JSON parser
 * @param secrets `whsec_…`, or the public key `whpk_…`; several while one is being rotated
 * @throws WebhookError when it is not ours, too old, or not JSON
 * @throws TypeError when a secret cannot be read, which no request can cause
 */
export async function verify<Body = WebhookEvent>(
  body: string | ArrayBuffer | Uint8Array,
  headers: WebhookHeaders,
  secrets: string | readonly string[],
  { toleranceSeconds = 300, now = Date.now }: VerifyOptions = {},
): Promise<Verified<Body>> {
  const id = headerOf(headers, "webhook-id");
  const timestamp = headerOf(headers, "webhook-timestamp");
  const signatures = headerOf(headers, "webhook-signature").split(" ").slice(0, signaturesMax);
  const sentAt = /^\d{1,12}$/.test(timestamp) ? Number(timestamp) * 1000 : Number.NaN;
  if (!(Math.abs(now() - sentAt) <= toleranceSeconds * 1000)) {
    throw new WebhookError("timestamp", `webhook-timestamp is not within ${toleranceSeconds} s of now`);
  }
  const bytes = typeof body === "string" ? encoder.encode(body) : new Uint8Array(body);
  const signed = joined(encoder.encode(`${id}.${timestamp}.`), bytes);
  const keys = await Promise.all([secrets].flat().map(keyOf));
  for (const key of keys) {
    for (const signature of signatures) {
      if (await isOf(key, signature, signed)) return { id, sentAt: new Date(sentAt), event: read(bytes) as Body };
    }
  }
  throw new WebhookError("signature", "No signature is of one of the secrets");
}

/** `Headers`, or the object that Node's `http` has. */
export type WebhookHeaders =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

/** Twenty keys sign at most, and a signature is work. */
const signaturesMax = 20;
const encoder = new TextEncoder();

type Key = { readonly version: "v1" | "v1a"; readonly algorithm: "HMAC" | "Ed25519"; readonly key: CryptoKey };

function headerOf(headers: WebhookHeaders, name: string): string {
  // `get` of a plain object could only be a header of that name, which is a text.
  const value = typeof headers.get === "function" ? headers.get(name) : plainHeader(headers, name);
  if (value === null || value === undefined || value === "") throw new WebhookError("headers", `${name} is missing`);
  return value;
}

function plainHeader(headers: object, name: string): string | undefined {
  const found = Object.entries(headers).find(([given]) => given.toLowerCase() === name)?.[1] as unknown;
  return Array.isArray(found) ? found.join(" ") : (found as string | undefined);
}

async function keyOf(secret: string): Promise<Key> {
  const isPublic = secret.startsWith("whpk_");
  const bytes = bytesOf(secret.replace(/^wh(?:sec|pk)_/, ""));
  if (bytes === null || bytes.length === 0 || secret.startsWith("whsk_")) {
    throw new TypeError("A secret is whsec_ or whpk_ and base64");
  }
  if (isPublic) {
    const key = await crypto.subtle.importKey("raw", bytes, "Ed25519", false, ["verify"]);
    return { version: "v1a", algorithm: "Ed25519", key };
  }
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  return { version: "v1", algorithm: "HMAC", key };
}

/** WebCrypto compares in constant time. */
async function isOf({ version, algorithm, key }: Key, signature: string, signed: Bytes): Promise<boolean> {
  const [given, text = ""] = signature.split(",");
  const bytes = given === version ? bytesOf(text) : null;
  return bytes !== null && crypto.subtle.verify(algorithm, key, bytes, signed);
}

/** Bytes of their own, as WebCrypto wants them. */
type Bytes = Uint8Array<ArrayBuffer>;

function bytesOf(base64: string): Bytes | null {
  try {
    return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  } catch {
    return null;
  }
}

function joined(first: Uint8Array, second: Uint8Array): Bytes {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

/** What is signed is what aftercall wrote, so its form is the one of the contract. */
function read(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new WebhookError("body", "The body is not JSON");
  }
}
