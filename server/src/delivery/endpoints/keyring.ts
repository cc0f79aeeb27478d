import type { KeyObject } from "node:crypto";

import type { SecretBox } from "#/kernel/secrets.ts";

import type { SigningKey } from "../sign.ts";
import { openSecret, type SecretRow, textKeyOf } from "./secrets.ts";

/** Opened signing keys by the id of their row. */
export type Keyring = ReadonlyMap<string, OpenedKey>;

export type OpenedKey = {
  readonly sealed: Buffer;
  readonly key: SigningKey;
  /** The whole text of a `whsec_…` as a key, for profiles; null for other kinds. */
  readonly textKey: KeyObject | null;
};

/** These keys and no others; what the keyring before had open is not opened again: endpoints are read every few seconds. */
export function openKeyring(box: SecretBox, secrets: readonly SecretRow[], before: Keyring = new Map()): Keyring {
  return new Map(
    secrets.map((secret) => {
      const known = before.get(secret.id);
      return [secret.id, known?.sealed.equals(secret.sealed) ? known : open(box, secret)];
    }),
  );
}

function open(box: SecretBox, secret: SecretRow): OpenedKey {
  const { text, key } = openSecret(box, secret);
  return { sealed: secret.sealed, key, textKey: key.type === "secret" ? textKeyOf(text) : null };
}
