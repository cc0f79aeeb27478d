import type { Handler } from "@aftercall/contract/api.ts";
import type { callRoutes } from "@aftercall/contract/routes/calls.ts";

import { record as recordAudit } from "#/audit/record.ts";
import { toCall } from "#/calls/record.ts";
import { userIdOf, userNames } from "#/calls/store.ts";
import type { Db } from "#/db/transaction.ts";
import { Invalid } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { providerNamed } from "#/providers/index.ts";
import type { Alias } from "#/providers/provider.ts";

import type { BatchContext } from "./store-batch.ts";
import { tell } from "./tell.ts";

/**
 * Registers a call before it happens, so that the provider's events find it and the campaign counts it; or adds to one that is
 * known already. Events that came first and waited are applied at once.
 */
export function registerCallHandler(deps: {
  db: Db;
  ids: Ids;
  context: BatchContext;
}): Handler<(typeof callRoutes)["registerCall"]> {
  return async ({ tenant, actor, body }) => {
    const provider = providerNamed(body.provider);
    if (!provider)
      throw new Invalid("Unknown provider", [{ pointer: "/provider", detail: "GET /v1/providers lists the names" }]);
    const aliases: Alias[] = [{ kind: provider.callAlias, value: body.provider_call_id }];
    if (body.call_sid && body.call_sid !== body.provider_call_id)
      aliases.push({ kind: "call_sid", value: body.call_sid });
    const { call, afterCommit } = await deps.db.inTransaction([tenant], async (tx) => {
      const userId = body.user_id === undefined ? null : await userIdOf(tx, tenant, body.user_id);
      if (body.user_id !== undefined && userId === null) {
        throw new Invalid("Unknown user", [
          { pointer: "/user_id", detail: "Create the user with POST /v1/users first" },
        ]);
      }
      const { applied, afterCommit } = await tell(tx, deps.context, {
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
      const { record } = applied;
      const users = await userNames(tx, tenant, record.userId ? [record.userId] : []);
      const call = toCall(record, applied.aliases, (record.userId && users.get(record.userId)) || null);
      await recordAudit(tx, deps.ids, {
        tenant,
        actor,
        action: "call.registered",
        subject: call.id,
        detail: { provider: call.provider, provider_call_id: call.provider_call_id },
      });
      return { call, afterCommit };
    });
    for (const run of afterCommit) run();
    return call;
  };
}
