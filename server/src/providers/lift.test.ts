import fc from "fast-check";
import { expect, test } from "vitest";

import { createLifter, LiftFailed } from "./lift.ts";

function lift(text: string, sizes: readonly number[] = [text.length], restMax = 10_000) {
  const lifter = createLifter("full_audio", restMax);
  const bytes = Buffer.from(text);
  const value: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = Math.max(sizes[i % sizes.length] ?? 1, 1);
    value.push(lifter.push(bytes.subarray(at, at + size)));
    at += size;
  }
  const { before, after, isFound } = lifter.end();
  return { rest: `${before.toString()}"…"${after.toString()}`, value: Buffer.concat(value), isFound };
}

test("the value comes out, the rest stays byte for byte, however it is cut into chunks", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.string(),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (audio, text, sizes) => {
        const full_audio = "here";
        const around = {
          type: text,
          list: [{ full_audio: "no" }],
          data: { a: { full_audio: "deep" }, full_audio, b: text },
        };
        const json = JSON.stringify(around).replace('"here"', `"${Buffer.from(audio).toString("base64")}"`);
        const { rest, value, isFound } = lift(json, sizes);
        expect(isFound).toBe(true);
        expect(value.equals(Buffer.from(audio))).toBe(true);
        expect(rest).toBe(JSON.stringify(around).replace('"here"', '"…"'));
      },
    ),
  );
});

test("what is no value of that name stays", () => {
  for (const text of [
    '{"full_audio":"QQ=="}',
    '{"data":{"x":"full_audio","y":"QQ=="}}',
    '{"data":{"full_audio":null,"y":"QQ=="}}',
  ])
    expect(lift(text)).toMatchObject({ isFound: false, value: Buffer.alloc(0) });
  expect(lift('{"data":{"full_audio":"QQ==","full_audio":"Qg=="}}').rest).toContain("Qg==");
});

test("what cannot be taken out is refused", () => {
  expect(() => lift('{"data":{"full_audio":"QQ')).toThrow(LiftFailed);
  expect(() => lift('{"data":{"full_audio":"<script>"}}')).toThrow(LiftFailed);
  expect(() => lift(`{"data":{"x":"${"y".repeat(200)}"}}`, [50], 100)).toThrow("too long");
  expect(lift('{"data":{"full_audio":"\\/\\/\\/\\/"}}').value).toEqual(Buffer.from([255, 255, 255]));
});
