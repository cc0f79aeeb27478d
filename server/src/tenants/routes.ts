import type { Handlers } from "@aftercall/contract/api.ts";
import { fromPublicId, type IdKind, toPublicId } from "@aftercall/contract/id.ts";
import type { tenantRoutes } from "@aftercall/contract/routes/tenants.ts";
import { Role } from "@aftercall/contract/tenant.ts";

import { record } from "#/audit/record.ts";
import type { Db } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { Conflict, Forbidden, NotFound } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { pageOf } from "#/kernel/page.ts";
import type { Random } from "#/kernel/random.ts";
import { digest } from "#/kernel/secrets.ts";

import { makeApiKey, prefixOfKey } from "./keys.ts";
import { type OperatorOptions, operatorHandlers } from "./operator.ts";
import { presentKey, presentUser } from "./present.ts";
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
  const { db, ids, clock } = options;
  return {
    ...operatorHandlers(options),

    whoami: ({ tenant, actor }) =>
      db.inTransaction([tenant], async (tx) => {
        const row = await store.tenantById(tx, tenant);
        if (!row) throw new NotFound("Tenant");
        const { slug, name, created_at: createdAt } = row;
        return { tenant: { id: toPublicId("tenant", row.id), slug, name, created_at: createdAt.toISOString() }, actor };
      }),

    listApiKeys: ({ tenant, query }) =>
      db.inTransaction([tenant], async (tx) => {
        const before = query.cursor === undefined ? null : fromPublicId("api_key", query.cursor);
        return pageOf(
          await store.listKeys(tx, tenant, query.limit + 1, before),
          query.limit,
          presentKey,
          cursorOf("api_key"),
        );
      }),

    createApiKey: async ({ tenant, actor, body }) => {
      if (Role.options.indexOf(body.role) > Role.options.indexOf(actor.role)) {
        throw new Forbidden(
          `A key cannot have a higher role (${body.role}) than the one that makes it (${actor.role})`,
        );
      }
      const key = makeApiKey(options.random, options.keyKind);
      return db.inTransaction([tenant], async (tx) => {
        const row = await store.insertKey(tx, {
          tenant_id: tenant,
          id: ids.next(),
          digest: digest(key),
          prefix: prefixOfKey(key),
          name: body.name,
          role: body.role,
          expires_at: body.expires_at === null ? null : new Date(body.expires_at),
        });
        if (!row) throw new Conflict("The key exists");
        const subject = toPublicId("api_key", row.id);
        await record(tx, ids, {
          tenant,
          actor,
          action: "api_key.created",
          subject,
          detail: { name: row.name, role: row.role },
        });
        return { ...presentKey(row), key };
      });
    },

    revokeApiKey: async ({ tenant, actor, params }) => {
      const revoked = await db.inTransaction([tenant], async (tx) => {
        const row = await store.revokeKey(tx, tenant, params.id, new Date(clock.now()));
        if (!row) throw new NotFound("API key");
        await record(tx, ids, { tenant, actor, action: "api_key.revoked", subject: toPublicId("api_key", row.id) });
        return presentKey(row);
      });
      options.forgetKeys();
      return revoked;
    },

    listUsers: ({ tenant, query }) =>
      db.inTransaction([tenant], async (tx) => {
        const before = query.cursor === undefined ? null : fromPublicId("user", query.cursor);
        return pageOf(
          await store.listUsers(tx, tenant, query.limit + 1, before),
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
        await record(tx, ids, { tenant, actor, action: "user.created", subject: toPublicId("user", row.id) });
        return presentUser(row);
      }),
  };
}

function cursorOf(kind: IdKind) {
  return (row: { readonly id: string }) => toPublicId(kind, row.id);
}
