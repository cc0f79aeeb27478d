import type { Handlers } from "@aftercall/contract/api.ts";
import { fromPublicId, type IdKind, toPublicId } from "@aftercall/contract/id.ts";
import type { tenantRoutes } from "@aftercall/contract/routes/tenants.ts";

import { record } from "#/audit/record.ts";
import { readPage } from "#/db/page.ts";
import type { Db } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { Conflict, NotFound } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { pageOf } from "#/kernel/page.ts";
import type { Random } from "#/kernel/random.ts";

import { keyHandlers } from "./key-routes.ts";
import { type OperatorOptions, operatorHandlers } from "./operator.ts";
import { presentUser } from "./present.ts";
import * as store from "./store.ts";

export type TenantHandlerOptions = {
  readonly db: Db;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly random: Random;
  /** `live` in production: a key shows where it belongs. */
  readonly keyKind: "live" | "dev";
  /** Called after a key was changed, so that this process forgets what it knew. */
  readonly forgetKeys: () => void;
};

/** What /v1 can do with the tenant itself (who am I, keys, users), and what the operator can do with all of them. */
export function tenantHandlers(options: OperatorOptions): Handlers<typeof tenantRoutes> {
  const { db, ids } = options;
  return {
    ...operatorHandlers(options),
    ...keyHandlers(options),

    whoami: ({ tenant, actor }) =>
      db.inTransaction([tenant], async (tx) => {
        const row = await store.tenantById(tx, tenant);
        if (!row) throw new NotFound("Tenant");
        const { slug, name, created_at: createdAt } = row;
        const { kind, id, role, scopes, businessId } = actor;
        return {
          tenant: { id: toPublicId("tenant", row.id), slug, name, created_at: createdAt.toISOString() },
          actor: { kind, id, role, scopes: scopes ? [...scopes] : null, business_id: businessId ?? null },
        };
      }),

    listUsers: ({ tenant, query }) =>
      db.inTransaction([tenant], async (tx) => {
        const before = query.cursor === undefined ? null : fromPublicId("user", query.cursor);
        return pageOf(
          await readPage(tx, query, before, (probe, page) => store.listUsers(probe, tenant, page)),
          query.limit,
          presentUser,
          cursorOf("user"),
        );
      }),

    createUser: ({ tenant, actor, body }) =>
      db.inTransaction([tenant], async (tx) => {
        const row = await store.insertUser(tx, {
          tenant_id: tenant,
          id: ids.next(),
          external_id: body.external_id,
          name: body.name,
        });
        if (!row) throw new Conflict("A user with this external_id exists");
        const user = presentUser(row);
        await record(tx, ids, { tenant, actor, action: "user.created", subject: user.id, after: user });
        return user;
      }),
  };
}

function cursorOf(kind: IdKind) {
  return (row: { readonly id: string }) => toPublicId(kind, row.id);
}
