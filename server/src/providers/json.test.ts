import { isDeepStrictEqual } from "node:util";

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { readJson, readJsonObject } from "./json.ts";
import { MalformedBody } from "./provider.ts";

const read = (text: string) => readJson(Buffer.from(text));

test("any object or array that JSON.parse accepts is accepted and equal", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 8 }), fc.boolean(), (json, asArray) => {
      fc.pre(!json.includes("__proto__"));
      const text = asArray ? `[${json}]` : `{"value" : ${json}}`;
      expect(read(text)).toEqual(JSON.parse(text));
    }),
  );
});

test("arbitrary bytes are read or refused as malformed, never anything else", () => {
  const broken = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc
      .array(fc.constantFrom('"', "\\", "{", "}", "[", "]", ":", ",", "1", "a", "\\u00", " "))
      .map((parts) => Buffer.from(parts.join(""))),
  );
  fc.assert(
    fc.property(broken, (body) => {
      const theirs = outcomeOf(() => JSON.parse(body.toString()) as unknown);
      const ours = outcomeOf(() => readJson(body));
      expect(ours.error === null || ours.error instanceof MalformedBody).toBe(true);
      expect(ours.value === undefined || isDeepStrictEqual(ours.value, theirs.value)).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

test("one key repeated anywhere, escaped or not, is refused", () => {
  fc.assert(
    fc.property(fc.string(), fc.jsonValue(), fc.jsonValue(), (key, a, b) => {
      const escaped = `"${escapeOf(key)}"`;
      const text = `{"x":[{${JSON.stringify(key)}:${JSON.stringify(a)}, ${escaped}:${JSON.stringify(b)}}]}`;
      expect(() => read(text)).toThrow(MalformedBody);
    }),
  );
});

test.each([
  ["nothing", ""],
  ["a text", '"x"'],
  ["null", "null"],
  ["a byte order mark", "\u{FEFF}{}"],
  ["two values", "{}{}"],
  ["an unfinished text", '{"a":"'],
  ["__proto__", '{"a":{"__proto__":{"b":1}}}'],
  ["__proto__ with escapes", '{"\\u005f_proto__":1}'],
  ["the same key twice", '{"a":1,"b":{"a":1},"a":1}'],
])("refused: %s", (_, text) => {
  expect(() => read(text)).toThrow(MalformedBody);
});

test("nesting is accepted to 64 and refused beyond, however deep", () => {
  expect(read(nested(64))).toBeDefined();
  expect(() => read(nested(65))).toThrow("nested too deeply");
  expect(() => read("[".repeat(1_000_000))).toThrow("nested too deeply");
});

test("an object may have 5,000 keys and not more", () => {
  expect(read(wide(5_000))).toBeDefined();
  expect(() => read(wide(5_001))).toThrow("too many keys");
});

test("invalid UTF-8 is refused", () => {
  expect(() => readJson(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toThrow("UTF-8");
});

test("NUL and lone surrogates written as escapes are accepted", () => {
  expect(read('{"a":"\\u0000\\ud800"}')).toEqual({ a: "\u0000\ud800" });
});

test("an array is refused where an object is demanded", () => {
  expect(() => readJsonObject(Buffer.from("[]"))).toThrow(MalformedBody);
});

function escapeOf(text: string): string {
  const units = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at).toString(16).padStart(4, "0"));
  return units.map((hex) => `\\u${hex}`).join("");
}

function nested(depth: number): string {
  return '{"a":'.repeat(depth - 1) + "{}" + "}".repeat(depth - 1);
}

function wide(keys: number): string {
  return `{${Array.from({ length: keys }, (_, key) => `"${key}":0`).join(",")}}`;
}

function outcomeOf(run: () => unknown): { value?: unknown; error: unknown } {
  try {
    return { value: run(), error: null };
  } catch (error) {
    return { error };
  }
}
