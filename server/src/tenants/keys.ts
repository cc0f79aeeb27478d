import type { Actor } from "@aftercall/contract/api.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";

import type { Db, Tx } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { type Random, randomToken } from "#/kernel/random.ts";

import {
  type ApiKeyRow,
  keyById,
  keyOfDigest,
  markUsed,
  tenantsOfUser,
  type UserRow,
  userById,
  usersNamed,
} from "./store.ts";

/** A new API key: 256 random bits, so a plain sha256 of it is as good as a slow hash. */
export function makeApiKey(random: Random, kind: "live" | "dev"): string {
  return `ac_${kind}_${randomToken(random)}`;
}

/** What recognises a key to people: its kind and its first six characters. */
export function prefixOfKey(key: string): string {
  return /^ac_(live|dev)_.{6}/.exec(key)?.[0] ?? key.slice(0, 4);
}

export type CredentialsOptions = { readonly db: Db; readonly clock: Clock };

type Caller = { readonly tenant: string; readonly actor: Actor };

/** Finds out who stands behind a credential. Keys are remembered for a few seconds; unknown ones never, they cannot repeat usefully. */
export function createCredentials({ db, clock }: CredentialsOptions) {
  const known = new Map<string, { row: ApiKeyRow; until: number }>();
  const alive = new Map<string, { isAlive: boolean; until: number }>();

  return {
    /** Null for a key that is unknown, revoked or expired. */
    async callerOfKey(digestOfKey: Buffer): Promise<Caller | null> {
      const row = await rowOf(digestOfKey);
      if (!row || row.revoked_at !== null) return null;
      if (row.expires_at !== null && row.expires_at.getTime() <= clock.now()) return null;
      const scopes = row.scopes === null ? {} : { scopes: row.scopes };
      const id = toPublicId("api_key", row.id);
      const actor = { kind: "api_key", id, role: row.role, apiVersion: row.api_version, ...scopes } as const;
      return { tenant: row.tenant_id, actor };
    },

    /** Whether a key or user, by public id, still counts in a tenant; remembered as keys are. */
    async isAlive(tenant: string, actorId: string): Promise<boolean> {
      const name = `${tenant} ${actorId}`;
      const held = alive.get(name);
      if (held && held.until > clock.monotonic()) return held.isAlive;
      alive.delete(name);
      const isAlive = await db.inTransaction([tenant], (tx) => counts(tx, tenant, actorId));
      alive.set(name, { isAlive, until: clock.monotonic() + rememberedMs });
      if (alive.size > rememberedMax) alive.delete(alive.keys().next().value ?? name);
      return isAlive;
    },

    /** The tenants of somebody known by the `sub` of their token, with their id in each. */
    async membershipsOf(externalId: string): Promise<{ tenant: string; userId: string; role: UserRow["role"] }[]> {
      const tenants = await db.inTransaction([], (tx) => tenantsOfUser(tx, externalId));
      if (tenants.length === 0) return [];
      const users = await db.inTransaction(tenants, (tx) => usersNamed(tx, tenants, externalId));
      return users.map((user) => ({
        tenant: user.tenant_id,
        userId: toPublicId("user", user.id),
        role: user.role,
      }));
    },

    /** A change of a key counts at once in this process; in others when their memory of it runs out. */
    forget(): void {
      known.clear();
      alive.clear();
    },
  };

  async function counts(tx: Tx, tenant: string, actorId: string): Promise<boolean> {
    const keyId = fromPublicId("api_key", actorId);
    if (keyId !== null) {
      const row = await keyById(tx, tenant, keyId);
      return row !== null && row.revoked_at === null && !(row.expires_at && row.expires_at.getTime() <= clock.now());
    }
    const userId = fromPublicId("user", actorId);
    const user = userId === null ? null : await userById(tx, tenant, userId);
    return user !== null && user.removed_at === null;
  }

  async function rowOf(digestOfKey: Buffer): Promise<ApiKeyRow | null> {
    const name = digestOfKey.toString("base64");
    const held = known.get(name);
    if (held && held.until > clock.monotonic()) return held.row;
    known.delete(name);
    const row = await load(digestOfKey);
    if (!row) return null;
    known.set(name, { row, until: clock.monotonic() + rememberedMs });
    if (known.size > rememberedMax) known.delete(known.keys().next().value ?? name);
    return row;
  }

  async function load(digestOfKey: Buffer): Promise<ApiKeyRow | null> {
    const key = await db.inTransaction([], (tx) => keyOfDigest(tx, digestOfKey));
    if (!key) return null;
    return db.inTransaction([key.tenant_id], async (tx) => {
      const row = await keyById(tx, key.tenant_id, key.id);
      const now = clock.now();
      // Once a minute is enough to see which keys are in use, and spares a write per request.
      if (row && row.revoked_at === null && now - (row.last_used_at?.getTime() ?? 0) > usedEveryMs) {
        await markUsed(tx, key.tenant_id, key.id, new Date(now));
      }
      return row;
    });
  }
}

const rememberedMs = 5_000;
const rememberedMax = 10_000;
const usedEveryMs = 60_000;
