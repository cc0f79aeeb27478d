import type { TimelineEntry } from "@aftercall/contract/timeline.ts";

import type { Tx } from "#/db/transaction.ts";

/** A call's own id and those of the records that were joined to it. */
export async function recordsOf(tx: Tx, tenant: string, callId: string): Promise<string[]> {
  const rows = await tx.rows<{ id: string }>(
    "select id from calls where tenant_id = $1 and (id = $2 or merged_into = $2)",
    [tenant, callId],
  );
  return rows.map((row) => row.id);
}

type EntryOf<Kind extends TimelineEntry["kind"]> = Extract<TimelineEntry, { kind: Kind }>;
/** An entry as it is stored: ids without their prefix, times as they are. */
type Row<Kind extends TimelineEntry["kind"]> = Omit<EntryOf<Kind>, "kind" | "at" | "occurred_at" | "finished_at"> & {
  readonly at: Date;
};

export type EventRow = Row<"event"> & { readonly occurred_at: Date | null };

export async function eventsOf(tx: Tx, tenant: string, calls: readonly string[], limit: number): Promise<EventRow[]> {
  return tx.rows<EventRow>(
    `select id as event_id, received_at as at, provider, type, occurred_at, effect, status_after, outcome_after, problem from events
      where tenant_id = $1 and call_id = any ($2::uuid[]) order by received_at, seq limit $3`,
    [tenant, calls, limit],
  );
}

export async function applicationsOf(
  tx: Tx,
  tenant: string,
  calls: readonly string[],
  limit: number,
): Promise<Row<"application">[]> {
  return tx.rows<Row<"application">>(
    `select event_id, at, cause, status_after, outcome_after, problem from event_applications
      where tenant_id = $1 and call_id = any ($2::uuid[]) order by at, id limit $3`,
    [tenant, calls, limit],
  );
}

export async function messagesOf(
  tx: Tx,
  tenant: string,
  calls: readonly string[],
  limit: number,
): Promise<Row<"message">[]> {
  return tx.rows<Row<"message">>(
    `select id as message_id, created_at as at, type, unrouted_reason from messages
      where call_id = any ($2::uuid[]) and tenant_id = $1 order by created_at, id limit $3`,
    [tenant, calls, limit],
  );
}

export type DeliveryRow = Row<"delivery"> & { readonly finished_at: Date | null };

export async function deliveriesOf(
  tx: Tx,
  tenant: string,
  messages: readonly string[],
  limit: number,
): Promise<DeliveryRow[]> {
  return tx.rows<DeliveryRow>(
    `select id as delivery_id, created_at as at, message_id, endpoint_id, state, reason, finished_at from deliveries
      where tenant_id = $1 and message_id = any ($2::uuid[]) order by created_at, id limit $3`,
    [tenant, messages, limit],
  );
}

export async function attemptsOf(
  tx: Tx,
  tenant: string,
  deliveries: readonly string[],
  limit: number,
): Promise<Row<"attempt">[]> {
  return tx.rows<Row<"attempt">>(
    `select delivery_id, number, started_at as at, status, class, duration_ms from attempts
      where tenant_id = $1 and delivery_id = any ($2::uuid[]) order by started_at, number limit $3`,
    [tenant, deliveries, limit],
  );
}

export async function changesOf(tx: Tx, tenant: string, subject: string, limit: number): Promise<Row<"change">[]> {
  return tx.rows<Row<"change">>(
    "select at, action, actor from audit_log where tenant_id = $1 and subject = $2 order by id limit $3",
    [tenant, subject, limit],
  );
}
