import fc from "fast-check";
import type { PoolClient } from "pg";
import { expect, test } from "vitest";

import { testDatabase } from "../../test/harness/database.ts";
import { makeTenant } from "../../test/harness/tenant.ts";
import { gapOf, type Place, readCursor, writeCursor } from "./cursor.ts";
import { placeNow, readChanges } from "./store.ts";

const { db, appPool } = await testDatabase();

type Move =
  | { readonly does: "begin" | "write" | "commit" | "roll back"; readonly writer: number }
  | { readonly does: "read"; readonly reader: number; readonly rowsMax: number };

const writers = 4;
const readers = 2;
const moves = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ does: fc.constant("write" as const), writer: fc.nat(writers - 1) }) },
    { weight: 2, arbitrary: fc.record({ does: fc.constant("commit" as const), writer: fc.nat(writers - 1) }) },
    fc.record({ does: fc.constant("roll back" as const), writer: fc.nat(writers - 1) }),
    { weight: 1, arbitrary: fc.record({ does: fc.constant("begin" as const), writer: fc.nat(writers - 1) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        does: fc.constant("read" as const),
        reader: fc.nat(readers - 1),
        rowsMax: fc.integer({ min: 1, max: 4 }),
      }),
    },
  ),
  { maxLength: 60 },
);

test("however writers begin, write and commit, whoever reads on from cursors gets every committed row exactly once", async () => {
  await fc.assert(fc.asyncProperty(moves, play), { numRuns: 40 });
});

/** Writers take numbers in one order and commit in another; readers read page by page, each from its last cursor as text. */
async function play(script: readonly Move[]): Promise<void> {
  const tenantId = await makeTenant(db);
  const start = writeCursor(await db.inTransaction([], placeNow));
  const cursors = Array.from({ length: readers }, () => start);
  const seen = Array.from({ length: readers }, (): number[] => []);
  const open = new Map<number, { client: PoolClient; written: number[] }>();
  const committed: number[] = [];

  const transactionOf = async (writer: number) => {
    const known = open.get(writer);
    if (known) return known;
    const client = await appPool.connect();
    await client.query(`begin; set local app.tenants = '{${tenantId}}'`);
    // Takes its place among the transactions now, and writes later.
    await client.query("select pg_current_xact_id()");
    const begun = { client, written: [] };
    open.set(writer, begun);
    return begun;
  };
  const finish = async (writer: number, how: "commit" | "rollback") => {
    const transaction = open.get(writer);
    if (!transaction) return;
    open.delete(writer);
    await transaction.client.query(how);
    transaction.client.release();
    if (how === "commit") committed.push(...transaction.written);
  };
  const read = async (reader: number, rowsMax: number): Promise<boolean> => {
    const place = readCursor(cursors[reader] ?? "");
    if (!place) throw new Error("a cursor of ours cannot be read");
    const { rows, next } = await step(tenantId, place, rowsMax);
    seen[reader]?.push(...rows);
    cursors[reader] = writeCursor(next);
    // A page that ends a half-read step may be empty, and what came meanwhile is in the step after it.
    return rows.length > 0 || place.ahead !== null || next.ahead !== null;
  };
  for (const move of script) {
    if (move.does === "read") await read(move.reader, move.rowsMax);
    else if (move.does === "begin") await transactionOf(move.writer);
    else if (move.does === "commit") await finish(move.writer, "commit");
    else if (move.does === "roll back") await finish(move.writer, "rollback");
    else {
      const { client, written } = await transactionOf(move.writer);
      const { rows } = await client.query<{ seq: string }>(
        "insert into changes (tenant_id, kind, payload) values ($1, 'call', '{}') returning seq",
        [tenantId],
      );
      written.push(Number(rows[0]?.seq));
    }
  }
  for (const writer of [...open.keys()]) await finish(writer, "commit");
  for (let reader = 0; reader < readers; reader++) {
    while (await read(reader, 3));
    expect(seen[reader]?.toSorted((a, b) => a - b)).toEqual(committed.toSorted((a, b) => a - b));
  }
}

async function step(tenantId: string, place: Place, rowsMax: number): Promise<{ rows: number[]; next: Place }> {
  const { seen, ahead } = place;
  const wanted = {
    tenantIds: [tenantId],
    after: seen,
    upTo: ahead?.snapshot ?? null,
    seq: ahead?.seq ?? 0,
    rowsMax,
    withDeliveries: true,
  };
  const page = await db.inTransaction([tenantId], (tx) => readChanges(tx, wanted));
  const upTo = ahead?.snapshot ?? page.snapshot;
  const last = page.rows.at(-1);
  const isHalf = last && page.rows.length === rowsMax;
  return {
    rows: page.rows.map(({ seq }) => seq),
    next: isHalf ? { ...place, ahead: { snapshot: upTo, seq: last.seq } } : { ...place, seen: upTo, ahead: null },
  };
}

test("a cursor reads back as it was written; any other text is none", () => {
  const place = { cluster: "7445", at: 1_772_461_399_000, seen: "812:815:812,813", ahead: null };
  const half = { ...place, ahead: { snapshot: "820:820:", seq: 4411 } };
  expect(readCursor(writeCursor(place))).toEqual(place);
  expect(readCursor(writeCursor(half))).toEqual(half);
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(readCursor(text)).toBeNull();
    }),
  );
  const broken = [
    "815:812:",
    "812:815:813,812",
    "812:815:811",
    "812:815:815",
    "0:1:",
    `1:${"9".repeat(19)}:`,
    "1:2:3,",
  ];
  for (const seen of broken) expect(readCursor(`1.7445.mf.${seen}`)).toBeNull();
});

test("a gap is open for 48 hours, on the database it was read from", () => {
  const from: Place = { cluster: "1", at: 1_000, seen: "5:9:5", ahead: null };
  const here: Place = { cluster: "1", at: 2_000, seen: "9:9:", ahead: null };
  expect(gapOf(from, here)).toBe("open");
  expect(gapOf(from, { ...here, at: 1_000 + 48 * 3_600_000 })).toBe("open");
  expect(gapOf(from, { ...here, at: 1_001 + 48 * 3_600_000 })).toBe("too_old");
  expect(gapOf(from, { ...here, cluster: "2" })).toBe("unknown_cursor");
  expect(gapOf(from, { ...here, seen: "8:8:" })).toBe("unknown_cursor");
  expect(gapOf({ ...from, at: 3_000 }, here)).toBe("unknown_cursor");
});
