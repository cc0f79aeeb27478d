import type { Actor, Handlers } from "@aftercall/contract/api.ts";
import type { Call } from "@aftercall/contract/call.ts";
import { toPublicId } from "@aftercall/contract/id.ts";
import type { callRoutes, RegisterCall } from "@aftercall/contract/routes/calls.ts";
import type { campaignRoutes } from "@aftercall/contract/routes/campaigns.ts";

import { record as recordAudit } from "#/audit/record.ts";
import type { AfterCommit } from "#/calls/change.ts";
import { toCall } from "#/calls/record.ts";
import { campaignExists, userIdOf, userNames } from "#/calls/store.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import { CallErased, type FieldError, Invalid, NotFound } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { providerNamed } from "#/providers/index.ts";
import type { Alias, Provider } from "#/providers/provider.ts";

import type { BatchContext } from "./store-batch.ts";
import { tell } from "./tell.ts";

type Deps = { readonly db: Db; readonly ids: Ids; readonly context: BatchContext };

type RegisterRoutes = Pick<typeof callRoutes, "registerCall"> & Pick<typeof campaignRoutes, "addCampaignCalls">;

/**
 * Registers calls before they happen, so that the provider's events find them and the campaign counts them; or adds to those
 * that are known already. Events that came first and waited are applied at once.
 */
export function registerCallHandlers({ db, ids, context }: Deps): Handlers<RegisterRoutes> {
  return {
    async registerCall({ tenant, actor, body }) {
      const [provider] = providersOf([body], () => "/provider");
      if (!provider) throw new Error("a call that is not refused has a provider");
      const afterCommit: AfterCommit[] = [];
      const call = await db.inTransaction([tenant], (tx) =>
        register(tx, { tenant, actor }, { ...body, provider }, "", afterCommit),
      );
      for (const run of afterCommit) run();
      return call;
    },

    async addCampaignCalls({ tenant, actor, params, body }) {
      const providers = providersOf(body.calls, (i) => `/calls/${i}/provider`);
      const afterCommit: AfterCommit[] = [];
      const data = await db.inTransaction([tenant], async (tx) => {
        if (!(await campaignExists(tx, tenant, params.id))) throw new NotFound("Campaign");
        const campaign = toPublicId("campaign", params.id);
        const calls: Call[] = [];
        for (const [i, provider] of providers.entries()) {
          const one = body.calls[i];
          if (!one) throw new Error("every call has its provider");
          const wanted = { ...one, campaign, provider };
          calls.push(await register(tx, { tenant, actor }, wanted, `/calls/${i}`, afterCommit));
        }
        return calls;
      });
      for (const run of afterCommit) run();
      return { data };
    },
  };

  type Wanted = Omit<RegisterCall, "provider"> & { readonly provider: Provider };

  async function register(
    tx: Tx,
    { tenant, actor }: { tenant: string; actor: Actor },
    body: Wanted,
    place: string,
    afterCommit: AfterCommit[],
  ): Promise<Call> {
    const { provider } = body;
    const aliases: Alias[] = [{ kind: provider.callAlias, value: body.provider_call_id }];
    if (body.call_sid && body.call_sid !== body.provider_call_id) {
      aliases.push({ kind: "call_sid", value: body.call_sid });
    }
    const userId = body.user_id === undefined ? null : await userIdOf(tx, tenant, body.user_id);
    if (body.user_id !== undefined && userId === null) {
      const detail = "Create the user with POST /v1/users first";
      throw new Invalid("Unknown user", [{ pointer: `${place}/user_id`, detail }]);
    }
    const told = await tell(tx, context, {
      tenantId: tenant,
      provider: provider.name,
      aliases,
      heard: { status: "queued", outcome: null },
      userId,
      facts: {
        direction: body.direction ?? null,
        from_number: body.from ?? null,
        to_number: body.to ?? null,
        campaign: body.campaign ?? null,
        business_id: body.business_id ?? null,
        lead_id: body.lead_id ?? null,
        customer_name: body.customer_name ?? null,
        agent_id: body.agent_id ?? null,
        agent_name: body.agent_name ?? null,
        metadata: body.metadata ?? null,
      },
    });
    const { record, aliases: names } = told.applied;
    if (record.isErased) {
      throw new CallErased([{ pointer: `${place}/provider_call_id`, detail: "The call of this id was erased" }]);
    }
    afterCommit.push(...told.afterCommit);
    const users = await userNames(tx, tenant, record.userId ? [record.userId] : []);
    const call = toCall(record, names, (record.userId && users.get(record.userId)) || null);
    // Whom it is about stays in the call.
    const { id: subject, provider: name, provider_call_id, status, campaign_id, version } = call;
    const after = { provider: name, provider_call_id, status, campaign_id, version };
    await recordAudit(tx, ids, { tenant, actor, action: "call.registered", subject, after });
    return call;
  }
}

function providersOf(calls: readonly { readonly provider: string }[], pointer: (i: number) => string): Provider[] {
  const errors: FieldError[] = [];
  const providers = calls.flatMap(({ provider }, i) => {
    const known = providerNamed(provider);
    if (known) return [known];
    errors.push({ pointer: pointer(i), detail: "GET /v1/providers lists the names" });
    return [];
  });
  if (errors.length > 0) throw new Invalid("Unknown provider", errors);
  return providers;
}
