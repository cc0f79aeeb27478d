import type { Handler } from "@aftercall/contract/api.ts";
import type { Call } from "@aftercall/contract/call.ts";
import type { callRoutes } from "@aftercall/contract/routes/calls.ts";

import { record as recordAudit } from "#/audit/record.ts";
import { aliasesOf } from "#/calls/alias-store.ts";
import { factOf } from "#/calls/project.ts";
import { type CallRecord, toCall } from "#/calls/record.ts";
import { lockCalls, userNames } from "#/calls/store.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import { CallErased, Invalid, NotFound } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { limits } from "#/kernel/limits.ts";
import type { Facts } from "#/providers/provider.ts";

import type { BatchContext } from "./store-batch.ts";
import { tell } from "./tell.ts";

type Deps = { readonly db: Db; readonly ids: Ids; readonly context: BatchContext };

/**
 * `PATCH /v1/calls/:id`. What is said here is a claim like every other, with more weight than a provider's, so it is joined to
 * the call and is told to whoever listens; `metadata` is merged into what is there (RFC 7396: null takes a key away).
 */
export function updateCallHandler({ db, ids, context }: Deps): Handler<(typeof callRoutes)["updateCall"]> {
  return async ({ tenant, actor, params, body, ifMatch }) => {
    const { call, afterCommit } = await db.inTransaction([tenant], async (tx) => {
      const record = await lockedCall(tx, tenant, params.id);
      if (record.isErased) throw new CallErased();
      const aliases = (await aliasesOf(tx, [tenant], [record.id])).get(record.id) ?? [];
      const [alias] = aliases;
      if (!alias) throw new NotFound("Call");
      const show = async (one: CallRecord) => {
        const users = await userNames(tx, tenant, one.userId ? [one.userId] : []);
        return toCall(one, aliases, (one.userId && users.get(one.userId)) || null);
      };
      const before = await show(record);
      ifMatch?.(before);
      const { metadata, ...facts } = body;
      const told: Facts = {
        ...Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)),
        ...(metadata && { metadata: merged(factOf(record.state, "metadata") ?? {}, metadata) }),
      };
      const { provider } = record;
      const message = { tenantId: tenant, provider, aliases: [alias], heard: null, userId: null, facts: told };
      const { applied, afterCommit } = await tell(tx, context, message);
      const after = await show(applied.record);
      const detail = { changed: Object.keys(body), ...(metadata && { metadata_keys: Object.keys(metadata) }) };
      const sides = { before: shownInLog(before), after: shownInLog(after) };
      await recordAudit(tx, ids, { tenant, actor, action: "call.updated", subject: after.id, ...sides, detail });
      return { call: after, afterCommit };
    });
    for (const run of afterCommit) run();
    return call;
  };
}

/** What people wrote about a call stays in the call: the log has ids of other systems, and of metadata the keys. */
function shownInLog({ version, business_id, lead_id, campaign_id, metadata }: Call) {
  return { version, business_id, lead_id, campaign_id, metadata_keys: Object.keys(metadata).toSorted() };
}

async function lockedCall(tx: Tx, tenant: string, id: string): Promise<CallRecord> {
  const found = await lockCalls(tx, [tenant], [id]);
  const asked = found.get(id);
  const record = asked?.mergedInto ? found.get(asked.mergedInto) : asked;
  if (!record) throw new NotFound("Call");
  return record;
}

function merged(
  before: Readonly<Record<string, unknown>>,
  patch: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const after = mergePatch(before, patch) as Readonly<Record<string, unknown>>;
  if (Buffer.byteLength(JSON.stringify(after)) <= limits.callMetadataBytesMax) return after;
  const detail = `All metadata of a call together may have ${limits.callMetadataBytesMax} bytes`;
  throw new Invalid("The metadata is too large", [{ pointer: "/metadata", detail }]);
}

/** https://www.rfc-editor.org/rfc/rfc7396 */
function mergePatch(before: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const after = new Map(Object.entries(isObject(before) ? before : {}));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) after.delete(name);
    else after.set(name, mergePatch(after.get(name), value));
  }
  return Object.fromEntries(after);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
