import { eventTypeOf } from "@aftercall/contract/events.ts";

import type { Tx } from "#/db/transaction.ts";

import { chooseEndpoints, type MessageKind } from "../choose.ts";
import type { EndpointBook } from "../endpoints/book.ts";
import { messageIdOf, timeOf } from "../message-id.ts";
import type { Target } from "../target.ts";
import { renderUnwritten } from "../unwritten.ts";
import { type MessageFor, nextMessages } from "./missing-store.ts";
import type { Candidate, Cursor, Found, Picked, Selection } from "./selection.ts";

/** Messages that are looked at in one statement: of an endpoint that wants few of them most are passed over. */
const pageRows = 1_000;

/**
 * The next messages that an endpoint should have got: those that were meant for it, and those that go to it by its settings of
 * today, whenever it was made. What is on its way is left alone; what has arrived counts only in the mode `all`.
 */
export async function nextMissing(
  tx: Tx,
  book: EndpointBook,
  selection: Selection,
  after: Cursor | null,
  limit: number,
): Promise<Found> {
  const endpointId = selection.toEndpointId;
  if (endpointId === null) throw new TypeError("A resend of this mode has an endpoint");
  // The others count because inbound calls go to a generic endpoint only while no inbound one wants them.
  const enabled = (await book.enabled(tx, [selection.tenantId])).get(selection.tenantId) ?? [];
  const known = enabled.find((target) => target.id === endpointId);
  const wanted = known ?? (await book.named(tx, [selection.tenantId], [endpointId]))[0];
  const choosing = known || !wanted ? enabled : [...enabled, wanted];
  const picks: Picked[] = [];
  for (let cursor = after; ;) {
    const page = { after: cursor, limit: pageRows, withBodies: choosing.some(({ filter }) => filter !== null) };
    const messages = await nextMessages(tx, selection, endpointId, page);
    const unwritten = page.withBodies ? messages.filter(({ body }) => body === null).map(({ id }) => id) : [];
    const rendered = await renderUnwritten(tx, selection.tenantId, unwritten);
    for (const message of messages) {
      cursor = { at: message.at, id: message.id };
      if (!isMissing(message, selection) || !isFor(message, choosing, wanted, rendered)) continue;
      picks.push({ ...candidate(message, endpointId), needs: "nothing" });
      if (picks.length === limit) return { picks, cursor, isEnd: false };
    }
    if (messages.length < pageRows) return { picks, cursor, isEnd: true };
  }
}

/** How many there are in all, and the first of them. */
export async function countMissing(
  tx: Tx,
  book: EndpointBook,
  selection: Selection,
  sampleSize: number,
): Promise<{ count: number; sample: readonly Candidate[] }> {
  const sample: Candidate[] = [];
  let count = 0;
  for (let after: Cursor | null = null; ;) {
    const found: Found = await nextMissing(tx, book, selection, after, pageRows);
    count += found.picks.length;
    sample.push(...found.picks.slice(0, sampleSize - sample.length));
    if (found.isEnd) return { count, sample };
    after = found.cursor;
  }
}

function isMissing(message: MessageFor, { mode, filter }: Selection): boolean {
  if (message.is_open) return false;
  // With closed reasons, what is older than the window was asked for only because it was closed.
  if (filter.closedReasons !== null && message.was_closed) return true;
  return mode === "all" || !message.has_arrived;
}

function isFor(
  message: MessageFor,
  choosing: readonly Target[],
  wanted: Target | undefined,
  rendered: ReadonlyMap<string, Buffer>,
): boolean {
  if (message.was_meant) return true;
  if (isLate(message) && !wanted?.resendsOnLate) return false;
  const kind = kindOf(message, message.body ?? rendered.get(message.id) ?? null);
  return wanted !== undefined && chooseEndpoints(kind, choosing).endpoints.some((one) => one === wanted);
}

/** Told again of a call, for those who ask for that: the first message has the id of the call's own fact. */
function isLate({ id, type, call_id: callId }: MessageFor): boolean {
  return type === "call.completed" && callId !== null && id !== messageIdOf(timeOf(id), callId, type);
}

function kindOf(message: MessageFor, body: Buffer | null): MessageKind {
  return {
    type: message.type,
    kind: eventTypeOf(message.type)?.kind ?? "ordinary",
    isAboutCall: message.call_id !== null,
    direction: message.direction,
    campaignId: message.campaign_id,
    channels: message.channels,
    // A message that only went out in other formats cannot be asked, and so fits no filter.
    payload: () => (body === null ? null : (JSON.parse(body.toString("utf8")) as unknown)),
  };
}

function candidate(message: MessageFor, endpointId: string): Candidate {
  return {
    delivery_id: null,
    message_id: message.id,
    endpoint_id: endpointId,
    type: message.type,
    call_id: message.call_id,
    accepted_at: message.accepted_at,
  };
}
