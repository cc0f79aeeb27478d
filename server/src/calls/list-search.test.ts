import { afterAll, beforeAll, expect, test } from "vitest";

import { findsTrigrams } from "#/db/trigrams.ts";
import { systemClock } from "#/kernel/clock.ts";
import { createIds } from "#/kernel/ids.ts";

import { discardDatabase, ownDatabase, type TestDatabase } from "../../test/harness/database.ts";
import { makeTenant } from "../../test/harness/tenant.ts";
import { listCalls } from "./list-store.ts";
import { patternOf, termsOf, textOf } from "./search.ts";
import { nothingKnown } from "./state.ts";
import { storedState } from "./stored-state.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await ownDatabase();
});
afterAll(() => discardDatabase(database));

const ids = createIds(systemClock);

/** A tenant with a call for each of these texts, the first the oldest. */
async function tenantWith(texts: readonly string[]): Promise<string> {
  const tenant = await makeTenant(database.db);
  const folded = texts.map((text) => textOf([{ where: "turn", turn: 0, role: "customer", text }]));
  await database.db.inTransaction([tenant], async (tx) => {
    const values = [tenant, texts.map(() => ids.next())];
    await tx.run(
      `insert into calls (tenant_id, id, provider, provider_call_id, status, state, announced, version)
       select $1, id, 'generic', id::text, 'ended', $3, '{}', 1 from unnest($2::uuid[]) as c (id)`,
      [...values, JSON.stringify(storedState(nothingKnown))],
    );
    await tx.run(
      `insert into call_search (tenant_id, call_id, text, lines)
       select $1, id, text, '[]' from unnest($2::uuid[], $3::text[]) as c (id, text)`,
      [...values, folded],
    );
  });
  return tenant;
}

async function found(tenant: string, query: string, limit = 10, before: string | null = null) {
  const patterns = termsOf(query).map(patternOf);
  const conditions = {
    status: null,
    provider: null,
    campaignId: null,
    businessId: null,
    outcome: null,
    direction: null,
  };
  const none = { ...conditions, saidBy: null, from: null, to: null, startedAfter: null, startedBefore: null };
  return database.db.inTransaction([tenant], (tx) => listCalls(tx, tenant, { ...none, patterns, before, limit }));
}

test("every word of a query must be there, in any order, a phrase as it stands; nothing is read as a pattern", async () => {
  const tenant = await tenantWith([
    "אני גר בבית שאן, קומה 3",
    "גרתי בבֵּית־שְׁאָן שנים",
    "I pay 100% in Haifa",
    "Haifa, and I pay later",
    "בית בעיר שאן",
  ]);
  const count = async (query: string) => (await found(tenant, query)).length;
  expect(await count("בית שאן")).toBe(3);
  expect(await count('"בית שאן"')).toBe(2);
  expect(await count("שאן בית קומה")).toBe(1);
  expect(await count("haifa PAY")).toBe(2);
  expect(await count("100%")).toBe(1);
  expect(await count("_a_fa")).toBe(0);
  expect(await count('  " ')).toBe(0);
});

test("pages go on behind the last call of the page before", async () => {
  const tenant = await tenantWith(["flat one", "flat two", "house", "flat three"]);
  const [first, second] = await found(tenant, "flat", 2);
  const rest = await found(tenant, "flat", 2, second?.id ?? null);
  expect(first && second && first.id > second.id).toBe(true);
  expect(rest).toHaveLength(1);
});

test("another tenant's calls are not found, not even by asking the database itself", async () => {
  const theirs = await tenantWith(["a word that only they say"]);
  const ours = await tenantWith(["nothing"]);
  expect(await found(ours, "word")).toEqual([]);
  const rows = await database.db.inTransaction([ours], (tx) =>
    tx.rows("select find_calls($1, array['%word%'])", [theirs]),
  );
  expect(rows).toEqual([]);
});

test("a word in 20,000 calls is found by the trigrams, in Hebrew as well; row-level security alone would read them all", async () => {
  expect(await findsTrigrams(database.appPool)).toBe(true);
  const filler = Array.from({ length: 20_000 }, (_, n) =>
    n % 4_000 === 7 ? "גרתי בבית שאן" : `על דירה בעיר אחרת ${n}`,
  );
  const tenant = await tenantWith(filler);
  await database.ownerPool.query("vacuum analyze call_search");
  expect(await found(tenant, "בית שאן")).toHaveLength(5);
  const where = `from call_search s where s.tenant_id = '${tenant}' and s.text like '%בית%' and s.text like '%שאנ%'`;
  const explain = `explain (costs off) select s.call_id ${where}`;
  const asApp = await database.db.inTransaction([tenant], (tx) => tx.rows(explain));
  expect(JSON.stringify(asApp)).not.toContain("call_search_text");
  const owner = await database.ownerPool.connect();
  try {
    await owner.query("begin; set local role aftercall_lookup");
    const { rows } = await owner.query(explain);
    expect(JSON.stringify(rows)).toContain("Bitmap Index Scan on call_search_text");
  } finally {
    await owner.query("rollback");
    owner.release();
  }
});
