import { decodeJwt, errors, jwtVerify } from "jose";

import type { Db } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { Unauthorized } from "#/kernel/errors.ts";
import type { GuardedHttp } from "#/kernel/net/http.ts";

import { type IdentityProviderRow, providersOfIssuer, tenantsOfIssuer } from "./issuer-store.ts";
import { createKeySets, type KeySets } from "./key-sets.ts";
import { listPrivateTargets } from "./operator-store.ts";

/** A token that was signed by a system which at least one tenant believes. */
export type ForeignToken = {
  readonly sub: string;
  /** The tenants that believe it; nobody else may be reached with it. */
  readonly tenants: readonly string[];
  readonly tenantClaim: string | null;
  readonly roleClaim: string | null;
};

export type Issuers = {
  /** @throws Unauthorized, and Unavailable when the keys that would tell cannot be fetched */
  verify(token: string): Promise<ForeignToken>;
};

export type IssuersOptions = {
  readonly db: Db;
  readonly clock: Clock;
  readonly http: Pick<GuardedHttp, "request">;
};

/** What is accepted, whatever a token says of itself: an HS256 "signed" with a public key would be anybody's. */
const algorithms = ["RS256", "ES256"];

/**
 * Tokens of other systems: each is checked with the keys of every tenant that believes its issuer, so one tenant's keys never
 * open another tenant.
 */
export function createIssuers({ db, clock, http }: IssuersOptions): Issuers {
  const keySets = createKeySets({ clock, http });
  return {
    async verify(token) {
      const issuer = issuerOf(token);
      const providers = await believers(issuer);
      const believed: { tenant: string; claims: Record<string, unknown> }[] = [];
      for (const provider of providers) {
        const claims = await claimsOf(keySets, provider, token);
        if (claims) believed.push({ tenant: provider.tenant_id, claims });
      }
      const [first] = believed;
      const sub = first?.claims["sub"];
      if (!first || typeof sub !== "string" || sub === "" || sub.length > 255 || sub.includes("\0")) throw refused();
      return {
        sub,
        tenants: believed.map(({ tenant }) => tenant),
        tenantClaim: textOf(first.claims["tenant"]),
        roleClaim: textOf(first.claims["role"]),
      };
    },
  };

  async function believers(issuer: string): Promise<(IdentityProviderRow & { privateTargets: string[] })[]> {
    const tenants = await db.inTransaction([], (tx) => tenantsOfIssuer(tx, issuer));
    if (tenants.length === 0) throw refused();
    return db.inTransaction(tenants, async (tx) => {
      const rows = await providersOfIssuer(tx, tenants, issuer);
      const found = [];
      for (const row of rows) {
        const open = await listPrivateTargets(tx, row.tenant_id);
        found.push({ ...row, privateTargets: open.map(({ block }) => block) });
      }
      return found;
    });
  }

  /** Null for a token that this provider did not make. A key it does not know yet is looked for once more. */
  async function claimsOf(
    sets: KeySets,
    provider: IdentityProviderRow & { privateTargets: string[] },
    token: string,
  ): Promise<Record<string, unknown> | null> {
    const place = { tenant: provider.tenant_id, url: provider.jwks_url, privateTargets: provider.privateTargets };
    for (const isFresh of [false, true]) {
      try {
        const keys = await sets.keysOf(place, isFresh);
        const { payload } = await jwtVerify(token, keys, {
          algorithms,
          issuer: provider.issuer,
          ...(provider.audience !== null && { audience: provider.audience }),
          requiredClaims: ["exp", "sub"],
          currentDate: new Date(clock.now()),
        });
        return payload;
      } catch (error) {
        if (error instanceof errors.JWKSNoMatchingKey && !isFresh) continue;
        if (error instanceof errors.JOSEError || error instanceof TypeError) return null;
        throw error;
      }
    }
    return null;
  }
}

/** What a token says of itself, before anything is believed. */
function issuerOf(token: string): string {
  try {
    const { iss } = decodeJwt(token);
    if (typeof iss === "string" && iss !== "" && iss.length <= 500 && !iss.includes("\0")) return iss;
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
  }
  throw refused();
}

function refused(): Unauthorized {
  return new Unauthorized("Invalid or expired token");
}

function textOf(claim: unknown): string | null {
  return typeof claim === "string" ? claim : null;
}
