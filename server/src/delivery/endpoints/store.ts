import type {
  EndpointDirection,
  EndpointKind,
  EndpointPayload,
  Order,
  OrderMode,
  Rate,
  Signature,
} from "@aftercall/contract/endpoint.ts";
import type { MappingStep } from "@aftercall/contract/endpoint/mapping.ts";
import type { BaseFormat, CloudeventsMode } from "@aftercall/contract/endpoint/words.ts";
import type { Filter } from "@aftercall/contract/filter.ts";

import type { Tx } from "#/db/transaction.ts";
import { jsonbText } from "#/kernel/jsonb.ts";

import { privateTargetsColumn } from "./private-targets-store.ts";
import type { StoredSecret } from "./secret-store.ts";
import type { Sealed } from "./secrets.ts";

export type EndpointRow = EndpointSettings &
  Sealed & {
    readonly tenant_id: string;
    readonly id: string;
    readonly paused_at: Date | null;
    readonly disabled_at: Date | null;
    readonly disabled_reason: string | null;
    readonly created_at: Date;
    readonly updated_at: Date;
  };

/** What the tenant says about an endpoint, as it is stored. */
export type EndpointSettings = {
  readonly url: string;
  readonly fallback_url: string | null;
  readonly uid: string | null;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly kind: EndpointKind;
  readonly types: readonly string[];
  readonly direction: EndpointDirection;
  readonly campaign_ids: readonly string[] | null;
  readonly channels: readonly string[] | null;
  readonly filter: Filter | null;
  /** With a mapping: the one that it changes. */
  readonly format: BaseFormat;
  readonly mapping: readonly MappingStep[] | null;
  readonly cloudevents_mode: CloudeventsMode;
  readonly payload: EndpointPayload;
  readonly signature: Signature;
  /** bigint, which arrives as text. */
  readonly schedule_ms: readonly (string | number)[];
  readonly type_schedules_ms: Readonly<Record<string, readonly number[]>>;
  readonly timeout_ms: number;
  readonly in_flight_max: number;
  readonly rate_limit: number | null;
  readonly rate_per_seconds: number | null;
  readonly rate_burst: number | null;
  readonly order_mode: OrderMode;
  readonly strict_delay_max_ms: string | number;
  readonly status_rules: readonly string[];
  readonly is_handshake_on: boolean;
  readonly is_breaker_on: boolean;
  readonly is_auto_disabled_on: boolean;
  readonly resend_on_late: boolean;
  readonly api_version: string;
};

export function rateOf({
  rate_limit,
  rate_per_seconds,
  rate_burst,
}: Pick<EndpointSettings, "rate_limit" | "rate_per_seconds" | "rate_burst">): Rate | null {
  if (rate_limit === null || rate_per_seconds === null || rate_burst === null) return null;
  return { limit: rate_limit, per_seconds: rate_per_seconds, burst: rate_burst };
}

export function orderOf({ order_mode, strict_delay_max_ms }: EndpointSettings): Order {
  return { mode: order_mode, strict_delay_max_ms: Number(strict_delay_max_ms) };
}

/** Every setting with its type, in the order in which values are handed to a statement. */
const settings = {
  url: "text",
  fallback_url: "text",
  uid: "text",
  description: "text",
  metadata: "jsonb",
  kind: "text",
  types: "text[]",
  direction: "text",
  campaign_ids: "uuid[]",
  channels: "text[]",
  filter: "jsonb",
  format: "text",
  mapping: "json",
  cloudevents_mode: "text",
  payload: "text",
  signature: "jsonb",
  schedule_ms: "bigint[]",
  type_schedules_ms: "json",
  timeout_ms: "int",
  in_flight_max: "int",
  rate_limit: "int",
  rate_per_seconds: "int",
  rate_burst: "int",
  order_mode: "text",
  strict_delay_max_ms: "bigint",
  status_rules: "jsonb",
  is_handshake_on: "boolean",
  is_breaker_on: "boolean",
  is_auto_disabled_on: "boolean",
  resend_on_late: "boolean",
  api_version: "text",
  sealed_signature_secret: "bytea",
  sealed_headers: "bytea",
  sealed_auth: "bytea",
} as const satisfies Record<keyof (EndpointSettings & Sealed), string>;
const settingNames = Object.keys(settings) as readonly (keyof typeof settings)[];

const columns = [
  "tenant_id",
  "id",
  ...settingNames,
  "paused_at",
  "disabled_at",
  "disabled_reason",
  "created_at",
  "updated_at",
]
  .map((name) => `e.${name}`)
  .join(", ");

export type TargetRow = EndpointRow & {
  readonly version: string;
  /** How long its health still gates it, milliseconds; Infinity while the breaker is open. */
  readonly gated_ms: number;
  readonly private_targets: readonly string[];
  readonly paused_campaigns: readonly string[];
  readonly secrets: readonly StoredSecret[];
};

/** Enabled endpoints of tenants, or those of some ids, with the secrets that sign now, newest first. */
export async function loadTargets(
  tx: Tx,
  tenantIds: readonly string[],
  ids: readonly string[] | null = null,
): Promise<TargetRow[]> {
  type Joined = EndpointRow & {
    version: string;
    gated_ms: number;
    private_targets: string[];
    paused_campaigns: string[];
    secret_id: string;
    sealed: Buffer;
    secret_at: Date;
    expires_at: Date | null;
  };
  const rows = await tx.rows<Joined>(
    `select ${columns}, ${endpointVersion} as version, ${gatedMs} as gated_ms, ${privateTargetsColumn}, ${pausedCampaigns}, s.id as secret_id, s.sealed,
            s.created_at as secret_at, s.expires_at
       from endpoints e join endpoint_secrets s on s.tenant_id = e.tenant_id and s.endpoint_id = e.id
       join endpoint_health h on h.tenant_id = e.tenant_id and h.endpoint_id = e.id
      where e.tenant_id = any ($1::uuid[]) and case when $2::uuid[] is null then e.disabled_at is null else e.id = any ($2) end and (s.expires_at is null or s.expires_at > now())
      order by e.tenant_id, e.id, s.id desc`,
    [tenantIds, ids],
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

const pausedCampaigns = `
  array(select c.id::text from campaigns c where c.tenant_id = e.tenant_id and c.deliveries_paused_at is not null) as paused_campaigns`;

/** While the breaker is not closed, the receiver asked for a pause, or it has only just come back. */
const gatedMs = `
  case when h.breaker <> 'closed' and e.is_breaker_on then 'Infinity'::float8
       else extract(epoch from greatest(h.not_before, h.closed_at + interval '30 seconds') - now())::float8 * 1000 end`;

/** Text that changes with every change of an endpoint (alias `e`). */
export const endpointVersion = "(extract(epoch from e.updated_at) * 1000000)::bigint::text";

export type EndpointValues = EndpointSettings &
  Sealed & { readonly id: string; readonly is_paused: boolean; readonly disabled_reason: string | null };

/** The index that a taken uid runs into. */
export const uidIndex = "endpoints_uid";

export async function insertEndpoint(tx: Tx, tenantId: string, row: EndpointValues): Promise<EndpointRow> {
  const places = settingNames.map((name, i) => `$${i + firstSetting}::${settings[name]}`);
  const rows = await tx.rows<EndpointRow>(
    `insert into endpoints as e (tenant_id, id, paused_at, ${settingNames.join(", ")})
     values ($1, $2, case when $3::bool then now() end, ${places.join(", ")}) returning ${columns}`,
    [tenantId, row.id, row.is_paused, ...valuesOf(row)],
  );
  return one(rows);
}

/** Writes all settings of an endpoint. A reason disables it; none enables it. */
export async function updateEndpoint(tx: Tx, tenantId: string, row: EndpointValues): Promise<EndpointRow> {
  const changes = settingNames.map((name, i) => `${name} = $${i + firstSetting + 1}::${settings[name]}`);
  const rows = await tx.rows<EndpointRow>(
    `update endpoints e set ${changes.join(", ")}, paused_at = case when $3::bool then coalesce(paused_at, now()) end,
            disabled_reason = $4::text, disabled_at = case when $4::text is not null then coalesce(disabled_at, now()) end,
            updated_at = clock_timestamp()
      where tenant_id = $1 and id = $2 returning ${columns}`,
    [tenantId, row.id, row.is_paused, row.disabled_reason, ...valuesOf(row)],
  );
  return one(rows);
}

const firstSetting = 4;

function valuesOf(row: EndpointSettings & Sealed): unknown[] {
  return settingNames.map((name) => {
    const value = row[name];
    return settings[name].startsWith("json") && value !== null ? jsonbText(value) : value;
  });
}

/**
 * How many endpoints a tenant has, while nobody else makes one: creations of a tenant wait for each other until the end of
 * the transaction, so that a limit holds for those that come at once.
 */
export async function countForCreation(tx: Tx, tenantId: string): Promise<number> {
  await tx.run("select pg_advisory_xact_lock(hashtextextended('endpoints:' || $1::text, 0))", [tenantId]);
  const rows = await tx.rows<{ count: number }>(
    "select count(*)::int as count from endpoints where tenant_id = $1 and deleted_at is null",
    [tenantId],
  );
  return rows[0]?.count ?? 0;
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

/** Newest first, from before an id. */
export async function listEndpoints(
  tx: Tx,
  tenantId: string,
  { before, limit }: { before: string | null; limit: number },
): Promise<EndpointRow[]> {
  return tx.rows<EndpointRow>(
    `select ${columns} from endpoints e
      where e.tenant_id = $1 and e.deleted_at is null and ($2::uuid is null or e.id < $2::uuid) order by e.id desc limit $3`,
    [tenantId, before, limit],
  );
}

/** Takes an endpoint out of use for good, and all its secrets away. */
export async function deleteEndpoint(tx: Tx, tenantId: string, id: string): Promise<EndpointRow> {
  await tx.run("delete from endpoint_secrets where tenant_id = $1 and endpoint_id = $2", [tenantId, id]);
  const rows = await tx.rows<EndpointRow>(
    `update endpoints e set deleted_at = now(), sealed_signature_secret = null, sealed_headers = null, sealed_auth = null,
            disabled_at = coalesce(disabled_at, now()), disabled_reason = coalesce(disabled_reason, 'user'),
            updated_at = clock_timestamp()
      where tenant_id = $1 and id = $2 returning ${columns}`,
    [tenantId, id],
  );
  return one(rows);
}

function one<Row>(rows: readonly Row[]): Row {
  const [row] = rows;
  if (!row) throw new Error("a statement that returns one row returned none");
  return row;
}
