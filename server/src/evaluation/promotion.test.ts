import { fromPublicId } from "@aftercall/contract/id.ts";
import { expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";
import { createIds } from "#/kernel/ids.ts";

import { testDatabase } from "../../test/harness/database.ts";
import { makeTenant } from "../../test/harness/tenant.ts";
import { insertJob } from "./job-store.ts";
import { findRest, promotionHandlers } from "./promotion-routes.ts";
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

test("a thousand calls that were run again, made to count and taken back show exactly what they showed before, and no run was touched", async () => {
  const { db } = await testDatabase();
  const ids = createIds(systemClock);
  const tenant = await makeTenant(db);
  const actor = { kind: "user", id: "boss", role: "admin" } as const;
  const [jobId, planId] = [ids.next(), ids.next()];
  const calls = Array.from({ length: 1_000 }, () => [ids.next(), ids.next(), ids.next()] as const);
  await db.inTransaction([tenant], async (tx) => {
    const values = [tenant, ...[0, 1, 2].map((at) => calls.map((one) => one[at] ?? ""))];
    await tx.run(
      `insert into calls (tenant_id, id, provider, provider_call_id, status, state)
       select $1, id, 'vapi', id::text, 'ended', '{"facts":{}}' from unnest($2::uuid[]) as c (id)`,
      values.slice(0, 2),
    );
    await tx.run(
      `insert into analysis_runs (tenant_id, id, call_id, plan_id, plan_version, plan_name, trigger, job_id, status, is_current, input_hash, sections, evaluation)
       select $1, run, call, $5, version, 'P', 'bulk', case version when 2 then $6::uuid end, 'succeeded', version = 1, '', '{}', json_build_object('score', version * 40, 'results', '[]'::json)
         from (select call, before as run, 1 as version from unnest($2::uuid[], $3::uuid[], $4::uuid[]) as c (call, before, after)
               union all select call, after, 2 from unnest($2::uuid[], $3::uuid[], $4::uuid[]) as c (call, before, after)) as runs`,
      [...values, planId, jobId],
    );
    await insertJob(tx, {
      ...{ tenant_id: tenant, id: jobId, kind: "bulk", plan_id: planId, plan_version: 2, sections: ["evaluation"] },
      ...{ filter: {}, is_forced: false, rate_per_minute: 6000, concurrency: 1, actor: "test" },
      estimate: { engine: "builtin", model: null, input_tokens: 0, output_tokens: 0, money: null },
    });
  });
  const look = () =>
    db.inTransaction([tenant], async (tx) => ({
      shown: await tx.rows<{ id: string }>(
        "select call_id, id, evaluation from analysis_runs where tenant_id = $1 and is_current order by call_id",
        [tenant],
      ),
      runs: await tx.rows(
        "select md5(string_agg((to_jsonb(r) - 'is_current')::text, '' order by id)) from analysis_runs r where tenant_id = $1",
        [tenant],
      ),
    }));
  const handlers = promotionHandlers({ db, ids, findLater: async () => {} });
  const as = { tenant, actor, query: undefined, body: undefined } as const;
  const before = await look();
  const promotion = await handlers.promoteAnalysisJob({ ...as, params: { id: jobId } });
  const meanwhile = await look();
  expect(promotion.calls).toBe(1_000);
  expect(meanwhile.shown.map(({ id }) => id)).toEqual(
    calls.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, , after]) => after),
  );
  expect(meanwhile.runs).toEqual(before.runs);
  const id = fromPublicId("analysis_promotion", promotion.id) ?? "";
  await handlers.revertPromotion({ ...as, params: { id } });
  expect(await look()).toEqual(before);
});
