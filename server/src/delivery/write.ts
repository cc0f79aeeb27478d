import type { CallDirection } from "@aftercall/contract/call.ts";
import { eventTypeOf } from "@aftercall/contract/events.ts";
import { toPublicId } from "@aftercall/contract/id.ts";

import type { Tx } from "#/db/transaction.ts";
import type { Ids } from "#/kernel/ids.ts";
import { limits } from "#/kernel/limits.ts";

import { chooseEndpoints, type MessageKind } from "./choose.ts";
import type { EndpointBook } from "./endpoints/book.ts";
import type { BodyForm } from "./formats/format.ts";
import { messageIdOf } from "./message-id.ts";
import type { BodyRow, MessageRow, NewDeliveryRow } from "./queue/message-store.ts";
import { insertMessages, lockLines, noteTraces, type Trace } from "./queue/message-store.ts";
import type { HandOff, Target } from "./target.ts";

/** Something the outside is to be told. */
export type MessageFact = {
  readonly tenantId: string;
  readonly type: string;
  readonly callId: string | null;
  readonly campaignId: string | null;
  /** The campaign of the call it is about: while that is paused, it waits. */
  readonly callCampaignId?: string | null;
  readonly direction: CallDirection | null;
  /** Epoch milliseconds; the same whenever the same fact is told. */
  readonly occurredAtMs: number;
  /** When the webhook that caused it was received. */
  readonly receivedAtMs: number;
  /** The trace that what caused it belongs to: its deliveries go on with it. */
  readonly traceparent?: string | null;
  /** Names it is published under, besides its type. */
  readonly channels?: readonly string[];
  /** The line it stands in; without one, messages about a call stand in the line of that call. */
  readonly orderKey?: string | null;
  /** What it is about, where that is neither a call nor a campaign: one message for each (time, subject, type). */
  readonly subject?: string;
  /** The endpoint that does not get it, because it is about that endpoint. */
  readonly exceptEndpointId?: string;
  /** Its bytes can be made later from what is stored anyway (unwritten.ts): while nobody wants them, they are not written. */
  readonly isReproducible?: boolean;
  /** The same, while this message has its bytes in the standard form: they hold what else there is to tell. */
  readonly madeWith?: string;
  /** Said at its moment or never: nobody wants it now, so it is not kept for anybody. */
  readonly isFleeting?: boolean;
  /** Said before, and different now: only for endpoints that want to be told again. */
  readonly isLate?: boolean;
  /** The bytes in one form; called once per form that an endpoint wants. `messageId`: UUID. */
  readonly render: (form: BodyForm, messageId: string) => Buffer;
};

export type WriteContext = {
  readonly ids: Ids;
  readonly book: EndpointBook;
  /** How many deliveries this process can take for an endpoint right away; 0 where no worker runs. */
  readonly roomFor: (target: Target) => number;
  /** Told of each message that goes to nobody; the transaction that made it is still open. */
  readonly onUnrouted?: (message: MessageRow) => void;
};

/**
 * Writes messages and who gets them, inside the transaction that made the facts. Deliveries that this process can send at
 * once are claimed from birth and returned: pass them to the worker after the commit, and not if it fails. The others are
 * found by the claim of any worker, and so are these if this process dies.
 */
export async function writeMessages(tx: Tx, facts: readonly MessageFact[], context: WriteContext): Promise<HandOff[]> {
  if (facts.length === 0) return [];
  const targets = await context.book.enabled(tx, [...new Set(facts.map(({ tenantId }) => tenantId))]);
  const claimId = context.ids.next();
  const room = createRoom(context.roomFor);
  const messages = new Map<string, MessageRow>();
  const bodies: BodyRow[] = [];
  /** Messages whose bytes in the standard form are written here. */
  const standard = new Set<string>();
  const deliveries: NewDeliveryRow[] = [];
  const handOffs: HandOff[] = [];
  const traces: Trace[] = [];
  const lines = facts.flatMap(({ tenantId, orderKey }) => (orderKey ? [{ tenantId, orderKey }] : []));
  if (lines.length > 0) await lockLines(tx, lines);

  for (const fact of facts) {
    const subject = fact.subject ?? fact.callId ?? fact.campaignId ?? fact.tenantId;
    const id = messageIdOf(fact.occurredAtMs, subject, fact.type);
    if (messages.has(id)) continue;
    const render = createRenderer(fact, id);
    const candidates = (targets.get(fact.tenantId) ?? []).filter(
      (target) => target.id !== fact.exceptEndpointId && (!fact.isLate || target.resendsOnLate),
    );
    const choice = chooseEndpoints(kindOf(fact, render), candidates);
    if (fact.isFleeting && choice.endpoints.length === 0) continue;
    messages.set(id, { ...fact, id, orderKey: fact.orderKey ?? null, unroutedReason: choice.reason });
    if (fact.traceparent) traces.push({ tenantId: fact.tenantId, messageId: id, traceparent: fact.traceparent });
    const isReproducible = fact.isReproducible || (fact.madeWith !== undefined && standard.has(fact.madeWith));
    for (const format of formsFor(choice.endpoints, isReproducible)) {
      if (format === "standard") standard.add(id);
      bodies.push({ tenantId: fact.tenantId, messageId: id, format, body: render(format) });
    }
    for (const target of choice.endpoints) {
      const deliveryId = context.ids.next();
      const isHeld = fact.callCampaignId ? target.pausedCampaignIds.has(fact.callCampaignId) : false;
      const isOurs = !isHeld && room.take(target);
      const row = { tenantId: fact.tenantId, id: deliveryId, messageId: id, endpointId: target.id };
      const orderKey = target.order.mode === "none" ? null : (fact.orderKey ?? fact.callId);
      deliveries.push({ ...row, claimId: isOurs ? claimId : null, orderKey, isHeld });
      const form = target.bodyForm;
      if (isOurs)
        handOffs.push(handOffOf(fact, { deliveryId, claimId, messageId: id, target, form, body: render(form) }));
    }
  }
  const rows = [...messages.values()];
  const written = await insertMessages(tx, { messages: rows, bodies, deliveries, leaseMs: limits.deliveryLeaseMs });
  const traced = traces.filter(({ messageId }) => written.has(messageId));
  if (traced.length > 0) await noteTraces(tx, traced);
  for (const row of rows) if (row.unroutedReason !== null && written.has(row.id)) context.onUnrouted?.(row);
  return handOffs.flatMap((handOff) => {
    const sequence = written.get(handOff.messageId);
    return sequence === undefined ? [] : [{ ...handOff, sequence }];
  });
}

function handOffOf(
  { tenantId, type, receivedAtMs, callId, orderKey, traceparent = null }: MessageFact,
  own: Pick<HandOff, "deliveryId" | "claimId" | "messageId" | "target" | "form" | "body">,
): HandOff {
  const line = orderKey ?? (callId && toPublicId("call", callId));
  return { ...firstAttempt, ...own, tenantId, type, receivedAtMs, orderKey: line, traceparent };
}

/** What a delivery is that was never tried. */
export const firstAttempt = {
  attemptCount: 0,
  manualCount: 0,
  isManual: false,
  isRetry: false,
  isCounted: true,
  lostCount: 0,
  wasExhausted: false,
  sequence: null,
  gap: null,
  traceparent: null,
  lateMs: 0,
} as const;

/** What decides where a fact goes. Filters are asked of the very bytes that a standard endpoint would get. */
function kindOf(fact: MessageFact, render: (form: BodyForm) => Buffer): MessageKind {
  let payload: { readonly value: unknown } | undefined;
  return {
    ...fact,
    kind: eventTypeOf(fact.type)?.kind ?? "ordinary",
    isAboutCall: fact.callId !== null,
    channels: fact.channels ?? [],
    payload: () => (payload ??= { value: JSON.parse(render("standard").toString("utf8")) as unknown }).value,
  };
}

/** What nobody gets can still be sent to an endpoint made later: in the standard format, unless that can be made then. */
function formsFor(targets: readonly Target[], isReproducible: boolean): Set<BodyForm> {
  if (targets.length > 0) return new Set(targets.map(({ bodyForm }) => bodyForm));
  return new Set<BodyForm>(isReproducible ? [] : ["standard"]);
}

/** Renders each form of a fact once. */
function createRenderer(fact: MessageFact, messageId: string): (form: BodyForm) => Buffer {
  const rendered = new Map<BodyForm, Buffer>();
  return (form) => {
    const body = rendered.get(form) ?? fact.render(form, messageId);
    rendered.set(form, body);
    return body;
  };
}

/** Asks for the room of each endpoint once and counts it down. */
function createRoom(roomFor: WriteContext["roomFor"]) {
  const left = new Map<string, number>();
  return {
    take(target: Target): boolean {
      const free = left.get(target.id) ?? roomFor(target);
      left.set(target.id, free - 1);
      return free > 0;
    },
  };
}
