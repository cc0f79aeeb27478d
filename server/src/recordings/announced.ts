import { aliasesOf } from "#/calls/alias-store.ts";
import { loadCall } from "#/calls/store.ts";
import { fileAt, type RecordingAsk } from "#/providers/recording.ts";

import type { RecordingDeps } from "./deps.ts";
import { eventOfKey, privateTargetsOf, sourceOfCall } from "./store.ts";

/** What is known about where a call's recording is. */
export type Announced =
  | {
      readonly kind: "asks";
      /** The call that stands for it, where two records turned out to be one call. */
      readonly callId: string;
      /** The same for the same recording, however often and with whatever signature its address is told. */
      readonly identity: string;
      readonly asks: readonly RecordingAsk[];
      readonly privateTargets: readonly string[];
    }
  | { readonly kind: "none"; readonly reason: "no_recording"; readonly detail: string }
  | { readonly kind: "waiting"; readonly detail: string }
  | { readonly kind: "failed"; readonly reason: "recording_unavailable"; readonly detail: string };

export type Wanted = { readonly tenantId: string; readonly callId: string; readonly askProvider?: boolean };

/** Reads what was said about a call's recording, and lets the provider's adapter say how it is asked for. */
export async function findAnnounced(
  { db, sources }: Pick<RecordingDeps, "db" | "sources">,
  { tenantId, callId, askProvider = false }: Wanted,
): Promise<Announced> {
  const found = await db.inTransaction([tenantId], async (tx) => {
    const call = await loadCall(tx, tenantId, callId);
    if (!call) return null;
    const claim = call.state.facts.recording;
    const said = claim ? sourceAndKey(claim.by) : null;
    const event = said && (await eventOfKey(tx, tenantId, said.sourceId, said.key));
    return {
      callId: call.id,
      info: claim?.value ?? null,
      body: event?.body ?? null,
      sourceId: said?.sourceId ?? (await sourceOfCall(tx, tenantId, call.id)),
      aliases: (await aliasesOf(tx, [tenantId], [call.id])).get(call.id) ?? [],
      privateTargets: await privateTargetsOf(tx, tenantId),
    };
  });
  if (!found) return none("There is no such call");
  const { info, body, aliases, privateTargets } = found;
  if (info?.status === "pending") return { kind: "waiting", detail: "The provider is still making it" };
  if (info?.status === "absent") return none("The provider says that there is none");
  if (info?.status === "failed") {
    return { kind: "failed", reason: "recording_unavailable", detail: "The provider says that recording failed" };
  }
  if (!info && !askProvider) return none("Nobody told of a recording");

  const source = found.sourceId && (await sources.byId(tenantId, found.sourceId));
  const { secrets = [], setup, provider } = source || { provider: null };
  const input = { info, body, aliases, secrets, setup };
  const asks = provider?.recordings ? provider.recordings(input) : info?.url ? [fileAt(info.url)] : [];
  const first = asks[0];
  if (!first) return none(info ? "The provider names no address of it" : "Nobody told of a recording");
  const identity = info?.url ? withoutSignature(info.url) : `${provider?.name} ${aliases[0]?.value ?? found.callId}`;
  return { kind: "asks", callId: found.callId, identity, asks, privateTargets };
}

function none(detail: string): Announced {
  return { kind: "none", reason: "no_recording", detail };
}

/** A claim is told by `<source id>:<event key>`. */
function sourceAndKey(by: string): { sourceId: string; key: string } | null {
  const match = /^([0-9a-f-]{36}):(.*)$/s.exec(by);
  return match?.[1] && match[2] !== undefined ? { sourceId: match[1], key: match[2] } : null;
}

/** Two webhooks about one recording differ in its signature. */
function withoutSignature(text: string): string {
  const url = URL.parse(text);
  if (!url) return text;
  for (const name of [...url.searchParams.keys()]) if (signing.test(name)) url.searchParams.delete(name);
  return url.href;
}

const signing =
  /^(?:x-amz-|x-goog-|awsaccesskeyid|googleaccessid|signature|sig|se|st|sp|sv|expires|key-pair-id|policy|token)/i;
