import type { Tx } from "#/db/transaction.ts";
import { jsonbText } from "#/kernel/jsonb.ts";

export type AuditRow = {
  tenant: string;
  id: string;
  actor: string;
  action: string;
  subject: string;
  detail: Readonly<Record<string, unknown>>;
};

export async function insertAudit(tx: Tx, row: AuditRow): Promise<void> {
  await tx.run(
    "insert into audit_log (tenant_id, id, actor, action, subject, detail) values ($1, $2, $3, $4, $5, $6)",
    [row.tenant, row.id, row.actor, row.action, row.subject, jsonbText(row.detail)],
  );
}
