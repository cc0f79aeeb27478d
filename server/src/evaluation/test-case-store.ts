import type { Expected } from "@aftercall/contract/analysis/test-case.ts";

import type { Tx } from "#/db/transaction.ts";
import { jsonbText } from "#/kernel/jsonb.ts";

export type TestCaseRow = {
  readonly id: string;
  readonly plan_id: string;
  readonly call_id: string;
  readonly transcript_id: string;
  readonly note: string;
  readonly expected: Expected;
  readonly actor: string;
  readonly created_at: Date;
};

const columns = "id, plan_id, call_id, transcript_id, note, expected, actor, created_at";

/** False when the call is a test case of the plan already. */
export async function insertTestCase(
  tx: Tx,
  tenantId: string,
  row: Omit<TestCaseRow, "created_at">,
): Promise<TestCaseRow | null> {
  const rows = await tx.rows<TestCaseRow>(
    `insert into test_cases (tenant_id, id, plan_id, call_id, transcript_id, note, expected, actor)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (tenant_id, plan_id, call_id) do nothing returning ${columns}`,
    [tenantId, row.id, row.plan_id, row.call_id, row.transcript_id, row.note, jsonbText(row.expected), row.actor],
  );
  return rows[0] ?? null;
}

export async function listTestCases(
  tx: Tx,
  tenantId: string,
  planId: string,
  page: { readonly before: string | null; readonly limit: number },
): Promise<TestCaseRow[]> {
  return tx.rows<TestCaseRow>(
    `select ${columns} from test_cases where tenant_id = $1 and plan_id = $2 and ($3::uuid is null or id < $3)
      order by id desc limit $4`,
    [tenantId, planId, page.before, page.limit],
  );
}

/** The test case that is gone now; null when there was none. */
export async function deleteTestCase(tx: Tx, tenantId: string, id: string): Promise<TestCaseRow | null> {
  const rows = await tx.rows<TestCaseRow>(
    `delete from test_cases where tenant_id = $1 and id = $2 returning ${columns}`,
    [tenantId, id],
  );
  return rows[0] ?? null;
}

/** Which transcript a call of a test is analysed over. */
export async function frozenTranscriptId(
  tx: Tx,
  tenantId: string,
  planId: string,
  callId: string,
): Promise<string | null> {
  const rows = await tx.rows<{ transcript_id: string }>(
    "select transcript_id from test_cases where tenant_id = $1 and plan_id = $2 and call_id = $3",
    [tenantId, planId, callId],
  );
  return rows[0]?.transcript_id ?? null;
}
