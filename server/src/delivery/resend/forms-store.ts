import type { Tx } from "#/db/transaction.ts";

import type { Picked } from "./selection.ts";

export type MissingForm = {
  readonly message_id: string;
  readonly form: string;
  readonly type: string;
  readonly occurred_at: Date;
  /** What the call says about its business, where it is known. */
  readonly business_id: string | null;
  /** The bytes in the standard format. */
  readonly standard: Buffer;
};

/** Forms that endpoints want of messages which have none of it, but do have the standard one. */
export async function missingForms(tx: Tx, tenantId: string, picks: readonly Picked[]): Promise<MissingForm[]> {
  return tx.rows<MissingForm>(
    `select distinct on (m.id, e.body_form) m.id as message_id, e.body_form as form, m.type, m.occurred_at, b.body as standard,
            c.state -> 'facts' -> 'business_id' ->> 'value' as business_id
       from unnest($2::uuid[], $3::uuid[]) as p (message_id, endpoint_id)
       join messages m on m.tenant_id = $1 and m.id = p.message_id
       join endpoints e on e.tenant_id = $1 and e.id = p.endpoint_id
       join message_bodies b on b.tenant_id = $1 and b.message_id = m.id and b.format = 'standard'
       left join calls c on c.tenant_id = m.tenant_id and c.id = m.call_id
      where not exists (select from message_bodies x where x.tenant_id = $1 and x.message_id = m.id and x.format = e.body_form)`,
    [tenantId, picks.map((pick) => pick.message_id), picks.map((pick) => pick.endpoint_id)],
  );
}

export type FoundForms = Omit<MissingForm, "form" | "standard"> & {
  /** The bytes in the form that was asked for, and in the standard format. */
  readonly body: Buffer | null;
  readonly standard: Buffer | null;
};

export async function findForms(tx: Tx, tenantId: string, messageId: string, form: string): Promise<FoundForms | null> {
  const rows = await tx.rows<FoundForms>(
    `select m.id as message_id, m.type, m.occurred_at, c.state -> 'facts' -> 'business_id' ->> 'value' as business_id, b.body, s.body as standard
       from messages m
       left join calls c on c.tenant_id = m.tenant_id and c.id = m.call_id
       left join message_bodies b on b.tenant_id = m.tenant_id and b.message_id = m.id and b.format = $3
       left join message_bodies s on s.tenant_id = m.tenant_id and s.message_id = m.id and s.format = 'standard'
      where m.tenant_id = $1 and m.id = $2`,
    [tenantId, messageId, form],
  );
  return rows[0] ?? null;
}

export async function insertForms(
  tx: Tx,
  tenantId: string,
  made: readonly { readonly message_id: string; readonly form: string; readonly body: Buffer }[],
): Promise<void> {
  if (made.length === 0) return;
  await tx.run(
    `insert into message_bodies (tenant_id, message_id, format, body)
     select $1, message_id, form, body from unnest($2::uuid[], $3::text[], $4::bytea[]) as f (message_id, form, body)
     on conflict do nothing`,
    [tenantId, made.map((row) => row.message_id), made.map((row) => row.form), made.map((row) => row.body)],
  );
}
