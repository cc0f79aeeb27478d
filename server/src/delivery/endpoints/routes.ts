import type { Actor, Handlers } from "@aftercall/contract/api.ts";
import { endpointLimits } from "@aftercall/contract/endpoint.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import type { deliveryRoutes } from "@aftercall/contract/routes/delivery.ts";

import { record } from "#/audit/record.ts";
import { readPage } from "#/db/page.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import { notify } from "#/db/wake.ts";
import { Conflict, Forbidden, Invalid, NotFound } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import type { GuardedHttp } from "#/kernel/net/http.ts";
import { pageOf } from "#/kernel/page.ts";
import type { Random } from "#/kernel/random.ts";
import type { SecretBox } from "#/kernel/secrets.ts";

import { checkTypes } from "../messages/check-types.ts";
import { closeDisabled } from "../queue/store.ts";
import type { EndpointBook } from "./book.ts";
import { shakeHands } from "./handshake.ts";
import { activeKeys, addFirstKey, rotateKey, type ShownKey } from "./keys.ts";
import { privateTargetsOf } from "./private-targets-store.ts";
import { checkAuth, checkSecret, checkUrl, refusedUid, type UrlJudge } from "./refusals.ts";
import { openSettings, sealSettings } from "./secrets.ts";
import { showEndpoint } from "./show.ts";
import * as store from "./store.ts";
import { newsOfUpdate, tellOperations } from "./tell.ts";
import { changedValues, newValues, type Values } from "./values.ts";

export type EndpointDeps = {
  readonly db: Db;
  readonly ids: Ids;
  readonly random: Random;
  readonly box: SecretBox;
  readonly book: EndpointBook;
  readonly http: Pick<GuardedHttp, "check" | "request">;
  /** The host of our own URL. */
  readonly origin: string;
};

type EndpointRoutes = Pick<
  typeof deliveryRoutes,
  | "listEndpoints"
  | "createEndpoint"
  | "getEndpoint"
  | "updateEndpoint"
  | "deleteEndpoint"
  | "revealEndpointSecret"
  | "rotateEndpointSecret"
  | "listEndpointPublicKeys"
>;

/** Who gets messages, how, and the keys they are signed with. */
export function endpointHandlers(deps: EndpointDeps): Handlers<EndpointRoutes> {
  const { db, ids, box, book, http } = deps;
  return {
    async listEndpoints({ tenant, query }) {
      const before = query.cursor === undefined ? null : fromPublicId("endpoint", query.cursor);
      if (query.cursor !== undefined && before === null) throw badCursor();
      const rows = await db.inTransaction([tenant], (tx) =>
        readPage(tx, query, before, (probe, page) => store.listEndpoints(probe, tenant, page)),
      );
      return pageOf(rows, query.limit, show, (row) => toPublicId("endpoint", row.id));
    },

    async createEndpoint({ tenant, actor, body }) {
      const judge = await judgeFor(tenant);
      checkUrl(judge, body.url, "/url");
      if (body.fallback_url !== null) checkUrl(judge, body.fallback_url, "/fallback_url");
      checkAuth(judge, body.auth);
      checkSecret(body.secret);
      const values = newValues(body);
      await askLeave(values.settings, judge);
      const { row, secret } = await changing(tenant, async (tx) => {
        if ((await store.countForCreation(tx, tenant)) >= endpointLimits.perTenantMax) throw tooMany();
        await checkTypes(tx, tenant, body);
        const created = await store.insertEndpoint(tx, tenant, sealed(tenant, ids.next(), values));
        const { secret: given, signing } = body;
        const first = { tenant, endpointId: created.id, signing, ...(given !== undefined && { secret: given }) };
        const key = await addFirstKey(tx, deps, first);
        await audit(tx, { tenant, actor }, "endpoint.created", created, { after: show(created) });
        await tellOperations(tx, deps, created, [{ type: "endpoint.created" }]);
        return { row: created, secret: key };
      });
      return { ...show(row), secret };
    },

    async getEndpoint({ tenant, params }) {
      return show(await db.inTransaction([tenant], (tx) => endpointOf(tx, tenant, params.id, "read")));
    },

    async updateEndpoint({ tenant, actor, params, body, ifMatch }) {
      const judge = await judgeFor(tenant);
      if (body.url !== undefined) checkUrl(judge, body.url, "/url");
      if (body.fallback_url) checkUrl(judge, body.fallback_url, "/fallback_url");
      checkAuth(judge, body.auth);
      if (asksAnew.some((name) => body[name] !== undefined)) {
        const row = await db.inTransaction([tenant], (tx) => endpointOf(tx, tenant, params.id, "read"));
        await askLeave(changedValues(row, openSettings(box, row), body).settings, judge);
      }
      const row = await changing(tenant, async (tx) => {
        const before = await endpointOf(tx, tenant, params.id, "lock");
        ifMatch?.(show(before));
        await checkTypes(tx, tenant, body);
        const values = changedValues(before, openSettings(box, before), body);
        const after = await store.updateEndpoint(tx, tenant, sealed(tenant, before.id, values));
        if (after.disabled_at !== null) await closeDisabled(tx, [tenant]);
        const sides = { before: show(before), after: show(after), detail: { changed: Object.keys(body) } };
        await audit(tx, { tenant, actor }, "endpoint.updated", after, sides);
        await tellOperations(tx, deps, after, newsOfUpdate(before, after, Object.keys(body)));
        return after;
      });
      return show(row);
    },

    async deleteEndpoint({ tenant, actor, params }) {
      const row = await changing(tenant, async (tx) => {
        const before = show(await endpointOf(tx, tenant, params.id, "lock"));
        const deleted = await store.deleteEndpoint(tx, tenant, params.id);
        await closeDisabled(tx, [tenant]);
        await audit(tx, { tenant, actor }, "endpoint.deleted", deleted, { before });
        await tellOperations(tx, deps, deleted, [{ type: "endpoint.deleted" }]);
        return deleted;
      });
      return show(row);
    },

    async revealEndpointSecret({ tenant, actor, params }) {
      return db.inTransaction([tenant], async (tx) => {
        const row = await endpointOf(tx, tenant, params.id, "read");
        await audit(tx, { tenant, actor }, "endpoint.secret_revealed", row);
        return { secrets: await activeKeys(tx, deps, tenant, params.id) };
      });
    },

    async rotateEndpointSecret({ tenant, actor, params, body }) {
      const isAdmin = actor.role === "admin" || actor.role === "owner";
      if (body.secret !== undefined && !isAdmin) throw new Forbidden("Only an admin may choose the value of a key");
      checkSecret(body.secret);
      return changing(tenant, async (tx) => {
        const row = await endpointOf(tx, tenant, params.id, "lock");
        const before = { secrets: (await activeKeys(tx, deps, tenant, params.id)).map(lifeOf) };
        await rotateKey(tx, deps, { tenant, endpointId: params.id, body });
        const keys = await activeKeys(tx, deps, tenant, params.id);
        const detail = { grace_seconds: body.grace_seconds, imported: body.secret !== undefined };
        const sides = { before, after: { secrets: keys.map(lifeOf) } };
        await audit(tx, { tenant, actor }, "endpoint.secret_rotated", row, { ...sides, detail });
        const oldEnd = keys[1]?.expires_at ?? null;
        await tellOperations(tx, deps, row, [
          { type: "endpoint.secret_rotated", data: { old_secrets_end_at: oldEnd } },
        ]);
        // To read the old ones takes an admin, as revealing does.
        return { secrets: isAdmin ? keys : keys.slice(0, 1) };
      });
    },

    async listEndpointPublicKeys({ tenant, params }) {
      return db.inTransaction([tenant], async (tx) => {
        await endpointOf(tx, tenant, params.id, "read");
        const keys = await activeKeys(tx, deps, tenant, params.id);
        return {
          public_keys: keys.flatMap(({ public_key, created_at, expires_at }) =>
            public_key === null ? [] : [{ public_key, created_at, expires_at }],
          ),
        };
      });
    },
  };

  function show(row: store.EndpointRow) {
    return showEndpoint(row, openSettings(box, row));
  }

  function sealed(
    tenant: string,
    id: string,
    { settings, opened, isPaused, disabledReason }: Values,
  ): store.EndpointValues {
    const secrets = sealSettings(box, { tenant_id: tenant, id }, opened);
    return { ...settings, ...secrets, id, is_paused: isPaused, disabled_reason: disabledReason };
  }

  /** Not within a transaction: somebody else's server answers. */
  async function askLeave(settings: store.EndpointSettings, { privateTargets }: UrlJudge): Promise<void> {
    if (settings.is_handshake_on) await shakeHands(deps, settings, privateTargets);
  }

  async function judgeFor(tenant: string): Promise<UrlJudge> {
    return { http, privateTargets: await db.inTransaction([tenant], (tx) => privateTargetsOf(tx, tenant)) };
  }

  /** A change of endpoints: known here at once and announced to other processes. */
  async function changing<Value>(tenant: string, work: (tx: Tx) => Promise<Value>): Promise<Value> {
    try {
      const value = await db.inTransaction([tenant], async (tx) => {
        const result = await work(tx);
        await notify(tx, "endpoints", tenant);
        return result;
      });
      book.forget(tenant);
      return value;
    } catch (error) {
      throw refusedUid(error);
    }
  }

  async function audit(
    tx: Tx,
    { tenant, actor }: { tenant: string; actor: Actor },
    action: string,
    row: store.EndpointRow,
    { detail, ...sides }: { before?: object; after?: object; detail?: Record<string, unknown> } = {},
  ): Promise<void> {
    const { host } = new URL(row.url);
    await record(tx, ids, {
      tenant,
      actor,
      action,
      subject: toPublicId("endpoint", row.id),
      ...sides,
      detail: { host, ...detail },
    });
  }
}

/** Changes after which the receiver is asked again whether it wants to be called. */
const asksAnew = ["url", "fallback_url", "rate", "is_handshake_on"] as const;

async function endpointOf(tx: Tx, tenant: string, id: string, lock: "lock" | "read"): Promise<store.EndpointRow> {
  const row = await store.findEndpoint(tx, tenant, id, lock);
  if (!row) throw new NotFound("Endpoint");
  return row;
}

function tooMany(): Conflict {
  return new Conflict(`A tenant has at most ${endpointLimits.perTenantMax} endpoints; delete one that is not used`);
}

function badCursor(): Invalid {
  return new Invalid("The cursor is not one of this list", [{ pointer: "?cursor", detail: "Send next_cursor" }]);
}

/** Of a key all but the key. */
function lifeOf({ created_at, expires_at }: ShownKey) {
  return { created_at, expires_at };
}
