import type { Tx } from "#/db/transaction.ts";

export type EventTypeRow = {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly schema: Record<string, unknown> | null;
  readonly examples: Record<string, unknown>;
  readonly archived_at: Date | null;
  readonly created_at: Date;
  readonly updated_at: Date;
};

const columns = "name, title, description, schema, examples, archived_at, created_at, updated_at";

/** All of a tenant's own event types, by name. */
export async function listEventTypes(tx: Tx, tenantId: string): Promise<EventTypeRow[]> {
  return tx.rows<EventTypeRow>(`select ${columns} from event_types where tenant_id = $1 order by name`, [tenantId]);
}

export async function findEventType(
  tx: Tx,
  tenantId: string,
  name: string,
  lock: "lock" | "read" = "read",
): Promise<EventTypeRow | null> {
  const rows = await tx.rows<EventTypeRow>(
    `select ${columns} from event_types where tenant_id = $1 and name = $2 ${lock === "lock" ? "for update" : ""}`,
    [tenantId, name],
  );
  return rows[0] ?? null;
}

export type EventTypeValues = Pick<EventTypeRow, "name" | "title" | "description" | "schema" | "examples">;

/** Null when the tenant has a type of this name. */
export async function insertEventType(tx: Tx, tenantId: string, row: EventTypeValues): Promise<EventTypeRow | null> {
  const rows = await tx.rows<EventTypeRow>(
    `insert into event_types (tenant_id, name, title, description, schema, examples) values ($1, $2, $3, $4, $5, $6)
     on conflict do nothing returning ${columns}`,
    [tenantId, ...valuesOf(row)],
  );
  return rows[0] ?? null;
}

/** Writes all of a type; archived ones keep the time they were archived at. */
export async function updateEventType(
  tx: Tx,
  tenantId: string,
  row: EventTypeValues & { readonly isArchived: boolean },
): Promise<EventTypeRow> {
  const [updated] = await tx.rows<EventTypeRow>(
    `update event_types set title = $3, description = $4, schema = $5, examples = $6, updated_at = now(),
            archived_at = case when $7 then coalesce(archived_at, now()) end
      where tenant_id = $1 and name = $2 returning ${columns}`,
    [tenantId, ...valuesOf(row), row.isArchived],
  );
  if (!updated) throw new Error("a type that was locked is gone");
  return updated;
}

function valuesOf({ name, title, description, schema, examples }: EventTypeValues): unknown[] {
  return [name, title, description, schema && JSON.stringify(schema), JSON.stringify(examples)];
}

/** How many types a tenant has, with everybody who makes one at the same moment waiting for each other. */
export async function countForCreation(tx: Tx, tenantId: string): Promise<number> {
  await tx.run("select pg_advisory_xact_lock(hashtextextended('event_types ' || $1, 0))", [tenantId]);
  const [row] = await tx.rows<{ count: number }>(
    "select count(*)::int as count from event_types where tenant_id = $1",
    [tenantId],
  );
  return row?.count ?? 0;
}

/** The names among these that are types of the tenant's own and not archived; of `noun.` all that begin with it. */
export async function activeTypes(
  tx: Tx,
  tenantId: string,
  wanted: { readonly names: readonly string[]; readonly nouns: readonly string[] },
): Promise<string[]> {
  const rows = await tx.rows<{ name: string }>(
    `select name from event_types where tenant_id = $1 and archived_at is null
        and (name = any ($2::text[]) or split_part(name, '.', 1) || '.' = any ($3::text[]))`,
    [tenantId, wanted.names, wanted.nouns],
  );
  return rows.map(({ name }) => name);
}

/** Takes the tenant's own id of a message. When it is taken, gives the id of the message that has it. */
export async function takeExternalId(
  tx: Tx,
  tenantId: string,
  externalId: string,
  messageId: string,
): Promise<string | null> {
  const taken = await tx.run(
    "insert into published_messages (tenant_id, external_id, message_id) values ($1, $2, $3) on conflict do nothing",
    [tenantId, externalId, messageId],
  );
  if (taken === 1) return null;
  const [row] = await tx.rows<{ message_id: string }>(
    "select message_id from published_messages where tenant_id = $1 and external_id = $2",
    [tenantId, externalId],
  );
  return row?.message_id ?? null;
}

/** Writes what only messages have that a tenant published. */
export async function notePublication(
  tx: Tx,
  tenantId: string,
  messageId: string,
  { externalId, channels, deliverAt, expiresAt }: PublicationValues,
): Promise<void> {
  await tx.run(
    "update messages set external_id = $3, channels = $4, deliver_at = $5, expires_at = $6 where tenant_id = $1 and id = $2",
    [tenantId, messageId, externalId, channels, deliverAt, expiresAt],
  );
}

export type PublicationValues = {
  readonly externalId: string | null;
  readonly channels: readonly string[];
  readonly deliverAt: string | null;
  readonly expiresAt: string | null;
};

/** Puts off what was just written of a message, unless that waits for somebody anyway. */
export async function postpone(tx: Tx, tenantId: string, messageId: string, until: string): Promise<void> {
  await tx.run(
    `update deliveries set due_at = $3::timestamptz
      where tenant_id = $1 and message_id = $2 and state = 'due' and due_at < $3::timestamptz and due_at < 'infinity'`,
    [tenantId, messageId, until],
  );
}

/** Has what waits of a message ended at a time, if there is anything. */
export async function expireAt(tx: Tx, tenantId: string, messageId: string, at: string): Promise<void> {
  await tx.run(
    `insert into message_expiries (tenant_id, message_id, expires_at)
     select $1, $2, $3 where exists (select from deliveries where tenant_id = $1 and message_id = $2)`,
    [tenantId, messageId, at],
  );
}

export type Publication = {
  readonly external_id: string | null;
  readonly channels: string[];
  readonly order_key: string | null;
  readonly deliver_at: Date | null;
  readonly expires_at: Date | null;
  readonly deliveries_count: number;
};

export async function findPublication(tx: Tx, tenantId: string, messageId: string): Promise<Publication | null> {
  const rows = await tx.rows<Publication>(
    `select m.external_id, m.channels, m.order_key, m.deliver_at, m.expires_at,
            (select count(*)::int from deliveries d where d.tenant_id = m.tenant_id and d.message_id = m.id) as deliveries_count
       from messages m where m.tenant_id = $1 and m.id = $2`,
    [tenantId, messageId],
  );
  return rows[0] ?? null;
}

export async function tenantsWithPublishedBefore(tx: Tx, moment: Date): Promise<string[]> {
  const rows = await tx.rows<{ id: string }>("select id from lookup_tenants_with_published_before($1) as t (id)", [
    moment,
  ]);
  return rows.map(({ id }) => id);
}

/** Forgets ids of messages published before a moment, at most `rowsMax`. */
export async function forgetExternalIds(tx: Tx, moment: Date, rowsMax: number): Promise<number> {
  return tx.run(
    `delete from published_messages where (tenant_id, external_id) in
       (select tenant_id, external_id from published_messages where created_at < $1 limit $2)`,
    [moment, rowsMax],
  );
}

/** The newest messages of a type whose payload is still there. */
export async function newestMessages(tx: Tx, tenantId: string, type: string, limit: number): Promise<string[]> {
  const rows = await tx.rows<{ id: string }>(
    "select id from messages where tenant_id = $1 and type = $2 and expired_at is null order by id desc limit $3",
    [tenantId, type, limit],
  );
  return rows.map(({ id }) => id);
}
