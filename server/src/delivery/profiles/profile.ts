import { createHmac, type KeyObject } from "node:crypto";

/** A request as the receiver's system would have it signed. */
export type Signing = {
  /** Public id of the message: the same in every attempt. */
  readonly id: string;
  /** Unix seconds of this attempt. */
  readonly timestamp: number;
  readonly type: string;
  readonly body: Buffer;
  /** Newest first; never empty. The key of these systems is the secret as text. */
  readonly keys: readonly [KeyObject, ...KeyObject[]];
};

/** Name and value, the name written as the other system writes it. */
export type Header = readonly [string, string];

export type Mac = { readonly hash: "sha256" | "sha512"; readonly encoding: "hex" | "base64" };

/** The HMAC of some parts, as text. */
export function mac({ hash, encoding }: Mac, key: KeyObject, ...parts: readonly (string | Buffer)[]): string {
  const hmac = createHmac(hash, key);
  for (const part of parts) hmac.update(part);
  return hmac.digest(encoding);
}

export const hexSha256: Mac = { hash: "sha256", encoding: "hex" };
