import type { EndpointDirection, EndpointFormat } from "@aftercall/contract/endpoint.ts";

import type { Tx } from "#/db/transaction.ts";

import type { SecretRow } from "./secrets.ts";

export type EndpointRow = {
  readonly tenant_id: string;
  readonly id: string;
  readonly url: string;
  readonly description: string;
  readonly types: string[];
  readonly direction: EndpointDirection;
  readonly format: EndpointFormat;
  /** bigint, which arrives as text. */
  readonly schedule_ms: (string | number)[];
  readonly timeout_ms: number;
  readonly in_flight_max: number;
  readonly disabled_at: Date | null;
  readonly disabled_reason: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
};

const columns =
  "e.tenant_id, e.id, e.url, e.description, e.types, e.direction, e.format, e.schedule_ms, e.timeout_ms, e.in_flight_max, e.disabled_at, e.disabled_reason, e.created_at, e.updated_at";

export type StoredSecret = {
  readonly id: string;
  readonly sealed: Buffer;
  readonly created_at: Date;
  readonly expires_at: Date | null;
};
export type TargetRow = EndpointRow & { readonly version: string; readonly secrets: readonly StoredSecret[] };

/** Enabled endpoints of tenants with the secrets that sign now, newest first. */
export async function loadTargets(tx: Tx, tenantIds: readonly string[]): Promise<TargetRow[]> {
  type Joined = EndpointRow & {
    version: string;
    secret_id: string;
    sealed: Buffer;
    secret_at: Date;
    expires_at: Date | null;
  };
  const rows = await tx.rows<Joined>(
    `select ${columns}, ${endpointVersion} as version, s.id as secret_id, s.sealed, s.created_at as secret_at, s.expires_at
       from endpoints e join endpoint_secrets s on s.tenant_id = e.tenant_id and s.endpoint_id = e.id
      where e.tenant_id = any ($1::uuid[]) and e.disabled_at is null and (s.expires_at is null or s.expires_at > now())
      order by e.tenant_id, e.id, s.id desc`,
    [tenantIds],
    "delivery.load-targets",
  );
  return [...Map.groupBy(rows, (row) => row.id).values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const secrets = group.map((row) => ({
      id: row.secret_id,
      sealed: row.sealed,
      created_at: row.secret_at,
      expires_at: row.expires_at,
    }));
    return [{ ...first, secrets }];
  });
}

/** Text that changes with every change of an endpoint (alias `e`). */
export const endpointVersion = "(extract(epoch from e.updated_at) * 1000000)::bigint::text";

export type EndpointValues = Omit<EndpointRow, "tenant_id" | "created_at" | "updated_at" | "disabled_at">;

export async function insertEndpoint(tx: Tx, tenantId: string, row: EndpointValues): Promise<EndpointRow> {
  const rows = await tx.rows<EndpointRow>(
    `insert into endpoints as e (tenant_id, id, url, description, types, direction, format, schedule_ms, timeout_ms, in_flight_max)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning ${columns}`,
    [tenantId, ...valuesOf(row)],
  );
  return one(rows);
}

/** Writes all settings of an endpoint. A reason disables it; none enables it. */
export async function updateEndpoint(tx: Tx, tenantId: string, row: EndpointValues): Promise<EndpointRow> {
  const rows = await tx.rows<EndpointRow>(
    `update endpoints e set url = $3, description = $4, types = $5, direction = $6, format = $7, schedule_ms = $8, timeout_ms = $9,
            in_flight_max = $10, disabled_reason = $11::text, disabled_at = case when $11::text is not null then coalesce(disabled_at, now()) end,
            updated_at = clock_timestamp()
      where tenant_id = $1 and id = $2 returning ${columns}`,
    [tenantId, ...valuesOf(row), row.disabled_reason],
  );
  return one(rows);
}

function valuesOf(row: EndpointValues): unknown[] {
  return [
    row.id,
    row.url,
    row.description,
    row.types,
    row.direction,
    row.format,
    row.schedule_ms,
    row.timeout_ms,
    row.in_flight_max,
  ];
}

/** One endpoint, locked until the end of the transaction when it is to be changed. */
export async function findEndpoint(
  tx: Tx,
  tenantId: string,
  id: string,
  lock: "lock" | "read",
): Promise<EndpointRow | null> {
  const rows = await tx.rows<EndpointRow>(
    `select ${columns} from endpoints e where e.tenant_id = $1 and e.id = $2 and e.deleted_at is null
      ${lock === "lock" ? "for update" : ""}`,
    [tenantId, id],
  );
  return rows[0] ?? null;
}

/** Newest first, from before an id; one more than `limit` where there are more. */
export async function listEndpoints(
  tx: Tx,
  tenantId: string,
  { before, limit }: { before: string | null; limit: number },
): Promise<EndpointRow[]> {
  return tx.rows<EndpointRow>(
    `select ${columns} from endpoints e
      where e.tenant_id = $1 and e.deleted_at is null and ($2::uuid is null or e.id < $2::uuid) order by e.id desc limit $3`,
    [tenantId, before, limit + 1],
  );
}

/** Takes an endpoint out of use for good, and its secrets away. */
export async function deleteEndpoint(tx: Tx, tenantId: string, id: string): Promise<EndpointRow> {
  await tx.run("delete from endpoint_secrets where tenant_id = $1 and endpoint_id = $2", [tenantId, id]);
  const rows = await tx.rows<EndpointRow>(
    `update endpoints e set deleted_at = now(), disabled_at = coalesce(disabled_at, now()), disabled_reason = coalesce(disabled_reason, 'user'),
            updated_at = clock_timestamp()
      where tenant_id = $1 and id = $2 returning ${columns}`,
    [tenantId, id],
  );
  return one(rows);
}

/** Secrets that sign now, newest first. */
export async function listSecrets(tx: Tx, tenantId: string, endpointId: string): Promise<StoredSecret[]> {
  return tx.rows<StoredSecret>(
    `select id, sealed, created_at, expires_at from endpoint_secrets
      where tenant_id = $1 and endpoint_id = $2 and (expires_at is null or expires_at > now()) order by id desc`,
    [tenantId, endpointId],
  );
}

export async function insertSecret(tx: Tx, endpointId: string, row: SecretRow): Promise<void> {
  await tx.run("insert into endpoint_secrets (tenant_id, id, endpoint_id, sealed) values ($1, $2, $3, $4)", [
    row.tenant_id,
    row.id,
    endpointId,
    row.sealed,
  ]);
}

/** Lets the secrets of an endpoint end after a grace, those that end earlier as they were, and removes the ended ones. */
export async function expireSecrets(tx: Tx, tenantId: string, endpointId: string, graceSeconds: number): Promise<void> {
  await tx.run(
    `update endpoint_secrets set expires_at = least(expires_at, now() + $3 * interval '1 second') where tenant_id = $1 and endpoint_id = $2`,
    [tenantId, endpointId, graceSeconds],
  );
  await tx.run("delete from endpoint_secrets where tenant_id = $1 and endpoint_id = $2 and expires_at <= now()", [
    tenantId,
    endpointId,
  ]);
  await tx.run("update endpoints set updated_at = clock_timestamp() where tenant_id = $1 and id = $2", [
    tenantId,
    endpointId,
  ]);
}

function one<Row>(rows: readonly Row[]): Row {
  const [row] = rows;
  if (!row) throw new Error("a statement that returns one row returned none");
  return row;
}
