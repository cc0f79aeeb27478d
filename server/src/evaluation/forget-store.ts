import type { Tx } from "#/db/transaction.ts";

/** Removes test cases that were made of calls: they say what was found in them. */
export async function forgetTestCases(tx: Tx, tenantId: string, callIds: readonly string[]): Promise<number> {
  return tx.run("delete from test_cases where tenant_id = $1 and call_id = any ($2::uuid[])", [tenantId, callIds]);
}

/** Empties what people wrote about the scorecards of calls: their comments may repeat what was said. Verdicts stay. */
export async function forgetReviews(tx: Tx, tenantId: string, callIds: readonly string[]): Promise<number> {
  const of = [tenantId, callIds];
  const runs = "select id from analysis_runs where tenant_id = $1 and call_id = any ($2::uuid[])";
  const overrides = await tx.run(
    `update evaluation_overrides set comment = '', effective = 'null' where tenant_id = $1 and run_id in (${runs})`,
    of,
  );
  const reviews = await tx.run(
    `update evaluation_reviews set comment = '' where tenant_id = $1 and run_id in (${runs})`,
    of,
  );
  return overrides + reviews;
}
