import { expect, test } from "vitest";

import { createLog } from "./log.ts";

function lines(write: (log: ReturnType<typeof createLog>) => void): string {
  const written: string[] = [];
  write(createLog({ destination: { write: (line) => written.push(line) } }));
  return written.join("");
}

test("personal data and secrets are cut out, wherever they stand", () => {
  const text = lines((log) => {
    log.info(
      { pii: { number: "+972501234567" }, request: { headers: { authorization: "Bearer abc" }, body: "hello" } },
      "request",
    );
    log.info({ secret: "abc", source: { secret: "abc" }, call: { transcript: "hello" }, apiKey: "abc" }, "request");
  });
  expect(text).not.toMatch(/972|abc|hello/);
  expect(text).toContain("[hidden]");
});

test("secrets are cut out of errors and lists too", () => {
  const error = Object.assign(new Error("refused"), {
    status: 401,
    request: { headers: { authorization: "Bearer abc" } },
  });
  const text = lines((log) =>
    log.error({ err: error, sources: [{ name: "mine", secrets: ["abc"] }] }, "request failed"),
  );
  expect(text).not.toContain("abc");
  expect(JSON.parse(text)).toMatchObject({
    err: { type: "Error", message: "refused", status: 401 },
    sources: [{ name: "mine" }],
  });
});

test("what a stranger sends cannot start a new line or a terminal command", () => {
  const hostile = "a\r\nfake line\u001b[31mred\u009b31m\u2028\u2029\u007f";
  const text = lines((log) => log.warn({ agent: hostile }, "request"));
  // oxlint-disable-next-line no-control-regex
  expect(text.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
  expect(JSON.parse(text)).toMatchObject({ agent: hostile, level: "warn", msg: "request" });
});

test("one call is one line", () => {
  expect(lines((log) => log.info({ a: "b\nc" }, "x")).split("\n")).toHaveLength(2);
});
