import type { AttemptTrigger, DeliveryState, UndeliveredReason } from "@aftercall/contract/delivery.ts";
import type { UnroutedReason } from "@aftercall/contract/message.ts";

import type { Page } from "#/db/page.ts";
import type { Tx } from "#/db/transaction.ts";

import type { StoredClass } from "../attempt-class.ts";
import { messageOf } from "../queue/message-store.ts";

export type MessageRow = {
  readonly id: string;
  readonly type: string;
  readonly call_id: string | null;
  readonly campaign_id: string | null;
  readonly occurred_at: Date;
  readonly received_at: Date;
  readonly unrouted_reason: UnroutedReason | null;
  readonly created_at: Date;
  readonly expired_at: Date | null;
};

const messageColumns =
  "m.id, m.type, m.call_id, m.campaign_id, m.occurred_at, m.received_at, m.unrouted_reason, m.created_at, m.expired_at";

export type MessageFilter = {
  readonly type: string | null;
  readonly callId: string | null;
  readonly unrouted: boolean | null;
};

/** Newest first. */
export async function listMessages(tx: Tx, tenantId: string, filter: MessageFilter, page: Page): Promise<MessageRow[]> {
  return tx.rows<MessageRow>(
    `select ${messageColumns} from messages m
      where m.tenant_id = $1 and ($2::text is null or m.type = $2) and ($3::uuid is null or m.call_id = $3)
        and ($4::boolean is null or (m.unrouted_reason is not null) = $4) and ($5::uuid is null or m.id < $5)
      order by m.id desc limit $6`,
    [tenantId, filter.type, filter.callId, filter.unrouted, page.before, page.limit],
  );
}

export async function findMessage(tx: Tx, tenantId: string, id: string): Promise<MessageRow | null> {
  const rows = await tx.rows<MessageRow>(
    `select ${messageColumns} from messages m where m.tenant_id = $1 and m.id = $2`,
    [tenantId, id],
  );
  return rows[0] ?? null;
}

export async function listBodies(
  tx: Tx,
  tenantId: string,
  messageId: string,
): Promise<{ format: string; body: Buffer }[]> {
  return tx.rows("select format, body from message_bodies where tenant_id = $1 and message_id = $2", [
    tenantId,
    messageId,
  ]);
}

export type DeliveryRow = {
  readonly id: string;
  readonly message_id: string;
  readonly endpoint_id: string;
  readonly type: string;
  readonly call_id: string | null;
  readonly state: DeliveryState;
  readonly reason: UndeliveredReason | null;
  /** `event`, or the id of a resend. */
  readonly cause: string;
  readonly replaced_by: string | null;
  readonly attempt_count: number;
  /** Null while it depends on somebody. */
  readonly due_at: Date | null;
  readonly created_at: Date;
  readonly finished_at: Date | null;
};

const deliveryColumns =
  "d.id, d.message_id, d.endpoint_id, m.type, m.call_id, d.state, d.reason, d.cause, d.replaced_by, d.attempt_count, nullif(d.due_at, 'infinity') as due_at, d.created_at, d.finished_at";

export type DeliveryFilter = {
  readonly state: DeliveryState | null;
  readonly reason: UndeliveredReason | null;
  readonly endpointId: string | null;
  readonly messageId: string | null;
  readonly callId: string | null;
  readonly type: string | null;
};

/** Newest first. */
export async function listDeliveries(
  tx: Tx,
  tenantId: string,
  filter: DeliveryFilter,
  page: Page,
): Promise<DeliveryRow[]> {
  return tx.rows<DeliveryRow>(
    `select ${deliveryColumns} from deliveries d ${messageOf("d", "type, call_id")}
      where d.tenant_id = $1 and ($2::text is null or d.state = $2) and ($3::text is null or (d.reason = $3 and d.state = 'undelivered'))
        and ($4::uuid is null or d.endpoint_id = $4) and ($5::uuid is null or d.message_id = $5)
        and ($6::uuid is null or m.call_id = $6) and ($7::text is null or m.type = $7) and ($8::uuid is null or d.id < $8)
      order by d.id desc limit $9`,
    [
      tenantId,
      filter.state,
      filter.reason,
      filter.endpointId,
      filter.messageId,
      filter.callId,
      filter.type,
      page.before,
      page.limit,
    ],
  );
}

export async function findDelivery(tx: Tx, tenantId: string, id: string): Promise<DeliveryRow | null> {
  const rows = await tx.rows<DeliveryRow>(
    `select ${deliveryColumns} from deliveries d ${messageOf("d", "type, call_id")}
      where d.tenant_id = $1 and d.id = $2`,
    [tenantId, id],
  );
  return rows[0] ?? null;
}

/** In any order. */
export async function findDeliveries(
  tx: Tx,
  tenantIds: readonly string[],
  ids: readonly string[],
): Promise<DeliveryRow[]> {
  return tx.rows<DeliveryRow>(
    `select ${deliveryColumns} from deliveries d ${messageOf("d", "type, call_id")}
      where d.tenant_id = any ($1::uuid[]) and d.id = any ($2::uuid[])`,
    [tenantIds, ids],
    "delivery.find",
  );
}

export type AttemptRow = {
  readonly number: number;
  readonly started_at: Date;
  readonly duration_ms: number;
  readonly status: number;
  readonly class: StoredClass;
  readonly trigger: AttemptTrigger;
  readonly url: string | null;
  readonly request_headers: Record<string, string> | null;
  readonly response_headers: Record<string, string | string[]> | null;
  readonly response_body: Buffer | null;
};

/** What was answered is kept for a shorter time than the rest; older versions wrote it beside the rest. */
export async function listAttempts(tx: Tx, tenantId: string, deliveryId: string): Promise<AttemptRow[]> {
  return tx.rows<AttemptRow>(
    `select a.number, a.started_at, a.duration_ms, a.status, a.class, a.trigger, a.url, b.request_headers,
            coalesce(b.response_headers, a.response_headers) as response_headers, coalesce(b.response_body, a.response_body) as response_body
       from attempts a
       left join attempt_bodies b on b.tenant_id = a.tenant_id and b.delivery_id = a.delivery_id and b.number = a.number
                                 and b.started_at = a.started_at
      where a.tenant_id = $1 and a.delivery_id = $2 order by a.number`,
    [tenantId, deliveryId],
  );
}

/**
 * Makes a delivery due now for one attempt by hand, and remembers when its schedule would have gone on. Asked for again before
 * it is made, it is made twice. Gives false when an attempt of the schedule is under way, when it has arrived, has no payload
 * any more, or its endpoint is disabled and that is not to be overruled.
 */
export async function bringForward(tx: Tx, tenantId: string, id: string, isForced: boolean): Promise<boolean> {
  const count = await tx.run(
    `update deliveries d set finished_at = null, is_forced = $3, is_blocked = false,
            state = case when d.state = 'claimed' then d.state else 'due' end,
            due_at = case when d.state = 'claimed' then d.due_at else now() end,
            manual_pending = case when d.resume_at is null then 1 else least(d.manual_pending + 1, 10) end,
            resume_at = coalesce(d.resume_at,
              case when d.state = 'undelivered' then 'infinity' when d.due_at = 'infinity' then now() else d.due_at end)
       from endpoints e, messages m
      where d.tenant_id = $1 and d.id = $2 and (d.state in ('due', 'undelivered') or (d.state = 'claimed' and d.resume_at is not null))
        and e.tenant_id = d.tenant_id and e.id = d.endpoint_id and e.deleted_at is null and (e.disabled_at is null or $3)
        and m.tenant_id = d.tenant_id and m.id = d.message_id and m.expired_at is null`,
    [tenantId, id, isForced],
  );
  return count === 1;
}

/** Why {@link bringForward} would not: what stands in the way besides the state of the delivery. */
export async function obstacleOf(
  tx: Tx,
  tenantId: string,
  id: string,
): Promise<"payload" | "deleted" | "disabled" | null> {
  const rows = await tx.rows<{ obstacle: "payload" | "deleted" | "disabled" | null }>(
    `select case when m.expired_at is not null then 'payload' when e.deleted_at is not null then 'deleted'
                 when e.disabled_at is not null then 'disabled' end as obstacle
       from deliveries d ${messageOf("d", "expired_at")} join endpoints e on e.tenant_id = d.tenant_id and e.id = d.endpoint_id
      where d.tenant_id = $1 and d.id = $2`,
    [tenantId, id],
  );
  return rows[0]?.obstacle ?? null;
}
