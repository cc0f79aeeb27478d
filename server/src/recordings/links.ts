import { createHmac, timingSafeEqual } from "node:crypto";

import type { Clock } from "#/kernel/clock.ts";
import { deriveKey } from "#/kernel/secrets.ts";

/** Links that play a recording without a credential, for a while: whoever has one may hear it until then. */
export type Links = {
  /** The token in the path of a link. */
  sign(of: Linked, expiresAtMs: number): string;
  /** Null for a token that was not made here, was changed, or has expired. */
  read(token: string): Linked | null;
};

export type Linked = { readonly tenantId: string; readonly recordingId: string };

/** Layout: tenant (16), recording (16), expiry in seconds (6), HMAC-SHA256 over these (32); base64url. */
export function createLinks({ secret, clock }: { secret: string; clock: Clock }): Links {
  const key = deriveKey(secret, "recording links");
  const macOf = (said: Buffer) => createHmac("sha256", key).update(said).digest();
  return {
    sign({ tenantId, recordingId }, expiresAtMs) {
      const said = Buffer.alloc(saidBytes);
      said.write(tenantId.replaceAll("-", ""), 0, "hex");
      said.write(recordingId.replaceAll("-", ""), 16, "hex");
      said.writeUIntBE(Math.floor(expiresAtMs / 1000), 32, 6);
      return Buffer.concat([said, macOf(said)]).toString("base64url");
    },
    read(token) {
      const bytes = Buffer.from(token, "base64url");
      if (bytes.length !== saidBytes + 32 || bytes.toString("base64url") !== token) return null;
      const said = bytes.subarray(0, saidBytes);
      if (!timingSafeEqual(macOf(said), bytes.subarray(saidBytes))) return null;
      if (said.readUIntBE(32, 6) * 1000 <= clock.now()) return null;
      return { tenantId: uuidIn(said, 0), recordingId: uuidIn(said, 16) };
    },
  };
}

const saidBytes = 38;

function uuidIn(bytes: Buffer, at: number): string {
  return bytes.toString("hex", at, at + 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
