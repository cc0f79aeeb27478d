import type { Handlers } from "@aftercall/contract/api.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import type { IdentityProvider } from "@aftercall/contract/identity.ts";
import type { identityRoutes } from "@aftercall/contract/routes/identity.ts";

import { record } from "#/audit/record.ts";
import { readPage } from "#/db/page.ts";
import type { Db } from "#/db/transaction.ts";
import { Conflict, Invalid, NotFound } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import type { GuardedHttp } from "#/kernel/net/http.ts";
import { pageOf } from "#/kernel/page.ts";

import * as store from "./issuer-store.ts";
import { listPrivateTargets } from "./operator-store.ts";

export type IssuerHandlerOptions = { readonly db: Db; readonly ids: Ids; readonly http: Pick<GuardedHttp, "check"> };

type IssuerRoutes = Pick<
  typeof identityRoutes,
  "listIdentityProviders" | "createIdentityProvider" | "getIdentityProvider" | "deleteIdentityProvider"
>;

/** The systems whose tokens a tenant believes. */
export function issuerHandlers({ db, ids, http }: IssuerHandlerOptions): Handlers<IssuerRoutes> {
  return {
    async listIdentityProviders({ tenant, query }) {
      const before = query.cursor === undefined ? null : fromPublicId("identity_provider", query.cursor);
      const rows = await db.inTransaction([tenant], (tx) =>
        readPage(tx, query, before, (probe, page) => store.listProviders(probe, tenant, page)),
      );
      return pageOf(rows, query.limit, show, (row) => toPublicId("identity_provider", row.id));
    },

    async createIdentityProvider({ tenant, actor, body }) {
      return db.inTransaction([tenant], async (tx) => {
        const open = (await listPrivateTargets(tx, tenant)).map(({ block }) => block);
        const verdict = http.check(body.jwks_url, open);
        if (!verdict.ok) throw new Invalid("The URL is refused", [{ pointer: "/jwks_url", detail: verdict.detail }]);
        const row = await store.insertProvider(tx, { tenant_id: tenant, id: ids.next(), ...body });
        if (!row) throw new Conflict("There is one with this issuer; delete it first");
        const subject = toPublicId("identity_provider", row.id);
        await record(tx, ids, { tenant, actor, action: "identity_provider.created", subject, after: show(row) });
        return show(row);
      });
    },

    async getIdentityProvider({ tenant, params }) {
      const row = await db.inTransaction([tenant], (tx) => store.providerById(tx, tenant, params.id));
      if (!row) throw new NotFound("Identity provider");
      return show(row);
    },

    async deleteIdentityProvider({ tenant, actor, params }) {
      return db.inTransaction([tenant], async (tx) => {
        const row = await store.deleteProvider(tx, tenant, params.id);
        if (!row) throw new NotFound("Identity provider");
        const subject = toPublicId("identity_provider", row.id);
        await record(tx, ids, { tenant, actor, action: "identity_provider.deleted", subject, before: show(row) });
        return show(row);
      });
    },
  };
}

function show(row: store.IdentityProviderRow): IdentityProvider {
  return {
    id: toPublicId("identity_provider", row.id),
    name: row.name,
    issuer: row.issuer,
    audience: row.audience,
    jwks_url: row.jwks_url,
    created_at: row.created_at.toISOString(),
  };
}
