import { toPublicId } from "@aftercall/contract/id.ts";
import type {
  CallItem,
  CampaignItem,
  DeliveryItem,
  EndpointItem,
  LiveTurn,
  TranscriptionItem,
} from "@aftercall/contract/live.ts";

import { isoOf } from "#/calls/record.ts";
import type { Log } from "#/kernel/log.ts";

import { type Place, writeCursor } from "./cursor.ts";
import { frame } from "./frames.ts";
import { deliveriesKey, keysOf } from "./identify.ts";
import type { AliasPairs, CallPayload, CampaignPayload, DeliveryPayload, Ending, TurnPayload } from "./payload.ts";
import type { ChangeKind, ChangeRow } from "./store.ts";

/** One change on its way to clients. What is sent of it is made once, however many get it. */
export type ChangeItem = {
  readonly tenantId: string;
  readonly xid: bigint;
  readonly seq: number;
  /** The snapshot at the end of the step in which it was read. */
  readonly upTo: string;
  readonly kind: ChangeKind;
  readonly callId: string | null;
  /** Under which somebody who waits for it is found. */
  readonly keys: readonly string[];
  readonly aliases: AliasPairs;
  /** Our ids of the records that were joined to the call. */
  readonly doubles: readonly string[];
  readonly ending: Ending | null;
  /** The transcript that came with it, to be told turn by turn. */
  readonly transcriptId: string | null;
  /** Whether more of the same change follows: nobody stands between. */
  readonly isPart: boolean;
  /** The tenant's end-customer that it is about; null for none. */
  readonly businessId: string | null;
  readonly item: CallItem | TranscriptionItem | CampaignItem | DeliveryItem | EndpointItem;
  /** Where somebody stands who has been told it. */
  readonly place: Place;
  /** From where a client goes on after it. */
  readonly cursor: () => string;
  /** As an item of the event stream. */
  readonly streamed: () => Buffer;
  /** As a frame of the socket; null for what sockets are not told. Completions are told otherwise. */
  readonly framed: () => string | null;
};

/**
 * Rows that were read in the step from `from` to `upTo`. What another version wrote and we cannot read is left out: it must
 * not keep everything after it from being heard.
 */
export function itemsOf(rows: readonly ChangeRow[], from: Place, upTo: string, log: Log): ChangeItem[] {
  return rows.flatMap((row) => {
    try {
      return [itemOf(row, from, upTo)];
    } catch (error) {
      log.error({ err: error, tenant: row.tenant_id, seq: row.seq }, "a live change cannot be read");
      return [];
    }
  });
}

/** A row that was read in the step from `from` to `upTo`. @throws SyntaxError, TypeError for what another version wrote */
export function itemOf(row: ChangeRow, from: Place, upTo: string): ChangeItem {
  const { call_id: callId, campaign_id: campaignId, seq, kind } = row;
  const { item, aliases, ...rest } = contentOf(row);
  const place: Place = { ...from, ahead: { snapshot: upTo, seq } };
  let cursor: string | null = null;
  let bytes: Buffer | null = null;
  let text: string | null = null;
  const cursorOf = () => (cursor ??= writeCursor(place));
  return {
    tenantId: row.tenant_id,
    xid: BigInt(row.xid),
    seq,
    upTo,
    kind,
    callId,
    keys: isOfDeliveries(item) ? [deliveriesKey] : keysOf({ callId, campaignId, aliases }),
    aliases,
    doubles: rest.doubles ?? [],
    ending: rest.ending ?? null,
    transcriptId: rest.transcriptId ?? null,
    isPart: false,
    businessId: rest.businessId ?? null,
    item,
    place,
    cursor: cursorOf,
    streamed: () => (bytes ??= streamItem(kind, item, cursorOf())),
    framed: () => (text ??= frameOf(item, cursorOf)),
  };
}

/** An item of an event stream (https://html.spec.whatwg.org/multipage/server-sent-events.html). JSON has no line breaks. */
export function streamItem(event: string, data: unknown, cursor: string | null): Buffer {
  const id = cursor === null ? "" : `id: ${cursor}\n`;
  return Buffer.from(`${id}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

/**
 * What was said in a call, turn by turn, to be told ahead of the change that brought it. Only after the last turn a client can
 * go on: one that is cut off before is told all of them again.
 */
export function turnsOf(item: ChangeItem, turns: readonly LiveTurn[]): ChangeItem[] {
  return turns.map((turn, index) => {
    const said: TranscriptionItem = { at: item.item.at, call_id: publicCallId(item.callId), turn };
    const cursor = index === turns.length - 1 ? item.cursor() : null;
    return {
      ...item,
      kind: "transcription",
      item: said,
      doubles: [],
      ending: null,
      transcriptId: null,
      isPart: true,
      streamed: () => streamItem("transcription", said, null),
      framed: () => turnFrame(said, cursor),
    };
  });
}

function frameOf(item: ChangeItem["item"], cursor: () => string): string | null {
  if ("turn" in item) return turnFrame(item, cursor());
  if ("delivery" in item) return frame({ type: "delivery", ...item, cursor: cursor() });
  return "endpoint_id" in item ? frame({ type: "endpoint", ...item, cursor: cursor() }) : null;
}

function isOfDeliveries(item: ChangeItem["item"]): item is DeliveryItem | EndpointItem {
  return "delivery" in item || "endpoint_id" in item;
}

function turnFrame({ call_id, turn }: TranscriptionItem, cursor: string | null): string {
  return frame({ type: "transcription", call_id, turn, ...(cursor !== null && { cursor }) });
}

type Content = Pick<ChangeItem, "item" | "aliases"> &
  Partial<Pick<ChangeItem, "doubles" | "ending" | "businessId" | "transcriptId">>;

function contentOf({ kind, call_id: callId, campaign_id: campaignId, payload }: ChangeRow): Content {
  const said: unknown = JSON.parse(payload);
  switch (kind) {
    case "call":
      return callContent(said as CallPayload, publicCallId(callId), campaignId && toPublicId("campaign", campaignId));
    case "transcription": {
      const { at, turn, aliases, business_id: businessId = null } = said as TurnPayload;
      return { item: { at: instant(at), call_id: publicCallId(callId), turn }, aliases, businessId };
    }
    case "campaign": {
      const { at, campaign } = said as CampaignPayload;
      const item: CampaignItem = { types: ["campaign.completed"], at: instant(at), campaign };
      return { item, aliases: [], businessId: campaign.business_id };
    }
    // Of no end-customer: what a tenant sends, and to whom, is its own affair.
    case "delivery":
    case "endpoint":
      return { item: said as DeliveryPayload, aliases: [] };
  }
}

function callContent(said: CallPayload, id: string, campaignId: string | null): Content {
  const merged = said.doubles?.map((double) => toPublicId("call", double));
  return {
    item: {
      types: said.types,
      at: instant(said.at),
      call: {
        id,
        version: said.version,
        provider: said.provider,
        status: said.status,
        outcome: said.outcome ?? null,
        direction: said.direction ?? null,
        from: said.from ?? null,
        to: said.to ?? null,
        started_at: isoOf(said.started_at ?? null),
        answered_at: isoOf(said.answered_at ?? null),
        ended_at: isoOf(said.ended_at ?? null),
        duration_ms: said.duration_ms ?? null,
        campaign_id: campaignId,
      },
      ...(merged && { merged }),
    },
    aliases: said.aliases,
    businessId: said.business_id ?? null,
    ...(said.doubles && { doubles: said.doubles }),
    ...(said.ending && { ending: said.ending }),
    ...(said.transcript_id && { transcriptId: said.transcript_id }),
  };
}

function publicCallId(uuid: string | null): string {
  if (uuid === null) throw new TypeError("A change of a call has no call");
  return toPublicId("call", uuid);
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
