import type { Handlers } from "@aftercall/contract/api.ts";
import { toPublicId } from "@aftercall/contract/id.ts";
import type { PublishedMessage, PublishMessage } from "@aftercall/contract/publish.ts";
import type { messageRoutes } from "@aftercall/contract/routes/messages.ts";
import { isReservedType } from "@aftercall/contract/type-name.ts";

import { record } from "#/audit/record.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { AppError, Invalid } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { limits } from "#/kernel/limits.ts";

import type { EndpointBook } from "../endpoints/book.ts";
import { renderFact } from "../formats/index.ts";
import { showMessage } from "../ledger/show.ts";
import { findMessage } from "../ledger/store.ts";
import { messageIdOf } from "../message-id.ts";
import type { DeliveryWorker } from "../worker.ts";
import { type MessageFact, writeMessages } from "../write.ts";
import * as store from "./store.ts";
import { faultsOf } from "./validate.ts";

export type PublishDeps = {
  readonly db: Db;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly book: EndpointBook;
  /** Null in a process that does not deliver: then another one finds what is due. */
  readonly worker: Pick<DeliveryWorker, "roomFor" | "handOff"> | null;
};

/** Messages that a tenant sends itself, by the same way as ours. */
export function publishHandlers({ db, ids, clock, book, worker }: PublishDeps): Handlers<typeof messageRoutes> {
  const noRoom = () => 0;
  const roomFor = worker?.roomFor ?? noRoom;
  return {
    async publishMessage({ tenant, actor, body }) {
      const traceparent = actor.from?.traceparent ?? null;
      const fact = { ...factOf(tenant, body, { subject: ids.next(), nowMs: clock.now() }), traceparent };
      const isLater = body.deliver_at !== undefined;
      const { shown, handOffs } = await db.inTransaction([tenant], async (tx) => {
        await checkMessage(tx, tenant, body);
        checkTimes(body, fact.receivedAtMs);
        if (body.message_id !== undefined) {
          const first = await store.takeExternalId(tx, tenant, body.message_id, fact.id);
          if (first !== null) throw new PublishedBefore(await showPublished(tx, tenant, first));
        }
        const written = await writeMessages(tx, [fact], { ids, book, roomFor: isLater ? noRoom : roomFor });
        const { channels } = body;
        const { deliver_at: deliverAt = null, expires_at: expiresAt = null } = body;
        const values = { externalId: body.message_id ?? null, channels, deliverAt, expiresAt };
        await store.notePublication(tx, tenant, fact.id, values);
        if (deliverAt !== null) await store.postpone(tx, tenant, fact.id, deliverAt);
        if (expiresAt !== null) await store.expireAt(tx, tenant, fact.id, expiresAt);
        const subject = toPublicId("message", fact.id);
        await record(tx, ids, { tenant, actor, action: "message.published", subject, after: { type: body.type } });
        return { shown: await showPublished(tx, tenant, fact.id), handOffs: written };
      });
      worker?.handOff(handOffs);
      if (!shown) throw new Error("a message that was written is gone");
      return shown;
    },
  };
}

/** Forgets the ids of messages published long ago. Safe to run anywhere; what is left over is for the next time. */
export async function sweepPublishedIds(db: Db, clock: Clock): Promise<number> {
  const moment = new Date(clock.now() - limits.publishedIdKeepMs);
  const tenants = await db.inTransaction([], (tx) => store.tenantsWithPublishedBefore(tx, moment));
  if (tenants.length === 0) return 0;
  return db.inTransaction(tenants, (tx) => store.forgetExternalIds(tx, moment, limits.publishedIdSweepRowsMax));
}

/** The message that has the id already is part of the answer: whoever asks again wants to know what became of it. */
class PublishedBefore extends AppError {
  constructor(existing: PublishedMessage | null) {
    super(409, "duplicate_message", "A message with this message_id was published before; nothing was sent", {
      ...(existing && { existing }),
    });
  }
}

/** @throws Invalid when there is no such type, or the data is not what its schema says. */
async function checkMessage(tx: Tx, tenant: string, { type, data }: PublishMessage): Promise<void> {
  const refuse = (detail: string) => new Invalid("The message cannot be published", [{ pointer: "/type", detail }]);
  if (isReservedType(type)) throw refuse(`${type} is for aftercall alone to send; publish a type of your own`);
  const row = await store.findEventType(tx, tenant, type);
  if (!row) throw refuse(`You have no event type ${type}: make it with POST /v1/event-types`);
  if (row.archived_at !== null) throw refuse(`${type} is archived`);
  const faults = row.schema === null ? [] : faultsOf(row.schema, data, "/data");
  if (faults.length > 0) throw new Invalid(`The data is not what the schema of ${type} says`, faults);
}

/** @throws Invalid when a time is too far ahead, or over already. */
function checkTimes({ deliver_at: deliverAt, expires_at: expiresAt }: PublishMessage, nowMs: number): void {
  const refuse = (pointer: string, detail: string) =>
    new Invalid("The message cannot be published", [{ pointer, detail }]);
  if (deliverAt !== undefined && Date.parse(deliverAt) > nowMs + limits.publishAheadMsMax) {
    throw refuse("/deliver_at", "At most 30 days ahead");
  }
  if (expiresAt !== undefined && Date.parse(expiresAt) <= nowMs) throw refuse("/expires_at", "This time is over");
}

function factOf(
  tenant: string,
  { type, data, channels, order_key: orderKey, occurred_at: occurredAt }: PublishMessage,
  { subject, nowMs }: { subject: string; nowMs: number },
): MessageFact & { readonly id: string } {
  const occurredAtMs = occurredAt === undefined ? nowMs : Date.parse(occurredAt);
  const tenantId = toPublicId("tenant", tenant);
  const about = { kind: "data", data } as const;
  return {
    id: messageIdOf(occurredAtMs, subject, type),
    subject,
    tenantId: tenant,
    type,
    callId: null,
    campaignId: null,
    direction: null,
    occurredAtMs,
    receivedAtMs: nowMs,
    channels,
    ...(orderKey !== undefined && { orderKey }),
    render(form, id) {
      const messageId = toPublicId("message", id);
      return renderFact({ messageId, tenantId, type, occurredAtMs, businessId: tenantId, about }, form);
    },
  };
}

/** Null when it was removed by age. */
async function showPublished(tx: Tx, tenant: string, id: string): Promise<PublishedMessage | null> {
  const row = await findMessage(tx, tenant, id);
  const publication = await store.findPublication(tx, tenant, id);
  if (!row || !publication) return null;
  const { deliver_at: deliverAt, expires_at: expiresAt } = publication;
  const times = { deliver_at: deliverAt?.toISOString() ?? null, expires_at: expiresAt?.toISOString() ?? null };
  return { ...showMessage(row), ...publication, ...times };
}
