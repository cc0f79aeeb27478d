import type { Tx } from "#/db/transaction.ts";
import { jsonbText } from "#/kernel/jsonb.ts";

type Json = Readonly<Record<string, unknown>>;

export type NewAudit = {
  readonly tenant: string;
  readonly id: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly before: Json | null;
  readonly after: Json | null;
  readonly detail: Json;
  readonly address: string | null;
  readonly request_id: string | null;
};

export type AuditRow = Omit<NewAudit, "tenant"> & { readonly at: Date };

export async function insertAudit(tx: Tx, row: NewAudit): Promise<void> {
  await tx.run(
    `insert into audit_log (tenant_id, id, actor, action, subject, detail, before, after, address, request_id)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      row.tenant,
      row.id,
      row.actor,
      row.action,
      row.subject,
      jsonbText(row.detail),
      row.before && jsonbText(row.before),
      row.after && jsonbText(row.after),
      row.address,
      row.request_id,
    ],
  );
}

export type AuditFilter = {
  readonly subject: string | null;
  readonly action: string | null;
  /** Id of a key or user, whatever its kind. */
  readonly actor: string | null;
  readonly before: string | null;
  readonly limit: number;
};

/** Newest first, from below `before` on. */
export async function listAudit(tx: Tx, tenant: string, filter: AuditFilter): Promise<AuditRow[]> {
  return tx.rows<AuditRow>(
    `select id, actor, action, subject, before, after, detail, address, request_id, at from audit_log
      where tenant_id = $1 and ($2::text is null or subject = $2) and ($3::text is null or action = $3)
        and ($4::text is null or actor in ('api_key:' || $4, 'user:' || $4, 'system:' || $4))
        and ($5::uuid is null or id < $5) order by id desc limit $6`,
    [tenant, filter.subject, filter.action, filter.actor, filter.before, filter.limit],
  );
}
