import { expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";
import { createIds } from "#/kernel/ids.ts";

import { testDatabase } from "../../test/harness/database.ts";
import { makeTenant } from "../../test/harness/tenant.ts";
import { findRest } from "./promotion-routes.ts";
import * as store from "./promotion-store.ts";

test("every call of a promotion of hundreds is found by what it shows: the first at once, the others by work that may be done twice", async () => {
  const { db } = await testDatabase();
  const ids = createIds(systemClock);
  const tenant = await makeTenant(db);
  const calls = Array.from({ length: 450 }, () => {
    return { call_id: ids.next(), run_before: ids.next(), run_after: ids.next() };
  });
  const promotionId = ids.next();
  const after = await db.inTransaction([tenant], async (tx) => {
    const columns = ["call_id", "run_before", "run_after"] as const;
    const values = [tenant, ...columns.map((name) => calls.map((one) => one[name]))];
    await tx.run(
      `insert into calls (tenant_id, id, provider, provider_call_id, status, state)
       select $1, id, 'vapi', id::text, 'ended', '{"facts":{}}' from unnest($2::uuid[]) as c (id)`,
      values.slice(0, 2),
    );
    await tx.run(
      "insert into call_search (tenant_id, call_id, text, lines) select $1, id, '', '[]' from unnest($2::uuid[]) as c (id)",
      values.slice(0, 2),
    );
    await tx.run(
      `insert into analysis_runs (tenant_id, id, call_id, plan_id, plan_version, plan_name, trigger, status, is_current, input_hash, sections, summary)
       select $1, run, call, call, 1, 'P', 'bulk', 'succeeded', is_before, '', '{}',
              json_build_object('text', case when is_before then 'what was before' else 'what came after' end)
         from (select call, before as run, true as is_before from unnest($2::uuid[], $3::uuid[], $4::uuid[]) as c (call, before, after)
               union all select call, after, false from unnest($2::uuid[], $3::uuid[], $4::uuid[]) as c (call, before, after)) as runs`,
      values,
    );
    await store.insertPromotion(tx, { tenantId: tenant, id: promotionId, jobId: null, actor: "test" }, calls);
    return store.findByWhatIsShown(tx, tenant, promotionId, null);
  });
  const found = () =>
    db.inTransaction([tenant], (tx) =>
      tx.rows<{ text: string; count: number }>(
        "select text, count(*)::int as count from call_search where tenant_id = $1 group by text order by text",
        [tenant],
      ),
    );
  expect(await found()).toEqual([
    { text: "", count: 250 },
    { text: "what came after", count: 200 },
  ]);
  if (after === null) throw new Error("nothing is left");
  for (let times = 0; times < 2; times++) {
    await findRest(db, { tenantId: tenant, promotionId, after }, new AbortController().signal);
    expect(await found()).toEqual([{ text: "what came after", count: 450 }]);
  }
});
