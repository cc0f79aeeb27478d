import * as fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";

import { refusalWords } from "./refusal-words.ts";

function wordsFor(schema: z.ZodType, given: unknown): string[] {
  return (schema.safeParse(given, { error: refusalWords }).error?.issues ?? []).map(({ message }) => message);
}

test.each<[z.ZodType, unknown, string]>([
  [z.object({ name: z.string() }), {}, "Is required"],
  [z.object({ kind: z.enum(["a", "b"]) }), {}, "Is required"],
  [z.string(), 5, "Must be text"],
  [z.string(), null, "Must be text"],
  [z.coerce.number(), "ten", "Must be a number"],
  [z.number().int(), 1.5, "Must be a whole number"],
  [z.boolean(), "yes", "Must be true or false"],
  [z.array(z.string()), {}, "Must be a list"],
  [z.record(z.string(), z.unknown()), [], "Must be an object"],
  [z.number().min(1), 0, "Must be at least 1"],
  [z.number().max(100), 101, "Must be at most 100"],
  [z.number().gt(0), 0, "Must be more than 0"],
  [z.string().min(1), "", "Must have at least 1 character"],
  [z.string().max(3), "four", "Must have at most 3 characters"],
  [z.string().length(2), "one", "Must have exactly 2 characters"],
  [z.array(z.string()).min(1), [], "Must have at least 1 item"],
  [z.enum(["inbound", "outbound"]), "in", "Must be one of inbound, outbound"],
  [z.literal("v1"), "v2", "Must be v1"],
  [z.iso.datetime({ offset: true }), "today", "Must be a time with its zone, like 2026-03-02T14:23:19Z"],
  [z.url(), "nowhere", "Must be a URL"],
  [z.string().regex(/^a$/), "b", "Must match /^a$/"],
  [z.discriminatedUnion("kind", [z.object({ kind: z.literal("a") })]), { kind: "b" }, "Must be one of a"],
  [z.union([z.string(), z.array(z.string())]), 1, "Must be text, or: Must be a list"],
  [z.union([z.object({ a: z.string() }), z.string()]), { a: 1 }, "Fits none of the forms that are accepted here"],
])("%#: what is refused is said as what to do: %s", (schema, given, words) => {
  expect(wordsFor(schema, given)).toEqual([words]);
});

test("a schema's own words stay", () => {
  expect(wordsFor(z.string().min(2, "A name has two letters"), "a")).toEqual(["A name has two letters"]);
});

const schema = z.object({
  name: z.string().min(2).max(4),
  size: z.number().int().min(1).max(9),
  kinds: z.array(z.enum(["a", "b"])).min(1),
  at: z.iso.datetime({ offset: true }),
  either: z.union([z.string(), z.number().multipleOf(5), z.null()]),
});

test("whatever is sent, nobody reads the schema library's own words", () => {
  const field = (name: keyof typeof schema.shape) =>
    fc.oneof(fc.jsonValue(), fc.constantFrom(undefined, "", 0, -1, 1.5, [], ["a"], "long enough", name));
  const body = fc.record({
    name: field("name"),
    size: field("size"),
    kinds: field("kinds"),
    at: field("at"),
    either: field("either"),
  });
  fc.assert(
    fc.property(fc.oneof(body, fc.jsonValue()), (given) => {
      for (const words of wordsFor(schema, given)) {
        expect(words).toMatch(/^(Is required|Must |Fits none )/);
        expect(words).not.toMatch(/undefined|NaN|expected|received/);
      }
    }),
  );
});
