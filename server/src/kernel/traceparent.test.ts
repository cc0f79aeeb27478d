import { expect, test } from "vitest";

import { readTraceparent } from "./traceparent.ts";

const trace = "0af7651916cd43dd8448eb211c80319c";
const parent = "b7ad6b7169203331";
const good = `00-${trace}-${parent}-01`;

test.each([
  ["one of today", [good], good],
  ["one that is not sampled", [`00-${trace}-${parent}-00`], `00-${trace}-${parent}-00`],
  ["one of a later version, as far as 00 goes", [`01-${trace}-${parent}-01-more`], good],
])("%s goes on", (_what, values, read) => {
  expect(readTraceparent(values)).toBe(read);
});

test.each([
  ["none", []],
  ["two", [good, good]],
  ["upper case", [good.toUpperCase()]],
  ["no trace", [`00-${"0".repeat(32)}-${parent}-01`]],
  ["no parent", [`00-${trace}-${"0".repeat(16)}-01`]],
  ["the version that is forbidden", [`ff-${trace}-${parent}-01`]],
  ["more than version 00 has", [`${good}-more`]],
  ["something shorter", [good.slice(0, -1)]],
  ["a line of its own", [`${good}\nX-Evil: 1`]],
  ["text", ["my trace"]],
])("%s is ignored", (_what, values) => {
  expect(readTraceparent(values)).toBeNull();
});
