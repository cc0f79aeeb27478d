import type { Db } from "#/db/transaction.ts";
import { systemClock } from "#/kernel/clock.ts";
import { createIds, type Ids } from "#/kernel/ids.ts";

/** A new tenant with nothing in it, and its id. Every test makes its own, so tests may run in any order and at once. */
export async function makeTenant(db: Db, ids: Ids = createIds(systemClock)): Promise<string> {
  const id = ids.next();
  await db.inTransaction([id], (tx) =>
    tx.run("insert into tenants (id, slug, name) values ($1, $2, 'Test')", [id, `test-${id}`]),
  );
  return id;
}

/** Lets a tenant's webhooks reach receivers on this machine, as the operator of a server may. */
export async function openLoopback(db: Db, tenant: string): Promise<void> {
  await db.inTransaction([tenant], (tx) =>
    tx.run("insert into private_targets (tenant_id, block, granted_by) values ($1, '127.0.0.0/8', 'test')", [tenant]),
  );
}
