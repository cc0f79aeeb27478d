import type { Actor, Handlers } from "@aftercall/contract/api.ts";
import {
  type EngineView,
  type PutLanguageEngine,
  type PutSpeechEngine,
  vendorUrls,
} from "@aftercall/contract/engine-settings.ts";
import type { engineRoutes } from "@aftercall/contract/routes/engines.ts";

import { record } from "#/audit/record.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { Invalid } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import type { SecretBox } from "#/kernel/secrets.ts";

import { costsBetween } from "./costs.ts";
import type { DefaultEngines } from "./defaults.ts";
import type { Engines } from "./engines.ts";
import { sealKey } from "./row.ts";
import * as store from "./store.ts";
import { tryLanguage, trySpeech } from "./try.ts";
import { viewOf } from "./view.ts";

export type EngineHandlerOptions = {
  readonly db: Db;
  readonly box: SecretBox;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly defaults: DefaultEngines;
  readonly engines: Engines;
};

/** What /v1 can do with a tenant's engines and what they cost. */
export function engineHandlers(options: EngineHandlerOptions): Handlers<typeof engineRoutes> {
  const { db, box, ids, clock, defaults, engines } = options;
  const get = (kind: store.EngineKind) => (request: { tenant: string }) =>
    db.inTransaction([request.tenant], (tx) => show(tx, request.tenant, kind));

  return {
    getLanguageEngine: get("language"),
    getSpeechEngine: get("speech"),
    putLanguageEngine: ({ tenant, actor, body }) =>
      put(tenant, actor, "language", body, body.base_url ?? vendorUrls.language[body.vendor]),
    putSpeechEngine: ({ tenant, actor, body }) =>
      put(tenant, actor, "speech", body, body.base_url ?? vendorUrls.speech[body.vendor]),
    deleteLanguageEngine: ({ tenant, actor }) => remove(tenant, actor, "language"),
    deleteSpeechEngine: ({ tenant, actor }) => remove(tenant, actor, "speech"),
    testLanguageEngine: async ({ tenant, actor }) => {
      const engine = await db.inTransaction([tenant], (tx) => engines.loadEngine(tx, tenant, "language"));
      const tried = await tryLanguage(engine, { clock, httpFor: engines.httpFor });
      return noted({ tenant, actor }, "language", tried);
    },
    testSpeechEngine: async ({ tenant, actor }) => {
      const engine = await db.inTransaction([tenant], (tx) => engines.loadEngine(tx, tenant, "speech"));
      const tried = await trySpeech(engine, { clock, httpFor: engines.httpFor });
      return noted({ tenant, actor }, "speech", tried);
    },
    getCosts: ({ tenant, query }) => db.inTransaction([tenant], (tx) => costsBetween(tx, tenant, query, clock.now())),
  };

  /** What a try cost, and that somebody made it. */
  async function noted(
    who: { readonly tenant: string; readonly actor: Actor },
    kind: store.EngineKind,
    { answer, cost }: Awaited<ReturnType<typeof tryLanguage>>,
  ) {
    await db.inTransaction([who.tenant], async (tx) => {
      await engines.noteCosts(tx, { tenantId: who.tenant, callId: null, step: `test_${kind}` }, cost);
      await record(tx, ids, { ...who, action: "engine.tested", subject: kind, detail: { ok: answer.ok } });
    });
    return answer;
  }

  async function show(tx: Tx, tenant: string, kind: store.EngineKind): Promise<EngineView> {
    const row = await store.findEngine(tx, tenant, kind);
    return viewOf(kind, row, { box, defaults, budget: await engines.budgetOf(tx, tenant, kind, clock.now()) });
  }

  function put(
    tenant: string,
    actor: Actor,
    kind: store.EngineKind,
    body: PutLanguageEngine | PutSpeechEngine,
    baseUrl: string,
  ): Promise<EngineView> {
    return changing(tenant, actor, kind, async (tx) => {
      const before = await store.lockEngine(tx, tenant, kind);
      const base = checkedUrl(baseUrl, await store.openedBlocks(tx, tenant));
      const currency = body.price?.currency ?? "USD";
      if (body.budget && body.budget.currency !== currency) {
        throw invalid("/budget/currency", `The model is priced in ${currency}, so its budget is as well`);
      }
      await store.saveEngine(tx, {
        tenant_id: tenant,
        kind,
        vendor: body.vendor,
        base_url: base,
        model: body.model,
        sealed_api_key: keyFor(tenant, kind, body.api_key, { before, base }),
        settings: { settings: body.settings, price: body.price },
        budget_amount: body.budget?.amount ?? null,
        budget_currency: body.budget?.currency ?? null,
      });
    });
  }

  /** A key goes to the host it was given for: whoever may change the address must not be able to send it elsewhere. */
  function keyFor(
    tenant: string,
    kind: store.EngineKind,
    given: string | null | undefined,
    { before, base }: { before: store.EngineRow | null; base: string },
  ): Buffer | null {
    if (given === null) return null;
    if (given !== undefined) return sealKey(box, tenant, kind, given);
    const kept = before?.sealed_api_key ?? null;
    if (kept !== null && before && new URL(before.base_url).origin !== new URL(base).origin) {
      throw invalid("/api_key", "The host is another one: give the key for it, or null for none");
    }
    return kept;
  }

  function remove(tenant: string, actor: Actor, kind: store.EngineKind): Promise<EngineView> {
    return changing(tenant, actor, kind, async (tx) => {
      await store.deleteEngine(tx, tenant, kind);
    });
  }

  /** Every change with its audit row; settings are part of it, the key never is. */
  function changing(
    tenant: string,
    actor: Actor,
    kind: store.EngineKind,
    work: (tx: Tx) => Promise<void>,
  ): Promise<EngineView> {
    return db.inTransaction([tenant], async (tx) => {
      const before = await show(tx, tenant, kind);
      await work(tx);
      const after = await show(tx, tenant, kind);
      await record(tx, ids, { tenant, actor, action: "engine.changed", subject: kind, before, after });
      return after;
    });
  }

  /** Only addresses that the operator lets the tenant reach, and no parts that a request would not have. */
  function checkedUrl(text: string, opened: readonly string[]): string {
    const verdict = engines.httpFor({ origin: "tenant" }).check(text, opened);
    if (!verdict.ok) throw invalid("/base_url", verdict.detail);
    if (/[?#]/.test(text)) throw invalid("/base_url", "A base URL has no query and no fragment");
    return text.replace(/\/+$/, "");
  }
}

function invalid(pointer: string, detail: string): Invalid {
  return new Invalid(detail, [{ pointer, detail }]);
}
