import { createCipheriv, createHmac, timingSafeEqual } from "node:crypto";

import { Invalid } from "#/kernel/errors.ts";

/** What a cursor is good for: one list of one tenant, asked for with the same filters. */
export type CursorPlace = {
  readonly tenant: string;
  readonly path: string;
  readonly query: Readonly<Record<string, unknown>>;
};

/**
 * Makes positions in lists opaque, and takes back only what it made. So nobody can read what a list is ordered by, nobody can
 * ask for a position that was never given out, and no cursor of one list counts in another.
 */
export type Cursors = {
  seal(position: string, place: CursorPlace): string;
  /** @throws Invalid for a cursor that was altered, or is of another list, tenant or filter */
  open(cursor: string, place: CursorPlace): string;
};

/**
 * Encrypts under a synthetic IV, as AES-SIV does (RFC 5297): the tag of position and place, under a key of its own, is the IV
 * of AES-CTR. The same page has the same cursor each time, so its ETag stays, and no IV can be used twice for different ones.
 */
export function createCursors(key: Buffer): Cursors {
  const tagKey = keyFor("tag");
  const cipherKey = keyFor("cipher");
  return {
    seal(position, place) {
      const tag = tagOf(position, place);
      return Buffer.concat([tag, crypted(Buffer.from(position), tag)]).toString("base64url");
    },
    open(cursor, place) {
      const bytes = Buffer.from(cursor, "base64url");
      // Written again: several texts of base64 read as the same bytes.
      if (bytes.length <= tagBytes || bytes.toString("base64url") !== cursor) throw foreignCursor();
      const tag = bytes.subarray(0, tagBytes);
      const position = crypted(bytes.subarray(tagBytes), tag).toString();
      if (!timingSafeEqual(tag, tagOf(position, place))) throw foreignCursor();
      return position;
    },
  };

  function keyFor(purpose: string): Buffer {
    return createHmac("sha256", key).update(purpose).digest();
  }

  function tagOf(position: string, { tenant, path, query }: CursorPlace): Buffer {
    const filters = Object.entries(query)
      .filter(([name]) => !ofPage.has(name))
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
    const bound = JSON.stringify([tenant, path, filters, position]);
    return createHmac("sha256", tagKey).update(bound).digest().subarray(0, tagBytes);
  }

  /** Into cipher and out of it again: CTR is its own opposite. */
  function crypted(bytes: Buffer, tag: Buffer): Buffer {
    return createCipheriv("aes-256-ctr", cipherKey, tag).update(bytes);
  }
}

/** Also the length of an IV of AES-CTR. */
/** What may differ from page to page of one list. */
const ofPage: ReadonlySet<string> = new Set(["cursor", "limit", "include"]);

const tagBytes = 16;

function foreignCursor(): Invalid {
  return new Invalid("The cursor is not one of this list", [
    {
      pointer: "?cursor",
      detail: "Send next_cursor of an answer to this request, unchanged and with the same filters",
    },
  ]);
}
