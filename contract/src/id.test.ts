import fc from "fast-check";
import { expect, test } from "vitest";

import { fromPublicId, toPublicId } from "./id.ts";

const letters = "0123456789abcdefghjkmnpqrstvwxyz";

test("a public id is its UUID in Crockford base32, and gives it back", () => {
  expect(toPublicId("call", "00000000-0000-0000-0000-000000000000")).toBe(`call_${"0".repeat(26)}`);
  expect(toPublicId("call", "ffffffff-ffff-ffff-ffff-ffffffffffff")).toBe(`call_7${"z".repeat(25)}`);
  fc.assert(
    fc.property(fc.uuid(), (uuid) => {
      const id = toPublicId("event", uuid);
      const number = id
        .slice(4)
        .split("")
        .reduce((sum, letter) => sum * 32n + BigInt(letters.indexOf(letter)), 0n);
      expect(number).toBe(BigInt(`0x${uuid.replaceAll("-", "")}`));
      expect(fromPublicId("event", id)).toBe(uuid);
      expect(fromPublicId("event", id.toUpperCase().replace("EVT", "evt"))).toBe(uuid);
      expect(fromPublicId("event", uuid)).toBe(uuid);
    }),
  );
});

test.each([
  ["another kind of thing", `evt_${"0".repeat(26)}`],
  ["one letter too few", `call_${"0".repeat(25)}`],
  ["one letter too many", `call_${"0".repeat(27)}`],
  ["more than 128 bits", `call_8${"0".repeat(25)}`],
  ["a letter that the alphabet leaves out", `call_${"0".repeat(25)}l`],
  ["neither", "call"],
])("null for %s", (_name, id) => {
  expect(fromPublicId("call", id)).toBeNull();
});
