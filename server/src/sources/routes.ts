import type { Actor, Handlers } from "@aftercall/contract/api.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import type { sourceRoutes } from "@aftercall/contract/routes/sources.ts";
import type { Source } from "@aftercall/contract/source.ts";

import { record } from "#/audit/record.ts";
import { readPage } from "#/db/page.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import { notify } from "#/db/wake.ts";
import type { Clock } from "#/kernel/clock.ts";
import { Conflict, NotFound } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { pageOf } from "#/kernel/page.ts";
import { type Random, randomToken } from "#/kernel/random.ts";
import type { SecretBox } from "#/kernel/secrets.ts";
import type { Provider } from "#/providers/provider.ts";

import { sourcesChanged } from "./active.ts";
import { checkSecret, checkSetup, invalid, providerNamed, userIdOf } from "./check.ts";
import { presentProvider, presentSecret, presentSource } from "./present.ts";
import { addSecret, rotateSecret, type SecretChange } from "./rotate.ts";
import { isActive } from "./secrets.ts";
import * as store from "./store.ts";

export type SourceHandlerOptions = {
  readonly db: Db;
  readonly box: SecretBox;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly random: Random;
  readonly providers: readonly Provider[];
  readonly publicUrl: string;
  /** Called after a change was committed, so that this process sees it at once; others are woken. */
  readonly forgetSources: () => void;
  /** Has the provider of a source asked at once. */
  readonly enqueuePull: (tx: Tx, data: { tenantId: string; sourceId: string }) => Promise<void>;
};

/** What /v1 can do with sources. Every change is written with its audit row and made known to all processes at its commit. */
export function sourceHandlers(options: SourceHandlerOptions): Handlers<typeof sourceRoutes> {
  const { db, ids, clock, providers, publicUrl } = options;

  return {
    listProviders: async () => ({ data: providers.map((provider) => presentProvider(provider, publicUrl)) }),

    listSources: async ({ tenant, query }) => {
      const before = query.cursor === undefined ? null : fromPublicId("source", query.cursor);
      return db.inTransaction([tenant], async (tx) => {
        const found = await readPage(tx, query, before, (probe, page) => store.listSources(probe, tenant, page));
        const page = pageOf(
          found,
          query.limit,
          (row) => row,
          (row) => toPublicId("source", row.id),
        );
        return { ...page, data: await presentAll(tx, page.data) };
      });
    },

    pullSource: ({ tenant, actor, params }) =>
      db.inTransaction([tenant], async (tx) => {
        const row = await sourceOf(tx, tenant, params.id);
        await options.enqueuePull(tx, { tenantId: tenant, sourceId: row.id });
        const subject = toPublicId("source", row.id);
        await record(tx, ids, { tenant, actor, action: "source.pulled", subject, detail: { slug: row.slug } });
        return { source_id: subject };
      }),

    getSource: ({ tenant, params }) =>
      db.inTransaction([tenant], async (tx) => present(tx, await sourceOf(tx, tenant, params.id))),

    createSource: async ({ tenant, actor, body }) => {
      const provider = providerNamed(providers, body.provider);
      checkSetup(provider, body.setup);
      body.secrets.forEach((secret, i) => checkSecret(provider, secret, `/secrets/${i}`));
      return changing(tenant, actor, "source.created", async (tx) => {
        const row = await store.insertSource(tx, {
          tenant_id: tenant,
          id: ids.next(),
          slug: body.slug,
          provider: provider.name,
          name: body.name ?? provider.title,
          setup: body.setup,
          auth: body.auth,
          on_given_routes: body.on_given_routes,
          given_routes_create: body.given_routes_create,
          user_id: userIdOf(body.user_id),
        });
        if (!row) throw new Conflict(`The slug ${body.slug} is taken; choose another`);
        for (const { slot, value, key_id: keyId } of body.secrets) {
          await addSecret(tx, { tenantId: tenant, sourceId: row.id, slot, keyId, value, origin: "api" }, change());
        }
        const answer = await present(tx, row);
        return { row, answer, after: answer };
      });
    },

    updateSource: ({ tenant, actor, params, body, ifMatch }) =>
      changing(tenant, actor, "source.updated", async (tx) => {
        const before = await lockedSource(tx, tenant, params.id);
        const shown = await present(tx, before);
        ifMatch?.(shown);
        if (body.setup !== undefined) checkSetup(providerNamed(providers, before.provider), body.setup);
        const { user_id: userId, ...given } = body;
        const fields = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
        const row = await store.saveSource(tx, {
          ...before,
          ...fields,
          ...(userId !== undefined && { user_id: userIdOf(userId) }),
        });
        if (!row) throw new NotFound("Source");
        const answer = await present(tx, row);
        return { row, answer, before: shown, after: answer };
      }),

    deleteSource: ({ tenant, actor, params }) =>
      changing(tenant, actor, "source.deleted", async (tx) => {
        const row = await lockedSource(tx, tenant, params.id);
        const before = await present(tx, row);
        await store.deleteSource(tx, tenant, params.id);
        return { row, answer: null, before };
      }),

    listSourceSecrets: ({ tenant, params }) =>
      db.inTransaction([tenant], async (tx) => {
        const row = await sourceOf(tx, tenant, params.id);
        const secrets = await store.secretsOf(tx, [tenant], [row.id]);
        return { data: secrets.filter((secret) => isActive(secret, clock.now())).map(presentSecret) };
      }),

    addSourceSecret: ({ tenant, actor, params, body }) =>
      changing(tenant, actor, "source_secret.added", async (tx) => {
        const row = await lockedSource(tx, tenant, params.id);
        checkSecret(providerNamed(providers, row.provider), body);
        const { slot, value, key_id: keyId } = body;
        const secret = await addSecret(
          tx,
          { tenantId: tenant, sourceId: row.id, slot, keyId, value, origin: "api" },
          change(),
        );
        const answer = presentSecret(secret);
        return { row, answer, after: answer, detail: { slot } };
      }),

    rotateSourceSecret: ({ tenant, actor, params, body }) =>
      changing(tenant, actor, "source_secret.rotated", async (tx) => {
        const row = await lockedSource(tx, tenant, params.id);
        const provider = providerNamed(providers, row.provider);
        checkSecret(provider, body);
        const { slot, key_id: keyId } = body;
        const made = body.value === undefined ? makeSecret(provider, slot) : null;
        const value = body.value ?? made ?? "";
        const wanted = { tenantId: tenant, sourceId: row.id, slot, keyId, value, origin: "api" } as const;
        const before = { secrets: await secretsIn(tx, row, slot) };
        const secret = await rotateSecret(tx, wanted, body.overlap_seconds * 1000, change());
        const after = { secrets: await secretsIn(tx, row, slot) };
        return { row, answer: { ...presentSecret(secret), value: made }, before, after, detail: { slot } };
      }),

    deleteSourceSecret: ({ tenant, actor, params }) =>
      changing(tenant, actor, "source_secret.deleted", async (tx) => {
        const row = await lockedSource(tx, tenant, params.id);
        const id = toPublicId("source_secret", params.secret_id);
        const before = (await secretsIn(tx, row)).find((secret) => secret.id === id) ?? null;
        if (!(await store.deleteSecret(tx, tenant, row.id, params.secret_id))) throw new NotFound("Secret");
        return { row, answer: null, before };
      }),
  };

  type Changed<T> = {
    readonly row: store.SourceRow;
    readonly answer: T;
    readonly before?: object | null;
    readonly after?: object;
    readonly detail?: Record<string, unknown>;
  };

  async function changing<T>(
    tenant: string,
    actor: Actor,
    action: string,
    work: (tx: Tx) => Promise<Changed<T>>,
  ): Promise<T> {
    try {
      const changed = await db.inTransaction([tenant], async (tx) => {
        const { row, answer, detail, ...sides } = await work(tx);
        await record(tx, ids, {
          tenant,
          actor,
          action,
          subject: toPublicId("source", row.id),
          ...sides,
          detail: { slug: row.slug, ...detail },
        });
        await notify(tx, sourcesChanged);
        return answer;
      });
      options.forgetSources();
      return changed;
    } catch (error) {
      throw action === "source.deleted" ? refusedDelete(error) : refusedUser(error);
    }
  }

  /** The secrets of a source that count, without their values. */
  async function secretsIn(tx: Tx, { tenant_id, id }: store.SourceRow, slot?: string) {
    const secrets = await store.secretsOf(tx, [tenant_id], [id]);
    const counting = secrets.filter((one) => isActive(one, clock.now()) && (slot === undefined || one.slot === slot));
    return counting.map(presentSecret);
  }

  function change(): SecretChange {
    return { box: options.box, ids, nowMs: clock.now() };
  }

  function makeSecret(provider: Provider, slot: string): string {
    return provider.secrets.find((one) => one.slot === slot)?.generate?.() ?? randomToken(options.random);
  }

  async function present(tx: Tx, row: store.SourceRow): Promise<Source> {
    const [source] = await presentAll(tx, [row]);
    if (!source) throw new NotFound("Source");
    return source;
  }

  async function presentAll(tx: Tx, rows: readonly store.SourceRow[]): Promise<Source[]> {
    const tenants = [...new Set(rows.map((row) => row.tenant_id))];
    const sourceIds = rows.map((row) => row.id);
    const secrets = await store.secretsOf(tx, tenants, sourceIds);
    const polls = await store.pollsOf(tx, tenants, sourceIds);
    const at = { publicUrl, nowMs: clock.now() };
    return rows.map((row) => {
      const provider = providers.find((one) => one.name === row.provider) ?? null;
      return presentSource(
        row,
        secrets.filter((secret) => secret.source_id === row.id),
        polls.find((poll) => poll.source_id === row.id) ?? null,
        provider,
        at,
      );
    });
  }
}

async function sourceOf(tx: Tx, tenant: string, id: string): Promise<store.SourceRow> {
  const [row] = await store.sourcesById(tx, [tenant], [id]);
  if (!row) throw new NotFound("Source");
  return row;
}

async function lockedSource(tx: Tx, tenant: string, id: string): Promise<store.SourceRow> {
  const row = await store.lockSource(tx, tenant, id);
  if (!row) throw new NotFound("Source");
  return row;
}

function refusedDelete(error: unknown): unknown {
  if (!isForeignKeyViolation(error)) return error;
  return new Conflict("The source has received events, which are kept for good; set is_enabled to false instead");
}

function refusedUser(error: unknown): unknown {
  return isForeignKeyViolation(error) ? invalid("/user_id", "There is no such user") : error;
}

function isForeignKeyViolation(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "23503";
}
