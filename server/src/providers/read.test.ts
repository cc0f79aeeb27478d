import * as fc from "fast-check";
import { expect, test } from "vitest";

import { MalformedBody } from "./provider.ts";
import {
  aliasOf,
  durationOf,
  emailTimeOf,
  idOf,
  keyOf,
  moneyOf,
  numberOf,
  phoneOf,
  requiredId,
  textOf,
  timeOf,
  wordOf,
} from "./read.ts";

const at = Date.UTC(2026, 2, 2, 14, 23, 19);

test.each([
  ["seconds", 1772461399],
  ["seconds as text", "1772461399"],
  ["seconds with a fraction", 1772461399.0],
  ["milliseconds", 1772461399000],
  ["microseconds", 1772461399000000],
  ["microseconds as text", "1772461399000000"],
  ["nanoseconds", 1772461399000000000],
  ["nanoseconds as text", "1772461399000000000"],
  ["ISO 8601 in UTC", "2026-03-02T14:23:19Z"],
  ["ISO 8601 with an offset", "2026-03-02T16:23:19+02:00"],
  ["ISO 8601 with an offset without colon", "2026-03-02T16:23:19.000+0200"],
  ["ISO 8601 without a zone, which is UTC", "2026-03-02 14:23:19"],
])("a time in %s", (_, value) => {
  expect(timeOf(value)).toBe(at);
});

test("every nanosecond of a millisecond as text is that millisecond", () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 999_999n), (nanos) => {
      expect(timeOf(String(BigInt(at + 7) * 1_000_000n + nanos))).toBe(at + 7);
    }),
  );
});

test.each([
  null,
  undefined,
  "",
  "tomorrow",
  "infinity",
  "2026-13-01T00:00:00Z",
  "2100-01-01T00:00:00Z",
  "1969-12-31T23:59:59Z",
  -1,
  Number.NaN,
  "9".repeat(40),
  true,
  {},
  [],
])("no time: %j", (value) => {
  expect(timeOf(value)).toBeNull();
});

test("a time of an e-mail header", () => {
  expect(emailTimeOf("Mon, 02 Mar 2026 14:23:19 +0000")).toBe(at);
  expect(emailTimeOf("Mon, 02 Mar 2026 16:23:19 +0200")).toBe(at);
  expect(emailTimeOf("Mon, 99 Mar 2026 14:23:19 +0000")).toBeNull();
  expect(emailTimeOf("2026-03-02")).toBeNull();
});

test("any value gives a time in range or none", () => {
  fc.assert(
    fc.property(fc.oneof(fc.anything(), fc.date().map(String), fc.double().map(String)), (value) => {
      const time = timeOf(value);
      expect(time === null || (Number.isInteger(time) && time >= 0 && time < Date.UTC(2100, 0, 1))).toBe(true);
    }),
  );
});

test.each([
  ["E.164 as it is", "+972501234567", "+972501234567"],
  ["blanks, brackets and hyphens", "+1 (215) 555-0100", "+12155550100"],
  ["an international prefix", "00972501234567", "+972501234567"],
  ["digits without a plus", "972501234567", "+972501234567"],
  ["a SIP address", "sip:+972501234567@trunk.example.com;user=phone", "+972501234567"],
  ["a tel address", "tel:+972501234567", "+972501234567"],
  ["a number as a number", 972501234567, "+972501234567"],
  ["a national number, of no known country", "0501234567", null],
  ["an extension", "1001", null],
  ["a name", "client:alice", null],
  ["anonymous", "anonymous", null],
  ["too many digits", "+1234567890123456", null],
  ["nothing", null, null],
])("a phone number: %s", (_, value, expected) => {
  expect(phoneOf(value)).toBe(expected);
});

test.each([
  [0.0429, "0.0429"],
  ["0.10", "0.10"],
  [0, "0"],
  [1e-7, "0.0000001"],
  [12, "12"],
  [-0.5, "-0.5"],
])("money keeps its digits: %j", (value, amount) => {
  expect(moneyOf(value, "USD")).toEqual({ amount, currency: "USD" });
});

test("no money where there is no amount", () => {
  for (const value of [null, "", "free", Number.POSITIVE_INFINITY, 1e300, {}]) expect(moneyOf(value, "USD")).toBeNull();
});

test("money is decimal text, whatever the number", () => {
  fc.assert(
    fc.property(fc.double(), (value) => {
      expect(moneyOf(value, "USD")?.amount ?? "0").toMatch(/^-?\d+(\.\d+)?$/);
    }),
  );
});

test.each([
  ["26", "s", 26_000],
  [45.123, "s", 45_123],
  [0.3, "s", 300],
  [0.4417, "min", 26_502],
  ["40123000000", "ns", 40_123],
  [-1, "s", null],
  [1e300, "s", null],
  ["x", "ms", null],
] as const)("a length of %j %s", (value, unit, expected) => {
  expect(durationOf(value, unit)).toBe(expected);
});

test("an id is 1 to 255 printable bytes", () => {
  expect(idOf("conv_1", "id")).toBe("conv_1");
  expect(idOf("x".repeat(255), "id")).toHaveLength(255);
  expect(idOf(null, "id")).toBeNull();
  for (const value of [
    "",
    " ",
    "x".repeat(256),
    "א".repeat(128),
    "a\u0000b",
    "a\nb",
    "\u202Eabc",
    "\ud800",
    {},
    true,
  ]) {
    expect(() => idOf(value, "id")).toThrow(MalformedBody);
    expect(aliasOf("call_sid", value)).toEqual([]);
  }
  expect(() => requiredId(undefined, "id")).toThrow("Missing required field: id");
});

test("text, words and numbers are read tolerantly", () => {
  expect([textOf(" a "), textOf(12), textOf(" "), textOf(null), textOf({})]).toEqual([" a ", "12", null, null, null]);
  expect([wordOf(" IN_PROGRESS "), wordOf(""), wordOf(3)]).toEqual(["in_progress", null, null]);
  expect([numberOf("1.5"), numberOf(" 2 "), numberOf("0x10"), numberOf(""), numberOf("1e999")]).toEqual([
    1.5,
    2,
    null,
    null,
    null,
  ]);
});

test("keys of different parts differ, and can be stored", () => {
  const part = fc.oneof(
    fc.string({ minLength: 1 }),
    fc.constantFrom(":", "%", "a:b", "%3a", "\u0000", "\ud800"),
    fc.constant(null),
  );
  fc.assert(
    fc.property(fc.array(part), fc.array(part), (a, b) => {
      fc.pre(a.length === b.length && [...a, ...b].every((text) => text === null || text.isWellFormed()));
      expect(keyOf(...a) === keyOf(...b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      expect(keyOf(...a)).not.toMatch(/\p{Cc}/u);
    }),
  );
  expect(keyOf("status-update", "7420f27a", null)).toBe("status-update:7420f27a:");
});
