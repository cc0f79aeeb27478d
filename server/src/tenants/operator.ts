import type { Actor, Handlers } from "@aftercall/contract/api.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import type { tenantRoutes } from "@aftercall/contract/routes/tenants.ts";
import type { PrivateTarget, Tenant } from "@aftercall/contract/tenant.ts";

import { record } from "#/audit/record.ts";
import { allTenants } from "#/db/all-tenants.ts";
import { readPage } from "#/db/page.ts";
import type { Tx } from "#/db/transaction.ts";
import { notify } from "#/db/wake.ts";
import { Conflict, Forbidden, Invalid, NotFound } from "#/kernel/errors.ts";
import { exactBlock } from "#/kernel/net/addresses.ts";
import { pageOf } from "#/kernel/page.ts";
import { digest } from "#/kernel/secrets.ts";

import { makeApiKey, prefixOfKey } from "./keys.ts";
import * as operator from "./operator-store.ts";
import { presentKey } from "./present.ts";
import type { TenantHandlerOptions } from "./routes.ts";
import * as store from "./store.ts";

export type OperatorOptions = TenantHandlerOptions & {
  /** The tenant whose owners run this server: the one that AFTERCALL_API_KEY belongs to. */
  readonly operatorTenantId: string;
  /** Ends what other parts do for a tenant, in the transaction that closes it. */
  readonly closeTenant: (tx: Tx, tenant: string) => Promise<void>;
  /** Called after a tenant was closed or what is open to it changed, so that this process forgets what it knew. */
  readonly forgetTenant: (tenant: string) => void;
};

type OperatorRoutes = Pick<
  typeof tenantRoutes,
  "listTenants" | "createTenant" | "getTenant" | "deleteTenant" | "getPrivateTargets" | "putPrivateTargets"
>;

type Sides = { readonly before?: object; readonly after?: object };
type Caller = { readonly tenant: string; readonly actor: Actor };

/** What only the operator of the server may do: make and close tenants, and open private networks to one of them. */
export function operatorHandlers(options: OperatorOptions): Handlers<OperatorRoutes> {
  const { db, ids } = options;
  return {
    async listTenants({ tenant, query }) {
      requireOperator(tenant);
      const before = query.cursor === undefined ? null : fromPublicId("tenant", query.cursor);
      const all = await db.inTransaction([], allTenants);
      const rows = await db.inTransaction(all, (tx) =>
        readPage(tx, query, before, (probe, page) => operator.listTenants(probe, all, page)),
      );
      return pageOf(rows, query.limit, presentTenant, (row) => toPublicId("tenant", row.id));
    },

    async createTenant({ tenant, actor, body }) {
      requireOperator(tenant);
      const id = ids.next();
      const key = makeApiKey(options.random, options.keyKind);
      return db.inTransaction([tenant, id], async (tx) => {
        if (!(await store.insertTenant(tx, { id, ...body }))) throw new Conflict("A tenant of this slug exists");
        const row = await store.insertKey(tx, {
          tenant_id: id,
          id: ids.next(),
          digest: digest(key),
          prefix: prefixOfKey(key),
          name: "owner",
          role: "owner",
          expires_at: null,
        });
        const made = await store.tenantById(tx, id);
        if (!row || !made) throw new Conflict("The key exists");
        await auditBoth(tx, { tenant, actor }, id, "tenant.created", { after: presentTenant(made) });
        return { tenant: presentTenant(made), api_key: { ...presentKey(row), key } };
      });
    },

    async getTenant({ tenant, params }) {
      requireOperator(tenant);
      return db.inTransaction([params.id], async (tx) => presentTenant(await tenantOf(tx, params.id)));
    },

    async deleteTenant({ tenant, actor, params }) {
      requireOperator(tenant);
      if (params.id === options.operatorTenantId) throw new Conflict("The tenant of the operator cannot be closed");
      const closed = await db.inTransaction([tenant, params.id], async (tx) => {
        const row = await tenantOf(tx, params.id);
        await operator.markDeleted(tx, params.id);
        await operator.revokeAllKeys(tx, params.id);
        await options.closeTenant(tx, params.id);
        await auditBoth(tx, { tenant, actor }, params.id, "tenant.deleted", { before: presentTenant(row) });
        return presentTenant(row);
      });
      options.forgetKeys();
      options.forgetTenant(params.id);
      return closed;
    },

    async getPrivateTargets({ tenant, params }) {
      requireOperator(tenant);
      return db.inTransaction([params.id], async (tx) => {
        await tenantOf(tx, params.id);
        return { data: (await operator.listPrivateTargets(tx, params.id)).map(presentTarget) };
      });
    },

    async putPrivateTargets({ tenant, actor, params, body }) {
      requireOperator(tenant);
      const blocks = body.blocks.map((text, i) => blockOf(text, i));
      const data = await db.inTransaction([tenant, params.id], async (tx) => {
        await tenantOf(tx, params.id);
        const before = (await operator.listPrivateTargets(tx, params.id)).map(({ block }) => block);
        await operator.replacePrivateTargets(tx, params.id, blocks, `${actor.kind}:${actor.id}`);
        const after = await operator.listPrivateTargets(tx, params.id);
        const sides = { before: { blocks: before }, after: { blocks: after.map(({ block }) => block) } };
        await auditBoth(tx, { tenant, actor }, params.id, "tenant.private_targets_changed", sides);
        await notify(tx, "endpoints", params.id);
        return after.map(presentTarget);
      });
      options.forgetTenant(params.id);
      return { data };
    },
  };

  function requireOperator(tenant: string): void {
    if (tenant === options.operatorTenantId) return;
    throw new Forbidden("Only the operator of this server may do this: an owner of its default tenant");
  }

  /** Both sides can read what was done: who did it, and whom it concerns. */
  async function auditBoth(tx: Tx, { tenant, actor }: Caller, about: string, action: string, sides: Sides) {
    const subject = toPublicId("tenant", about);
    for (const one of new Set([tenant, about])) {
      await record(tx, ids, { tenant: one, actor, action, subject, ...sides });
    }
  }
}

async function tenantOf(tx: Tx, id: string): Promise<store.TenantRow> {
  const row = await store.tenantById(tx, id);
  if (!row || row.deleted_at !== null) throw new NotFound("Tenant");
  return row;
}

function blockOf(text: string, index: number): string {
  const block = exactBlock(text);
  if (block !== null) return block;
  const detail = "Not an address block in CIDR form, as 10.1.0.0/16 with no bits beside the prefix";
  throw new Invalid("An address block is refused", [{ pointer: `/blocks/${index}`, detail }]);
}

function presentTenant({ id, slug, name, created_at: createdAt }: store.TenantRow): Tenant {
  return { id: toPublicId("tenant", id), slug, name, created_at: createdAt.toISOString() };
}

function presentTarget(row: operator.PrivateTargetRow): PrivateTarget {
  return { block: row.block, granted_by: row.granted_by, created_at: row.created_at.toISOString() };
}
