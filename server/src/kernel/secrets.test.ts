import { assert, property, string, uint8Array } from "fast-check";
import { expect, test } from "vitest";

import { createSecretBox, deriveKey, equalConstantTime, type Place } from "./secrets.ts";

const box = createSecretBox("root secret");
const place = { tenant: "t", table: "source_secrets", row: "r", column: "sealed" };

test("what was sealed opens at its place, whatever it is", () => {
  assert(
    property(uint8Array({ maxLength: 300 }), string(), (bytes, row) => {
      const at = { ...place, row };
      expect(box.open(box.seal(Buffer.from(bytes), at), at)).toEqual(Buffer.from(bytes));
    }),
  );
});

test.each(["tenant", "table", "row", "column"] as const)("a value sealed for another %s does not open", (part) => {
  const sealed = box.seal(Buffer.from("secret"), place);
  expect(() => box.open(sealed, { ...place, [part]: "other" })).toThrow("belongs to another row");
});

test("neighbouring parts of a place cannot be shifted into each other", () => {
  const sealed = box.seal(Buffer.from("secret"), { ...place, tenant: "ab", table: "c" });
  expect(() => box.open(sealed, { ...place, tenant: "a", table: "bc" })).toThrow("belongs to another row");
});

test("a changed bit anywhere is noticed", () => {
  const sealed = box.seal(Buffer.from("secret"), place);
  for (let i = 0; i < sealed.length; i++) {
    const changed = Buffer.from(sealed);
    changed[i] = (changed[i] ?? 0) ^ 1;
    expect(() => box.open(changed, place)).toThrow(expect.objectContaining({ name: "SealedElsewhere" }));
  }
});

test("another root secret says so instead of failing in the dark", () => {
  const sealed = box.seal(Buffer.from("secret"), place);
  expect(() => createSecretBox("another").open(sealed, place)).toThrow("start with the AFTERCALL_SECRET");
});

test("the same value sealed twice looks different, and shows nothing of itself", () => {
  const value = Buffer.from("a secret that is long enough");
  const [one, two] = [box.seal(value, place), box.seal(value, place)];
  expect(one.subarray(9)).not.toEqual(two.subarray(9));
  expect(one.includes(value)).toBe(false);
});

test("rubbish is refused", () => {
  const rubbish: readonly (readonly [Buffer, Place])[] = [
    [Buffer.alloc(0), place],
    [Buffer.alloc(200), place],
    [Buffer.alloc(60, 1), place],
  ];
  for (const [bytes, at] of rubbish) expect(() => box.open(bytes, at)).toThrow("This is not a sealed value");
});

test("keys of two purposes differ", () => {
  expect(deriveKey("root", "a")).not.toEqual(deriveKey("root", "b"));
  expect(deriveKey("root", "a")).toEqual(deriveKey("root", "a"));
});

test("comparing takes texts of any length", () => {
  expect(equalConstantTime("abc", "abc")).toBe(true);
  expect(equalConstantTime("abc", "abcd")).toBe(false);
  expect(equalConstantTime("", "x")).toBe(false);
});
