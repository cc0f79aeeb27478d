import { expect, test } from "vitest";

import { createIds, uuidFrom } from "./ids.ts";

test("ids of one millisecond sort in the order they were made, also when there are more than it has room for", () => {
  const ids = createIds({ now: () => 1_790_000_000_000, monotonic: () => 0, sleep: async () => {} });
  const made = Array.from({ length: 10_000 }, () => ids.next());
  expect(made.toSorted()).toEqual(made);
  expect(new Set(made).size).toBe(made.length);
  expect(
    made.filter((id) => !/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)),
  ).toEqual([]);
});

test("a UUIDv7 says its time, its twelve bits and its tail, with the variant of RFC 9562", () => {
  expect(uuidFrom(0x0199f0c01234, 0xabc, "ffffffffffffffff")).toBe("0199f0c0-1234-7abc-bfff-ffffffffffff");
  expect(uuidFrom(0, 0, "0000000000000000")).toBe("00000000-0000-7000-8000-000000000000");
});
