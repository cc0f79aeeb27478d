import type { Actor, Handlers } from "@aftercall/contract/api.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import { routes } from "@aftercall/contract/routes.ts";
import type { tenantRoutes } from "@aftercall/contract/routes/tenants.ts";
import { Role } from "@aftercall/contract/tenant.ts";

import { record } from "#/audit/record.ts";
import { readPage } from "#/db/page.ts";
import { Conflict, Forbidden, Invalid, NotFound } from "#/kernel/errors.ts";
import { pageOf } from "#/kernel/page.ts";
import { digest } from "#/kernel/secrets.ts";

import { makeApiKey, prefixOfKey } from "./keys.ts";
import { presentKey } from "./present.ts";
import type { TenantHandlerOptions } from "./routes.ts";
import * as store from "./store.ts";

type KeyRoutes = Pick<typeof tenantRoutes, "listApiKeys" | "createApiKey" | "revokeApiKey" | "rotateApiKey">;

/** The API keys of a tenant. Nobody makes a key that may more than they may themselves. */
export function keyHandlers({
  db,
  ids,
  clock,
  random,
  keyKind,
  forgetKeys,
}: TenantHandlerOptions): Handlers<KeyRoutes> {
  return {
    async listApiKeys({ tenant, query }) {
      const before = query.cursor === undefined ? null : fromPublicId("api_key", query.cursor);
      const rows = await db.inTransaction([tenant], (tx) =>
        readPage(tx, query, before, (probe, page) => store.listKeys(probe, tenant, page)),
      );
      return pageOf(rows, query.limit, presentKey, (row) => toPublicId("api_key", row.id));
    },

    async createApiKey({ tenant, actor, body }) {
      requireRank(actor, body.role);
      checkScopes(actor, body.scopes);
      const key = makeApiKey(random, keyKind);
      return db.inTransaction([tenant], async (tx) => {
        const row = await store.insertKey(tx, {
          tenant_id: tenant,
          id: ids.next(),
          digest: digest(key),
          prefix: prefixOfKey(key),
          name: body.name,
          role: body.role,
          scopes: body.scopes,
          expires_at: body.expires_at === null ? null : new Date(body.expires_at),
        });
        if (!row) throw new Conflict("The key exists");
        const shown = presentKey(row);
        await record(tx, ids, { tenant, actor, action: "api_key.created", subject: shown.id, after: shown });
        return { ...shown, key };
      });
    },

    async rotateApiKey({ tenant, actor, params, body }) {
      const key = makeApiKey(random, keyKind);
      const made = await db.inTransaction([tenant], async (tx) => {
        const old = await keyOf(() => store.lockKey(tx, tenant, params.id));
        requireRank(actor, old.role);
        checkScopes(actor, old.scopes);
        if (old.revoked_at !== null || (old.expires_at && old.expires_at.getTime() <= clock.now())) {
          throw new Conflict("The key has ended; make a new one");
        }
        if (old.replaced_by !== null) throw new Conflict("The key was rotated before; rotate the one in its place");
        const row = await store.insertKey(tx, {
          ...old,
          id: ids.next(),
          digest: digest(key),
          prefix: prefixOfKey(key),
        });
        if (!row) throw new Conflict("The key exists");
        await store.replaceKey(tx, old, row.id, new Date(clock.now() + body.overlap_seconds * 1000));
        const after = await keyOf(() => store.keyById(tx, tenant, old.id));
        const [subject, sides] = [toPublicId("api_key", old.id), { before: presentKey(old), after: presentKey(after) }];
        await record(tx, ids, { tenant, actor, action: "api_key.rotated", subject, ...sides });
        const shown = presentKey(row);
        await record(tx, ids, { tenant, actor, action: "api_key.created", subject: shown.id, after: shown });
        return { ...shown, key };
      });
      forgetKeys();
      return made;
    },

    async revokeApiKey({ tenant, actor, params }) {
      const revoked = await db.inTransaction([tenant], async (tx) => {
        const before = presentKey(await keyOf(() => store.lockKey(tx, tenant, params.id)));
        const after = presentKey(await keyOf(() => store.revokeKey(tx, tenant, params.id, new Date(clock.now()))));
        await record(tx, ids, { tenant, actor, action: "api_key.revoked", subject: after.id, before, after });
        return after;
      });
      forgetKeys();
      return revoked;
    },
  };
}

async function keyOf(find: () => Promise<store.ApiKeyRow | null>): Promise<store.ApiKeyRow> {
  const row = await find();
  if (!row) throw new NotFound("API key");
  return row;
}

function requireRank(actor: Actor, role: Role): void {
  if (Role.options.indexOf(role) <= Role.options.indexOf(actor.role)) return;
  throw new Forbidden(`A key cannot have a higher role (${role}) than the one that makes it (${actor.role})`);
}

/** Scopes are words for what there is, and a key with scopes makes no key that has more. */
function checkScopes(actor: Actor, scopes: readonly string[] | null): void {
  if (actor.scopes && (!scopes || scopes.some((scope) => !isWithin(scope, actor.scopes ?? [])))) {
    throw new Forbidden(`A key with scopes can only make keys with no more than these: ${actor.scopes.join(", ")}`);
  }
  const known = new Set(["*", ...Object.values(routes).map(({ path }) => path.split("/")[2] ?? "")]);
  const unknown = (scopes ?? []).flatMap((scope, i) =>
    known.has(scope.split(":")[0] ?? "")
      ? []
      : [{ pointer: `/scopes/${i}`, detail: `No such resource. There are: ${[...known].join(", ")}` }],
  );
  if (unknown.length > 0) throw new Invalid("A scope names nothing there is", unknown);
}

function isWithin(scope: string, held: readonly string[]): boolean {
  return held.includes(scope) || held.includes(`*:${scope.split(":")[1] ?? ""}`);
}
