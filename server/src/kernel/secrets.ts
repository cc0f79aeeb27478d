import { createCipheriv, createDecipheriv, createHash, hkdfSync, timingSafeEqual } from "node:crypto";

import { type Random, systemRandom } from "./random.ts";

/** The one place where a sealed value may stand. Moved to another row, column or tenant it does not open. */
export type Place = { readonly tenant: string; readonly table: string; readonly row: string; readonly column: string };

/** Keeps secrets at rest: sealed with AES-256-GCM under a key of their own, which the root key wraps. */
export type SecretBox = {
  seal(value: Buffer, place: Place): Buffer;
  /** @throws SealedElsewhere when it was sealed with another root key or for another place, or was changed. */
  open(sealed: Buffer, place: Place): Buffer;
};

export class SealedElsewhere extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SealedElsewhere";
  }
}

/**
 * Layout of a sealed value: version (1 byte), id of the root key (8), wrapped data key (12 + 32 + 16), value (12 + n + 16).
 * A data key for every value means that the root key encrypts nothing but random keys.
 */
export function createSecretBox(rootSecret: string, random: Random = systemRandom): SecretBox {
  const rootKey = deriveKey(rootSecret, "secrets at rest");
  const rootKeyId = createHash("sha256").update(rootKey).digest().subarray(0, 8);
  return {
    seal(value, place) {
      const bound = placeBytes(place);
      const dataKey = random(32);
      const head = Buffer.concat([Buffer.of(version), rootKeyId]);
      return Buffer.concat([
        head,
        encrypt(rootKey, dataKey, bound, random(12)),
        encrypt(dataKey, value, bound, random(12)),
      ]);
    },
    open(sealed, place) {
      if (sealed[0] !== version || sealed.length < valueStart + 28)
        throw new SealedElsewhere("This is not a sealed value");
      const keyId = sealed.subarray(1, keyStart);
      if (!keyId.equals(rootKeyId)) {
        throw new SealedElsewhere(
          `Sealed with root key ${keyId.toString("hex")}, and AFTERCALL_SECRET makes ${rootKeyId.toString("hex")}: ` +
            `start with the AFTERCALL_SECRET that it was sealed with`,
        );
      }
      const bound = placeBytes(place);
      const dataKey = decrypt(rootKey, sealed.subarray(keyStart, valueStart), bound);
      return decrypt(dataKey, sealed.subarray(valueStart), bound);
    },
  };
}

const version = 1;
const keyStart = 9;
const valueStart = keyStart + 60;

/** A 32-byte key for one purpose. Keys of different purposes tell nothing about each other (HKDF, RFC 5869). */
export function deriveKey(rootSecret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync("sha256", rootSecret, "aftercall", purpose, 32));
}

/** SHA-256: finds or compares a secret without keeping it. Enough for random secrets, not for chosen passwords. */
export function digest(value: string | Uint8Array): Buffer {
  return createHash("sha256").update(value).digest();
}

/** Compares in a time that tells nothing about the content, nor about the length. */
export function equalConstantTime(a: string | Uint8Array, b: string | Uint8Array): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function encrypt(key: Buffer, value: Buffer, bound: Buffer, iv: Buffer): Buffer {
  const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(bound);
  return Buffer.concat([iv, cipher.update(value), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: Buffer, box: Buffer, bound: Buffer): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", key, box.subarray(0, 12), { authTagLength: 16 }).setAAD(bound);
  decipher.setAuthTag(box.subarray(-16));
  try {
    return Buffer.concat([decipher.update(box.subarray(12, -16)), decipher.final()]);
  } catch {
    throw new SealedElsewhere("The sealed value was changed, or belongs to another row");
  }
}

/** Each part with its length before it, so that no two places give the same bytes. */
function placeBytes({ tenant, table, row, column }: Place): Buffer {
  return Buffer.concat(
    [tenant, table, row, column].flatMap((part) => {
      const bytes = Buffer.from(part);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}
