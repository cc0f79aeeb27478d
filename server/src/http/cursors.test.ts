import * as fc from "fast-check";
import { expect, test } from "vitest";

import { Invalid } from "#/kernel/errors.ts";

import { createCursors } from "./cursors.ts";

const cursors = createCursors(Buffer.from("a key that only this test knows"));
const place = { tenant: "t1", path: "/v1/calls", query: { status: "ended", limit: "5" } };
const position = "call_06cs7z3w1e00bmre3vhm81ce5a";
const cursor = cursors.seal(position, place);

test("a cursor gives back its position, whatever the page size, and is the same each time", () => {
  expect(cursors.open(cursor, { ...place, query: { limit: "50", cursor, status: "ended" } })).toBe(position);
  expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
  expect(cursors.seal(position, place)).toBe(cursor);
});

test("nothing of a position can be read from its cursor, nor from two of them", () => {
  const positions = fc.string({ minLength: 4, unit: "binary" });
  fc.assert(
    fc.property(positions, positions, (one, other) => {
      expect(bytesOf(one).includes(Buffer.from(one))).toBe(false);
      // One key stream for both would give away in what they differ.
      if (one !== other)
        expect(mixed(bytesOf(one), bytesOf(other))).not.toEqual(mixed(Buffer.from(one), Buffer.from(other)));
    }),
  );
});

test("422: any change of any character is refused", () => {
  const letter = fc.constantFrom(...Array.from("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=."));
  fc.assert(
    fc.property(fc.nat(cursor.length), letter, fc.boolean(), (at, other, isInserted) => {
      const changed = cursor.slice(0, at) + other + cursor.slice(isInserted ? at : at + 1);
      fc.pre(changed !== cursor);
      expect(() => cursors.open(changed, place)).toThrow(Invalid);
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ["another tenant", { ...place, tenant: "t2" }],
  ["another list", { ...place, path: "/v1/events" }],
  ["another filter", { ...place, query: { status: "failed" } }],
  ["no filter", { ...place, query: {} }],
])("422: a cursor of %s is refused", (_name, other) => {
  expect(() => cursors.open(cursor, other)).toThrow(Invalid);
});

test("422: a cursor of another server is refused", () => {
  expect(() => createCursors(Buffer.from("another key")).open(cursor, place)).toThrow(Invalid);
});

test("422: an id, as cursors were before, and nothing at all", () => {
  for (const text of [position, "", "AAAA", "a".repeat(22)]) expect(() => cursors.open(text, place)).toThrow(Invalid);
});

/** What a cursor has in the place of its position. */
function bytesOf(of: string): Buffer {
  return Buffer.from(cursors.seal(of, place), "base64url").subarray(16);
}

function mixed(a: Buffer, b: Buffer): number[] {
  return Array.from({ length: Math.min(a.length, b.length) }, (_none, i) => (a[i] ?? 0) ^ (b[i] ?? 0));
}
