import { problemOf } from "@aftercall/contract/problem.ts";
import { expect, test } from "vitest";

import {
  type AppError,
  Conflict,
  Forbidden,
  Invalid,
  Malformed,
  NotFound,
  TooMany,
  Unauthorized,
  Unavailable,
} from "#/kernel/errors.ts";

import { TooLarge, UnsupportedMedia } from "./body.ts";
import { isDatabaseDown, refusalFor } from "./problem.ts";

const context = { publicUrl: "https://calls.example.com", path: "/v1/calls", requestId: "r1" };

test.each<[string, { code?: string; syscall?: string; message?: string }]>([
  ["connection lost", { code: "08006" }],
  ["disk full", { code: "53100" }],
  ["too many connections", { code: "53300" }],
  ["shutting down", { code: "57P01" }],
  ["refused", { code: "ECONNREFUSED", syscall: "connect" }],
  ["socket gone", { code: "ENOENT", syscall: "connect" }],
  ["no free connection", { message: "timeout exceeded when trying to connect" }],
  ["connection terminated", { message: "Connection terminated unexpectedly" }],
])("503: %s is the database being down, and is no bug", (_name, { message = "secret detail", ...fields }) => {
  const { problem, headers, isBug } = refusalFor(Object.assign(new Error(message), fields), context);
  expect([problem.status, problem.code, headers["retry-after"], isBug]).toEqual([503, "unavailable", "5", false]);
  expect(JSON.stringify(problem)).not.toContain(message);
});

test.each([
  ["a unique violation", Object.assign(new Error("duplicate key"), { code: "23505" })],
  ["a missing file", Object.assign(new Error("no such file"), { code: "ENOENT", syscall: "open" })],
  ["a text", "thrown"],
  ["nothing", undefined],
])("500: %s is a bug", (_name, thrown) => {
  expect(isDatabaseDown(thrown)).toBe(false);
  const { problem, isBug } = refusalFor(thrown, context);
  expect([problem.status, problem.detail, isBug]).toEqual([500, "Internal server error", true]);
});

test.each<AppError>([
  new NotFound("Call"),
  new Unauthorized(),
  new Forbidden("no"),
  new Malformed("no"),
  new Malformed("no", "bad_request"),
  new Invalid("no", []),
  new Conflict("no"),
  new TooMany("no", 3),
  new Unavailable("no"),
  new TooLarge(1),
  new UnsupportedMedia("no"),
])("$code has a page that says the same status", (error) => {
  expect(problemOf(error.code)?.status).toBe(error.status);
});

test("refused fields are named", () => {
  const { problem } = refusalFor(new Invalid("no", [{ pointer: "/url", detail: "must be https" }]), context);
  expect(problem.errors).toEqual([{ pointer: "/url", detail: "must be https" }]);
});
