import type { Actor, Handlers } from "@aftercall/contract/api.ts";
import {
  type CreateEndpoint,
  defaultScheduleMs,
  type Endpoint,
  type UpdateEndpoint,
} from "@aftercall/contract/endpoint.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import type { deliveryRoutes } from "@aftercall/contract/routes/delivery.ts";

import { record } from "#/audit/record.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import { notify } from "#/db/wake.ts";
import { Conflict, Invalid, NotFound } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { limits } from "#/kernel/limits.ts";
import type { GuardedHttp } from "#/kernel/net/http.ts";
import { pageOf } from "#/kernel/page.ts";
import type { Random } from "#/kernel/random.ts";
import type { SecretBox } from "#/kernel/secrets.ts";

import { closeDisabled } from "../queue/store.ts";
import { newSecret } from "../sign.ts";
import type { EndpointBook } from "./book.ts";
import { openSecret, sealSecret } from "./secrets.ts";
import * as store from "./store.ts";

export type EndpointDeps = {
  readonly db: Db;
  readonly ids: Ids;
  readonly random: Random;
  readonly box: SecretBox;
  readonly book: EndpointBook;
  readonly http: Pick<GuardedHttp, "check">;
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
>;

/** Who gets messages, and the secrets they are signed with. */
export function endpointHandlers({ db, ids, random, box, book, http }: EndpointDeps): Handlers<EndpointRoutes> {
  return {
    async listEndpoints({ tenant, query }) {
      const before = query.cursor === undefined ? null : fromPublicId("endpoint", query.cursor);
      if (query.cursor !== undefined && before === null) throw badCursor();
      const rows = await db.inTransaction([tenant], (tx) =>
        store.listEndpoints(tx, tenant, { before, limit: query.limit }),
      );
      return pageOf(rows, query.limit, showEndpoint, (row) => toPublicId("endpoint", row.id));
    },

    async createEndpoint({ tenant, actor, body }) {
      checkUrl(body.url);
      const secret = body.secret ?? newSecret(random);
      const row = await changing(tenant, async (tx) => {
        const created = await store.insertEndpoint(tx, tenant, newEndpoint(ids.next(), body));
        await store.insertSecret(tx, created.id, sealSecret(box, ids, tenant, secret));
        await audit(tx, { tenant, actor }, "endpoint.created", created);
        return created;
      });
      return { ...showEndpoint(row), secret };
    },

    async getEndpoint({ tenant, params }) {
      return showEndpoint(await db.inTransaction([tenant], (tx) => endpointOf(tx, tenant, params.id, "read")));
    },

    async updateEndpoint({ tenant, actor, params, body }) {
      if (body.url !== undefined) checkUrl(body.url);
      const row = await changing(tenant, async (tx) => {
        const before = await endpointOf(tx, tenant, params.id, "lock");
        const after = await store.updateEndpoint(tx, tenant, changed(before, body));
        if (after.disabled_at !== null) await closeDisabled(tx, [tenant]);
        await audit(tx, { tenant, actor }, "endpoint.updated", after, { changed: Object.keys(body) });
        return after;
      });
      return showEndpoint(row);
    },

    async deleteEndpoint({ tenant, actor, params }) {
      const row = await changing(tenant, async (tx) => {
        await endpointOf(tx, tenant, params.id, "lock");
        const deleted = await store.deleteEndpoint(tx, tenant, params.id);
        await closeDisabled(tx, [tenant]);
        await audit(tx, { tenant, actor }, "endpoint.deleted", deleted);
        return deleted;
      });
      return showEndpoint(row);
    },

    async revealEndpointSecret({ tenant, actor, params }) {
      return db.inTransaction([tenant], async (tx) => {
        const row = await endpointOf(tx, tenant, params.id, "read");
        await audit(tx, { tenant, actor }, "endpoint.secret_revealed", row);
        return secretsOf(tx, tenant, params.id);
      });
    },

    async rotateEndpointSecret({ tenant, actor, params, body }) {
      return changing(tenant, async (tx) => {
        const row = await endpointOf(tx, tenant, params.id, "lock");
        await store.expireSecrets(tx, tenant, params.id, body.grace_seconds);
        const signing = await store.listSecrets(tx, tenant, params.id);
        if (signing.length >= limits.endpointSecretsMax) {
          throw new Conflict(
            `${limits.endpointSecretsMax} secrets sign already: wait for one to end, or rotate with a grace of 0`,
          );
        }
        await store.insertSecret(tx, params.id, sealSecret(box, ids, tenant, newSecret(random)));
        await audit(tx, { tenant, actor }, "endpoint.secret_rotated", row, { grace_seconds: body.grace_seconds });
        return secretsOf(tx, tenant, params.id);
      });
    },
  };

  /** Says what is wrong with the text of a URL; whether a name is fine shows when it is dialled. */
  function checkUrl(url: string): void {
    const verdict = http.check(url);
    if (!verdict.ok)
      throw new Invalid(`The URL is refused: ${verdict.detail}`, [{ pointer: "/url", detail: verdict.detail }]);
  }

  /** A change of endpoints: known here at once and announced to other processes. */
  async function changing<Value>(tenant: string, work: (tx: Tx) => Promise<Value>): Promise<Value> {
    const value = await db.inTransaction([tenant], async (tx) => {
      const result = await work(tx);
      await notify(tx, "endpoints", tenant);
      return result;
    });
    book.forget(tenant);
    return value;
  }

  async function audit(
    tx: Tx,
    { tenant, actor }: { tenant: string; actor: Actor },
    action: string,
    row: store.EndpointRow,
    detail: Record<string, unknown> = {},
  ): Promise<void> {
    const { host } = new URL(row.url);
    await record(tx, ids, {
      tenant,
      actor,
      action,
      subject: toPublicId("endpoint", row.id),
      detail: { host, ...detail },
    });
  }

  async function secretsOf(tx: Tx, tenant: string, endpointId: string) {
    const rows = await store.listSecrets(tx, tenant, endpointId);
    return {
      secrets: rows.map((row) => ({
        secret: openSecret(box, { ...row, tenant_id: tenant }).text,
        created_at: row.created_at.toISOString(),
        expires_at: row.expires_at?.toISOString() ?? null,
      })),
    };
  }
}

async function endpointOf(tx: Tx, tenant: string, id: string, lock: "lock" | "read"): Promise<store.EndpointRow> {
  const row = await store.findEndpoint(tx, tenant, id, lock);
  if (!row) throw new NotFound("Endpoint");
  return row;
}

function newEndpoint(id: string, body: CreateEndpoint): store.EndpointValues {
  return {
    id,
    url: body.url,
    description: body.description,
    types: body.types,
    direction: body.direction,
    format: body.format,
    schedule_ms: [...(body.schedule_ms ?? defaultScheduleMs)],
    timeout_ms: body.timeout_ms,
    in_flight_max: body.in_flight_max,
    disabled_reason: null,
  };
}

/** What is absent stays, null goes back to the default. */
function changed(row: store.EndpointRow, body: UpdateEndpoint): store.EndpointValues {
  return {
    id: row.id,
    url: body.url ?? row.url,
    description: orDefault(body.description, row.description, ""),
    types: orDefault(body.types, row.types, ["*"]),
    direction: orDefault(body.direction, row.direction, "any"),
    format: orDefault(body.format, row.format, "standard"),
    schedule_ms: orDefault<(string | number)[]>(body.schedule_ms, row.schedule_ms, [...defaultScheduleMs]),
    timeout_ms: orDefault(body.timeout_ms, row.timeout_ms, 15_000),
    in_flight_max: orDefault(body.in_flight_max, row.in_flight_max, 10),
    disabled_reason: reasonAfter(row.disabled_reason, body.is_enabled),
  };
}

function orDefault<Value>(given: Value | null | undefined, before: Value, fallback: Value): Value {
  return given === undefined ? before : (given ?? fallback);
}

function reasonAfter(before: string | null, isEnabled: boolean | undefined): string | null {
  if (isEnabled === undefined) return before;
  return isEnabled ? null : (before ?? "user");
}

function showEndpoint(row: store.EndpointRow): Endpoint {
  return {
    id: toPublicId("endpoint", row.id),
    url: row.url,
    description: row.description,
    types: row.types,
    direction: row.direction,
    format: row.format,
    schedule_ms: row.schedule_ms.map(Number),
    timeout_ms: row.timeout_ms,
    in_flight_max: row.in_flight_max,
    is_enabled: row.disabled_at === null,
    disabled_at: row.disabled_at?.toISOString() ?? null,
    disabled_reason: row.disabled_reason,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

function badCursor(): Invalid {
  return new Invalid("The cursor is not one of this list", [{ pointer: "?cursor", detail: "Send next_cursor" }]);
}
