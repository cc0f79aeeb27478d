import type { Transcript } from "@aftercall/contract/call.ts";

import type { AfterCommit } from "#/calls/change.ts";
import type { Tx } from "#/db/transaction.ts";
import { callEvent } from "#/providers/provider.ts";
import type { Alias, Facts, Heard } from "#/providers/provider.ts";

import type { Applied } from "./apply-events.ts";
import { undecided } from "./entries.ts";
import { applyEntries } from "./store-batch.ts";
import type { BatchContext } from "./store-batch.ts";

/** Something about a call that was said over our own API, or decided by us, rather than by a provider's webhook. */
export type Told = {
  readonly tenantId: string;
  readonly provider: string;
  readonly aliases: readonly Alias[];
  readonly facts: Facts;
  readonly heard: Heard | null;
  readonly transcript?: Transcript;
  readonly userId: string | null;
};

/**
 * Joins what was told to the call it is about, which is made if nobody spoke of it yet; events that waited for it are applied
 * in the same transaction. What is told weighs more than what providers say.
 */
export async function tell(
  tx: Tx,
  context: BatchContext,
  told: Told,
): Promise<{ applied: Applied; eventId: string; afterCommit: AfterCommit[] }> {
  const id = context.newId();
  const event = callEvent({
    key: id,
    type: "api",
    aliases: told.aliases,
    facts: told.facts,
    heard: told.heard,
    weight: 9,
    ...(told.transcript && { transcript: told.transcript, isReport: true }),
  });
  const entry = undecided({
    arrival: null,
    tenantId: told.tenantId,
    sourceId: "api",
    provider: told.provider,
    route: "own",
    mayCreateCalls: true,
    userId: told.userId,
    event,
    part: 0,
    key: id,
    receivedAt: context.now(),
    url: "",
    headers: new Map(),
    body: Buffer.alloc(0),
    verification: "",
    eventId: id,
    standing: "told",
  });
  const { applied, afterCommit } = await applyEntries(tx, context, [entry]);
  const one = applied.find(({ work }) => work.items.includes(entry));
  if (!one) throw new Error("a call that was told about has no record");
  return { applied: one, eventId: id, afterCommit };
}
