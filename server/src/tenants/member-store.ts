import type { Role } from "@aftercall/contract/tenant.ts";

import type { Tx } from "#/db/transaction.ts";

import type { UserRow } from "./store.ts";

export type MemberRow = UserRow & { readonly role: Role };

const isMember = "role is not null and removed_at is null";

/** Newest first, from below `before` on. */
export async function listMembers(
  tx: Tx,
  tenant: string,
  { role, before, limit }: { role: Role | null; before: string | null; limit: number },
): Promise<MemberRow[]> {
  return tx.rows<MemberRow>(
    `select * from users where tenant_id = $1 and ${isMember} and ($2::text is null or role = $2)
        and ($3::uuid is null or id < $3) order by id desc limit $4`,
    [tenant, role, before, limit],
  );
}

/** Held against other changes until the transaction ends, when it is to be changed. */
export async function memberById(tx: Tx, tenant: string, id: string, lock: "lock" | "read"): Promise<MemberRow | null> {
  const [row] = await tx.rows<MemberRow>(
    `select * from users where tenant_id = $1 and id = $2 and ${isMember} ${lock === "lock" ? "for update" : ""}`,
    [tenant, id],
  );
  return row ?? null;
}

/** Makes a member of a new user, of one who is there, or of one who was taken out. Null for somebody who is a member. */
export async function addMember(
  tx: Tx,
  row: { readonly tenant: string; readonly id: string; readonly externalId: string; readonly role: Role },
  name: string | null | undefined,
): Promise<MemberRow | null> {
  const [made] = await tx.rows<MemberRow>(
    `insert into users as u (tenant_id, id, external_id, name, role) values ($1, $2, $3, $4, $5)
     on conflict (tenant_id, external_id) do update set role = excluded.role, removed_at = null,
            name = case when $6 then excluded.name else u.name end
      where not (u.role is not null and u.removed_at is null) returning *`,
    [row.tenant, row.id, row.externalId, name ?? null, row.role, name !== undefined],
  );
  return made ?? null;
}

export async function saveMember(tx: Tx, { tenant_id, id, name, role }: MemberRow): Promise<MemberRow | null> {
  const [row] = await tx.rows<MemberRow>(
    "update users set name = $3, role = $4 where tenant_id = $1 and id = $2 returning *",
    [tenant_id, id, name, role],
  );
  return row ?? null;
}

export async function removeMember(tx: Tx, tenant: string, id: string, at: Date): Promise<void> {
  await tx.run("update users set removed_at = $3, role = null where tenant_id = $1 and id = $2", [tenant, id, at]);
}
