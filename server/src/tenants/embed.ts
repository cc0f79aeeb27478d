import { createSecretKey } from "node:crypto";

import type { Actor, Handler } from "@aftercall/contract/api.ts";
import { toPublicId } from "@aftercall/contract/id.ts";
import type { identityRoutes } from "@aftercall/contract/routes/identity.ts";
import { errors, jwtVerify, SignJWT } from "jose";

import { record } from "#/audit/record.ts";
import type { Db } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { Unauthorized } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";

/** What every embed token begins with: it is told apart from keys and from users' tokens before anything is checked. */
export const embedPrefix = "ac_embed_";

export type EmbedTokens = {
  make(about: { tenant: string; madeBy: string; businessId: string; expiresAt: number }): Promise<string>;
  /** @throws Unauthorized for a token that is not one, has run out, or whose maker counts no more */
  callerOf(token: string): Promise<{ readonly tenant: string; readonly actor: Actor }>;
};

export type EmbedOptions = {
  /** A key for this alone: with the one of users' tokens, either could be made into the other. */
  readonly key: Buffer;
  readonly clock: Clock;
  /** Whether the key or user that made a token still counts. */
  readonly isAlive: (tenant: string, actorId: string) => Promise<boolean>;
};

const kind = "embed+jwt";

/** Tokens for the page of one end-customer: nothing is stored, so making one costs nothing, and they are short-lived. */
export function createEmbedTokens({ key, clock, isAlive }: EmbedOptions): EmbedTokens {
  const secret = createSecretKey(key);
  return {
    async make({ tenant, madeBy, businessId, expiresAt }) {
      const token = await new SignJWT({ ten: tenant, biz: businessId })
        .setProtectedHeader({ alg: "HS256", typ: kind })
        .setSubject(madeBy)
        .setExpirationTime(Math.floor(expiresAt / 1000))
        .sign(secret);
      return embedPrefix + token;
    },

    async callerOf(token) {
      const { tenant, businessId, madeBy } = await read(token.slice(embedPrefix.length));
      if (!(await isAlive(tenant, madeBy))) throw refused();
      return { tenant, actor: { kind: "embed", id: madeBy, role: "viewer", businessId } };
    },
  };

  async function read(token: string): Promise<{ tenant: string; businessId: string; madeBy: string }> {
    try {
      const { payload } = await jwtVerify(token, secret, {
        algorithms: ["HS256"],
        typ: kind,
        requiredClaims: ["exp", "sub", "ten", "biz"],
        currentDate: new Date(clock.now()),
      });
      const { ten, biz, sub } = payload;
      if (typeof ten !== "string" || typeof biz !== "string" || typeof sub !== "string") throw refused();
      return { tenant: ten, businessId: biz, madeBy: sub };
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof TypeError) throw refused();
      throw error;
    }
  }
}

/** `POST /v1/embed-tokens`. */
export function createEmbedHandler(deps: {
  readonly db: Db;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly embedTokens: EmbedTokens;
}): Handler<(typeof identityRoutes)["createEmbedToken"]> {
  return async ({ tenant, actor, body }) => {
    const expiresAt = deps.clock.now() + body.expires_in_seconds * 1000;
    const { business_id: businessId } = body;
    const token = await deps.embedTokens.make({ tenant, madeBy: actor.id, businessId, expiresAt });
    const shown = { business_id: businessId, expires_at: new Date(Math.floor(expiresAt / 1000) * 1000).toISOString() };
    await deps.db.inTransaction([tenant], (tx) =>
      record(tx, deps.ids, {
        tenant,
        actor,
        action: "embed_token.created",
        subject: toPublicId("tenant", tenant),
        after: shown,
      }),
    );
    return { token, ...shown };
  };
}

function refused(): Unauthorized {
  return new Unauthorized("The embed token is invalid, has run out, or its maker counts no more");
}
