import type { Transcript } from "@aftercall/contract/call.ts";

import { aliasesOf } from "#/calls/alias-store.ts";
import { changesBetween } from "#/calls/change.ts";
import type { CallChange } from "#/calls/change.ts";
import { loadMoments } from "#/calls/moment-store.ts";
import { momentsIn } from "#/calls/moments.ts";
import { factOf, project } from "#/calls/project.ts";
import { type CallRecord, changedAt } from "#/calls/record.ts";
import { advance, differs, join, nothingKnown, stateOf } from "#/calls/state.ts";
import type { CallState } from "#/calls/state.ts";
import { compressMerges, loadTranscripts } from "#/calls/store.ts";
import type { Tx } from "#/db/transaction.ts";
import { messageOf } from "#/kernel/errors.ts";
import type { Moment } from "#/providers/moment.ts";
import type { Alias } from "#/providers/provider.ts";

import type { Entry } from "./entries.ts";
import type { BatchContext } from "./store-batch.ts";

/** One call and the events of this batch that speak of it, locked. */
export type CallWork = {
  readonly tenantId: string;
  readonly items: readonly Entry[];
  readonly aliases: readonly Alias[];
  /** The record as it stands; null for a call that begins here. */
  readonly known: CallRecord | null;
  readonly callId: string;
  /** Records that turned out to be this same call. */
  readonly doubles: readonly CallRecord[];
};

export type Applied = {
  readonly work: CallWork;
  readonly record: CallRecord;
  readonly aliases: readonly Alias[];
  /** What must be written: nothing when the events said nothing new. */
  readonly records: readonly CallRecord[];
  readonly changes: readonly CallChange[];
};

/** Moves each call by what was heard of it. Pure but for names and transcripts that have to be read. */
export async function applyEvents(
  tx: Tx,
  work: readonly CallWork[],
  context: BatchContext,
  rebuild: (work: CallWork) => Promise<CallState | null>,
): Promise<Applied[]> {
  const moved: Moved[] = [];
  for (const one of work) {
    const isErased = one.known?.isErased === true;
    moved.push(isErased ? unmoved(one, one.known) : move(one, await rebuild(one), context.now()));
  }
  const campaigns = await context.hooks.resolveCampaigns(
    tx,
    moved.flatMap(({ record }) => campaignNameOf(record)),
  );
  const tenants = [...new Set(work.map((one) => one.tenantId))];
  const known = await aliasesOf(
    tx,
    tenants,
    work.flatMap((one) => (one.known ? [one.known.id, ...one.doubles.map((d) => d.id)] : [])),
  );
  const applied: (Applied & { types: CallChange["type"][] })[] = [];
  for (const { work: one, record: changed, isChanged } of moved) {
    const [name] = campaignNameOf(changed);
    const withCampaign = name
      ? { ...changed, campaignId: campaigns.get(`${name.tenantId}\u0000${name.name}`) ?? null }
      : changed;
    const { record, types } = isChanged
      ? changesBetween(one.known, withCampaign, context.settling, one.doubles)
      : { record: withCampaign, types: [] };
    const doubles = one.doubles.map((double) => ({
      ...double,
      mergedInto: record.id,
      version: double.version + 1,
      updatedAt: changedAt(double, context.now()),
    }));
    if (doubles.length > 0)
      await compressMerges(
        tx,
        one.tenantId,
        doubles.map((d) => d.id),
        record.id,
      );
    applied.push({
      work: one,
      record,
      aliases: namesOf(
        one,
        [record.id, ...one.doubles.map((d) => d.id)].flatMap((id) => known.get(id) ?? []),
        record,
      ),
      records: isChanged ? [record, ...doubles] : [],
      changes: [],
      types,
    });
  }
  return withChanges(applied, await transcriptsFor(tx, applied), await momentsFor(tx, applied));
}

type Moved = { readonly work: CallWork; readonly record: CallRecord; readonly isChanged: boolean };

function move(work: CallWork, rebuilt: CallState | null, now: number): Moved {
  const { known, doubles, items } = work;
  let state =
    rebuilt ?? [known, ...doubles].flatMap((record) => (record ? [record.state] : [])).reduce(join, nothingKnown);
  let userId = known?.userId ?? null;
  for (const item of items) {
    userId ??= item.userId;
    try {
      const by = `${item.sourceId}:${item.key}`;
      const heard = { event: item.event, eventId: item.eventId, by, receivedAt: item.receivedAt };
      state = advance(state, join(state, stateOf(heard)));
    } catch (error) {
      item.problem = messageOf(error);
    }
    item.after = project(state);
  }
  const first = items[0];
  const record: CallRecord = {
    tenantId: work.tenantId,
    id: work.callId,
    provider: known?.provider ?? first?.provider ?? "",
    providerCallId: known?.providerCallId ?? first?.aliases[0]?.value ?? "",
    state,
    announced: [...new Set([known, ...doubles].flatMap((r) => r?.announced ?? []))],
    campaignId: known?.campaignId ?? doubles.find((d) => d.campaignId)?.campaignId ?? null,
    userId,
    mergedInto: null,
    isErased: false,
    version: (known?.version ?? 0) + 1,
    createdAt: known?.createdAt ?? now,
    updatedAt: known ? changedAt(known, now) : now,
  };
  const isChanged = !known || doubles.length > 0 || known.userId !== userId || differs(known.state, state);
  return { work, record: isChanged || !known ? record : known, isChanged };
}

/** An erased call stays as its erasure left it. */
function unmoved(work: CallWork, record: CallRecord): Moved {
  return { work, record, isChanged: false };
}

function campaignNameOf(record: CallRecord): { tenantId: string; name: string }[] {
  const name = record.campaignId ? null : factOf(record.state, "campaign");
  return name ? [{ tenantId: record.tenantId, name }] : [];
}

function namesOf(work: CallWork, known: readonly Alias[], record: CallRecord): Alias[] {
  const all = new Map([...known, ...work.aliases].map((alias) => [`${alias.kind} ${alias.value}`, alias]));
  return [...all.values()].toSorted(
    (a, b) => Number(b.value === record.providerCallId) - Number(a.value === record.providerCallId),
  );
}

/** What was said in calls that are about to be announced with it: from this batch where it came with it, else from the store. */
async function transcriptsFor(
  tx: Tx,
  applied: readonly (Applied & { types: readonly string[] })[],
): Promise<Map<string, Transcript>> {
  const spoken = new Map<string, Transcript>();
  for (const { work } of applied) {
    for (const item of work.items) if (item.event.transcript) spoken.set(item.eventId, item.event.transcript);
  }
  const missing = applied.flatMap(({ record, types }) => {
    const eventId = types.includes("call.settled") ? record.state.transcript?.value.event_id : undefined;
    return eventId && !spoken.has(eventId) ? [{ tenantId: record.tenantId, eventId }] : [];
  });
  for (const [eventId, transcript] of await loadTranscripts(
    tx,
    missing.map((m) => m.tenantId),
    missing.map((m) => m.eventId),
  )) {
    spoken.set(eventId, transcript);
  }
  return spoken;
}

/** What happened inside calls that are about to be announced with it, by event: the same way. */
async function momentsFor(
  tx: Tx,
  applied: readonly (Applied & { types: readonly string[] })[],
): Promise<Map<string, readonly Moment[]>> {
  const settled = applied.flatMap(({ record, types }) => (types.includes("call.settled") ? [record] : []));
  const told = new Map<string, readonly Moment[]>();
  for (const [eventId, { moments }] of await loadMoments(tx, settled)) told.set(eventId, moments);
  for (const { work } of applied) {
    for (const { event, eventId } of work.items) if (event.moments.length > 0) told.set(eventId, event.moments);
  }
  return told;
}

function withChanges(
  applied: readonly (Applied & { types: CallChange["type"][] })[],
  spoken: ReadonlyMap<string, Transcript>,
  told: ReadonlyMap<string, readonly Moment[]>,
): Applied[] {
  return applied.map(({ types, ...one }) => {
    const { work, record, aliases } = one;
    const receivedAt = Math.min(...work.items.map((item) => item.receivedAt));
    const transcript = spoken.get(record.state.transcript?.value.event_id ?? "") ?? null;
    const base = { tenantId: work.tenantId, after: record, aliases, transcript, receivedAt };
    return {
      ...one,
      changes: [
        ...types.map((type) => ({
          ...{ type, before: work.known, ...base },
          ...(type === "call.settled" && { moments: momentsIn(record.state, told) }),
        })),
        ...work.doubles.map((double) => ({ type: "call.merged" as const, before: double, ...base })),
      ],
    };
  });
}
