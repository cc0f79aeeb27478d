import { expect, test } from "vitest";

import { limits } from "#/kernel/limits.ts";

import { testDatabase } from "../../test/harness/database.ts";
import { readPage } from "./page.ts";
import { estimateTotal } from "./total.ts";
import type { Tx } from "./transaction.ts";

const { db } = await testDatabase();

/** A list of numbers with a filter, as stores write them. */
const numbers = (length: number) => (tx: Tx, limit: number) =>
  tx.rows<{ n: number }>(
    "select n from generate_series(1, $1::int) as n where ($2::int is null or n < $2) order by n desc limit $3",
    [length, null, limit],
  );
const totalOf = (list: (tx: Tx, limit: number) => Promise<unknown>) =>
  db.inTransaction([], (tx) => estimateTotal(tx, list));

test("a list is counted exactly up to the bound, and one row further it is not said to be", async () => {
  expect(await totalOf(numbers(0))).toEqual({ value: 0, is_exact: true });
  expect(await totalOf(numbers(limits.totalRowsMax))).toEqual({ value: limits.totalRowsMax, is_exact: true });
  const beyond = await totalOf(numbers(limits.totalRowsMax + 1));
  expect(beyond.is_exact).toBe(false);
  expect(beyond.value).toBeGreaterThan(limits.totalRowsMax);
});

test("what would take long to count is estimated, and the transaction goes on with the time limit it had", async () => {
  const statement = `select a from generate_series(1, 100000) as a, generate_series(1, 100000) as b
    where a <> b order by a + b limit $1`;
  const { total, before, after } = await db.inTransaction([], async (tx) => {
    const before = await tx.rows("show statement_timeout");
    const total = await estimateTotal(tx, (probe, limit) => probe.rows(statement, [limit]));
    return { total, before, after: await tx.rows("show statement_timeout") };
  });
  expect(after).toEqual(before);
  expect(total.is_exact).toBe(false);
  expect(total.value).toBeGreaterThan(1_000_000_000);
});

test("unasked, a list is one statement; asked for the first page of a short one as well", async () => {
  const sent: string[] = [];
  const page = await db.inTransaction([], (tx) => {
    const heard: Tx = {
      ...tx,
      rows(text, values, name) {
        sent.push(text);
        return tx.rows(text, values, name);
      },
    };
    const list = (probe: Tx, { limit }: { limit: number }) => numbers(8)(probe, limit);
    return Promise.all([
      readPage(heard, { limit: 3 }, null, list),
      readPage(heard, { limit: 25, include: "total_estimate" }, null, list),
    ]);
  });
  expect(page.map(({ rows, total_estimate }) => [rows.length, total_estimate])).toEqual([
    [4, undefined],
    [8, { value: 8, is_exact: true }],
  ]);
  expect(sent).toHaveLength(2);
});
