import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";

import { testDatabase } from "../../test/harness/database.ts";
import { cut, jsonColumn, longColumn, plainColumn, textColumn } from "./columns.ts";
import type { Db } from "./transaction.ts";

let db: Db;
beforeAll(async () => {
  ({ db } = await testDatabase());
});

const hard = ["", "NULL", "null", '"', "\\", '\\"', "{a,b}", "a,b", " a ", "\n", "בית שאן", "😀", "\u0000", "\ud800"];
const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(...hard));
const stored = (value: string | null) => value?.toWellFormed().replaceAll("\u0000", "\uFFFD") ?? null;

test("any texts and nulls come as they went, but for what PostgreSQL's text refuses", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(text)), async (values) => {
      const rows = await db.inTransaction([], (tx) =>
        tx.rows<{ value: string | null }>(
          "select value from unnest($1::text[]) with ordinality as t (value, at) order by at",
          [textColumn(values)],
        ),
      );
      expect(rows.map(({ value }) => value)).toEqual(values.map(stored));
    }),
  );
});

test("values come as JSON as they went, whatever texts are in them", async () => {
  const value = fc.oneof(fc.record({ text, list: fc.array(text), number: fc.integer() }), fc.constant(null));
  await fc.assert(
    fc.asyncProperty(fc.array(value), async (values) => {
      const rows = await db.inTransaction([], (tx) =>
        tx.rows<{ value: unknown }>(
          "select value::jsonb as value from unnest($1::text[]) with ordinality as t (value, at) order by at",
          [jsonColumn(values)],
        ),
      );
      const kept = values.map((one) => one && { ...one, text: stored(one.text), list: one.list.map(stored) });
      expect(rows.map((row) => row.value)).toEqual(kept);
    }),
  );
});

test("long texts are cut where they were joined", async () => {
  const clean = text.map((value) => stored(value) ?? "");
  await fc.assert(
    fc.asyncProperty(fc.array(clean), async (values) => {
      const { bytes, starts, lengths } = longColumn(values);
      const rows = await db.inTransaction([], (tx) =>
        tx.rows<{ value: string }>(
          `select ${cut("$1", "t.start", "t.length")} as value from unnest($2::int[], $3::int[]) with ordinality as t (start, length, at) order by at`,
          [bytes, starts, lengths],
        ),
      );
      expect(rows.map(({ value }) => value)).toEqual(values);
    }),
  );
});

test("UUIDs, numbers and nulls stand without quotes", () => {
  expect(plainColumn([])).toBe("{}");
  expect(plainColumn(["0199f0c0-1234-7abc-8def-0123456789ab", null, -1.5, 0])).toBe(
    "{0199f0c0-1234-7abc-8def-0123456789ab,NULL,-1.5,0}",
  );
});
