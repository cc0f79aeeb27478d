import type { CallItem, CampaignItem, TranscriptionItem } from "@aftercall/contract/live.ts";

import type { Place } from "./cursor.ts";
import { writeCursor } from "./cursor.ts";
import { keysOf } from "./identify.ts";
import type { ChangeKind, ChangeRow } from "./store.ts";

/** How a call came to its end in the sense of the socket: with all its results, or without anybody having answered. */
export type Ending = "completed" | "failed";

/** The payload of a row: what clients are shown, and what finds them. */
export type Payload = {
  readonly item: CallItem | TranscriptionItem | CampaignItem;
  readonly aliases: readonly (readonly [kind: string, value: string])[];
  /** Our ids of the records that were joined to the call. */
  readonly doubles?: readonly string[];
  readonly ending?: Ending;
};

/** One change on its way to clients. What is sent of it is made once, however many get it. */
export type ChangeItem = {
  readonly tenantId: string;
  readonly kind: ChangeKind;
  readonly callId: string | null;
  readonly keys: readonly string[];
  readonly payload: Payload;
  /** As an item of the event stream, with the cursor from which a client goes on after it. */
  readonly streamed: () => Buffer;
};

/** @param place where a reader is once it has read this row */
export function itemOf(row: ChangeRow, place: Place): ChangeItem {
  const payload = JSON.parse(row.payload) as Payload;
  const { call_id: callId, campaign_id: campaignId } = row;
  let bytes: Buffer | null = null;
  return {
    tenantId: row.tenant_id,
    kind: row.kind,
    callId,
    keys: keysOf({ callId, campaignId, aliases: payload.aliases }),
    payload,
    streamed: () => (bytes ??= streamItem(row.kind, payload.item, writeCursor(place))),
  };
}

/** An item of an event stream (https://html.spec.whatwg.org/multipage/server-sent-events.html). JSON has no line breaks. */
export function streamItem(event: string, data: unknown, cursor: string | null): Buffer {
  const id = cursor === null ? "" : `id: ${cursor}\n`;
  return Buffer.from(`${id}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
