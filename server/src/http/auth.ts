import { createSecretKey } from "node:crypto";

import type { Actor } from "@aftercall/contract/api.ts";
import { Role } from "@aftercall/contract/tenant.ts";
import { decodeProtectedHeader, errors, jwtVerify } from "jose";

import type { Clock } from "#/kernel/clock.ts";
import { Unauthorized } from "#/kernel/errors.ts";
import { digest } from "#/kernel/secrets.ts";

/** Who asks, and for which tenant. */
export type Caller = { readonly tenant: string; readonly actor: Actor };

/** A person with a token of ours: the tenants they belong to, and their id in each. */
export type Person = {
  /** `sub`: their id in the system that made the token. */
  readonly externalId: string;
  readonly memberships: readonly Membership[];
  readonly claims: { readonly tenant: string | null; readonly role: Role | null };
  /** What they are where the tenant gave them no role. */
  readonly roleWithout: Role;
};

/** `role`: what the tenant says that they may; absent or null where it says nothing. */
export type Membership = { readonly tenant: string; readonly userId: string; readonly role?: Role | null };

/** A token that some other system signed, and the tenants that believe it. */
type ForeignToken = {
  readonly sub: string;
  readonly tenants: readonly string[];
  readonly tenantClaim: string | null;
  readonly roleClaim: string | null;
};

export type AuthOptions = {
  readonly clock: Clock;
  /** Key of user tokens (HS256); null: no token is accepted. */
  readonly jwtSecret: string | null;
  /** Looks an API key up by the sha256 of the key; null for one that is unknown, revoked or expired. */
  readonly callerOfKey: (digest: Buffer) => Promise<Caller | null>;
  readonly membershipsOf: (externalId: string) => Promise<readonly Membership[]>;
  /** Tokens of other systems (RS256, ES256); without it none is accepted. */
  readonly issuers?: { verify(token: string): Promise<ForeignToken> };
  /** Tokens for pages of end-customers; without it none is accepted. */
  readonly embedTokens?: { callerOf(token: string): Promise<Caller> };
};

export type Auth = {
  /** For /v1: an API key, or a token of a user we know. Throws {@link Unauthorized}. */
  caller(authorization: readonly string[]): Promise<Caller>;
  /** For the routes that take user tokens only. Throws {@link Unauthorized}; somebody without a tenant is still a person. */
  person(authorization: readonly string[]): Promise<Person>;
};

const tokenBytesMax = 8_192;
const jwtForm = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;

const embedForm = /^ac_embed_/;

export function createAuth(options: AuthOptions): Auth {
  // An empty key would verify tokens that anybody can sign.
  const key = options.jwtSecret ? createSecretKey(Buffer.from(options.jwtSecret)) : null;

  const person = async (authorization: readonly string[]): Promise<Person> => {
    const token = bearerOf(authorization);
    return isForeign(token) ? foreignPerson(token) : ownPerson(token);
  };
  return {
    person,
    async caller(authorization) {
      const token = bearerOf(authorization);
      if (embedForm.test(token) && options.embedTokens) return options.embedTokens.callerOf(token);
      if (jwtForm.test(token)) return callerFrom(await person(authorization));
      const caller = await options.callerOfKey(digest(token));
      if (!caller) throw new Unauthorized("The API key is unknown, revoked or expired");
      return caller;
    },
  };

  /** A token signed with our own key: whoever has that may make admins, and no owners. */
  async function ownPerson(token: string): Promise<Person> {
    const claims = await verify(token);
    const { data: role = null } = Role.safeParse(claims.role);
    return {
      externalId: claims.sub,
      memberships: await options.membershipsOf(claims.sub),
      claims: { tenant: claims.tenant, role },
      roleWithout: role === "admin" ? "admin" : "member",
    };
  }

  /** A token of somebody else: it reaches only who believes it, and its role can only take away. */
  async function foreignPerson(token: string): Promise<Person> {
    if (!options.issuers) throw new Unauthorized("Invalid or expired token");
    const { sub, tenants, tenantClaim, roleClaim } = await options.issuers.verify(token);
    const memberships = (await options.membershipsOf(sub)).filter(({ tenant }) => tenants.includes(tenant));
    const { data: role = null } = Role.safeParse(roleClaim);
    return { externalId: sub, memberships, claims: { tenant: tenantClaim, role }, roleWithout: "member" };
  }

  async function verify(token: string) {
    if (!key) throw new Unauthorized("This server has no JWT_SECRET, so it takes API keys only");
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ["HS256"],
        requiredClaims: ["exp", "sub"],
        currentDate: new Date(options.clock.now()),
      });
      if (!payload.sub || payload.sub.length > 255 || payload.sub.includes("\0"))
        throw new Unauthorized("Invalid token");
      return { sub: payload.sub, tenant: textOf(payload["tenant"]), role: textOf(payload["role"]) };
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof TypeError)
        throw new Unauthorized("Invalid or expired token");
      throw error;
    }
  }
}

/** The one bearer token of a request. Two Authorization headers are none: proxies and we could read different ones. */
function bearerOf(authorization: readonly string[]): string {
  const [header, ...others] = authorization;
  const match = others.length === 0 ? /^Bearer +([\x21-\x7e]+)$/i.exec(header ?? "") : null;
  const token = match?.[1];
  if (!token || token.length > tokenBytesMax) throw new Unauthorized();
  return token;
}

/** Its algorithm only says which way a token is checked; each way has its own list of what it takes. */
function isForeign(token: string): boolean {
  try {
    return decodeProtectedHeader(token).alg !== "HS256";
  } catch {
    throw new Unauthorized("Invalid or expired token");
  }
}

/** The role that the tenant gave counts, and a token can only lower it; its tenant only chooses among the person's own. */
function callerFrom({ memberships, claims, roleWithout }: Person): Caller {
  const chosen = memberships.length === 1 ? memberships[0] : memberships.find(({ tenant }) => tenant === claims.tenant);
  if (!chosen) throw new Unauthorized("The token does not say which tenant of this server it is for");
  return {
    tenant: chosen.tenant,
    actor: { kind: "user", id: chosen.userId, role: roleOf(chosen.role ?? roleWithout, claims.role) },
  };
}

function roleOf(given: Role, claimed: Role | null): Role {
  const order = Role.options;
  return claimed !== null && order.indexOf(claimed) < order.indexOf(given) ? claimed : given;
}

function textOf(claim: unknown): string | null {
  return typeof claim === "string" ? claim : null;
}
