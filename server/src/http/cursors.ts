import { createHmac, timingSafeEqual } from "node:crypto";

import { Invalid } from "#/kernel/errors.ts";

/** What a cursor is good for: one list of one tenant, asked for with the same filters. */
export type CursorPlace = {
  readonly tenant: string;
  readonly path: string;
  readonly query: Readonly<Record<string, unknown>>;
};

/**
 * Makes positions in lists opaque, and takes back only what it made: position and place under an HMAC. So nobody can ask for
 * a position that was never given out, and no cursor of one list counts in another.
 */
export type Cursors = {
  seal(position: string, place: CursorPlace): string;
  /** @throws Invalid for a cursor that was altered, or is of another list, tenant or filter */
  open(cursor: string, place: CursorPlace): string;
};

export function createCursors(key: Buffer): Cursors {
  return {
    seal: (position, place) => Buffer.concat([tagOf(position, place), Buffer.from(position)]).toString("base64url"),
    open(cursor, place) {
      const bytes = Buffer.from(cursor, "base64url");
      const position = bytes.subarray(tagBytes).toString();
      // Written again: several texts of base64 read as the same bytes.
      if (bytes.length <= tagBytes || bytes.toString("base64url") !== cursor) throw foreignCursor();
      if (!timingSafeEqual(bytes.subarray(0, tagBytes), tagOf(position, place))) throw foreignCursor();
      return position;
    },
  };

  function tagOf(position: string, { tenant, path, query }: CursorPlace): Buffer {
    const filters = Object.entries(query)
      .filter(([name]) => name !== "cursor" && name !== "limit")
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
    const bound = JSON.stringify([tenant, path, filters, position]);
    return createHmac("sha256", key).update(bound).digest().subarray(0, tagBytes);
  }
}

const tagBytes = 16;

function foreignCursor(): Invalid {
  return new Invalid("The cursor is not one of this list", [
    {
      pointer: "?cursor",
      detail: "Send next_cursor of an answer to this request, unchanged and with the same filters",
    },
  ]);
}
