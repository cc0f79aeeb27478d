import type { Tx } from "#/db/transaction.ts";

import { addToWindow, type Breaker, type Health, newHealth } from "./health.ts";

export type EndpointRef = { readonly tenantId: string; readonly endpointId: string };

export type HealthRow = EndpointRef & {
  readonly health: Health;
  readonly isBreakerOn: boolean;
  readonly isAutoDisabledOn: boolean;
  /** What the database's clock says, epoch milliseconds. */
  readonly nowMs: number;
};

/** Reads how endpoints do and holds their rows until the end of the transaction, in one order for everybody. */
export async function lockHealth(tx: Tx, endpoints: readonly EndpointRef[]): Promise<HealthRow[]> {
  type Row = HealthColumns & {
    readonly tenant_id: string;
    readonly endpoint_id: string;
    readonly is_breaker_on: boolean;
    readonly is_auto_disabled_on: boolean;
    readonly now_ms: number;
  };
  const rows = await tx.rows<Row>(
    `with locked as materialized (
       select h.* from endpoint_health h join unnest($1::uuid[], $2::uuid[]) as w (tenant_id, endpoint_id)
           on h.tenant_id = w.tenant_id and h.endpoint_id = w.endpoint_id
        order by h.endpoint_id for no key update of h)
     select l.tenant_id, l.endpoint_id, ${healthColumns("l")}, e.is_breaker_on, e.is_auto_disabled_on, ${epochMs("clock_timestamp()")} as now_ms
       from locked l join endpoints e on e.tenant_id = l.tenant_id and e.id = l.endpoint_id`,
    refColumns(endpoints),
    "delivery.lock-health",
  );
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    endpointId: row.endpoint_id,
    health: healthOf(row),
    isBreakerOn: row.is_breaker_on,
    isAutoDisabledOn: row.is_auto_disabled_on,
    nowMs: row.now_ms,
  }));
}

/** How an endpoint does now, and how many attempts are under way; null: there is none. */
export async function readHealth(
  tx: Tx,
  tenantId: string,
  endpointId: string,
): Promise<{ readonly health: Health; readonly inFlight: number; readonly nowMs: number } | null> {
  const rows = await tx.rows<HealthColumns & { readonly in_flight: number; readonly now_ms: number }>(
    `select ${healthColumns("h")}, ${epochMs("clock_timestamp()")} as now_ms,
            (select count(*)::int from deliveries d
              where d.tenant_id = h.tenant_id and d.endpoint_id = h.endpoint_id and d.state = 'claimed') as in_flight
       from endpoints e join endpoint_health h on h.tenant_id = e.tenant_id and h.endpoint_id = e.id
      where e.tenant_id = $1 and e.id = $2 and e.deleted_at is null`,
    [tenantId, endpointId],
  );
  const [row] = rows;
  return row ? { health: healthOf(row), inFlight: row.in_flight, nowMs: row.now_ms } : null;
}

/** Writes how endpoints do, whose rows this transaction holds. */
export async function writeHealth(tx: Tx, rows: readonly (EndpointRef & { readonly health: Health })[]): Promise<void> {
  const of = (pick: (health: Health) => unknown) => rows.map(({ health }) => pick(health));
  await tx.run(
    `update endpoint_health h set breaker = n.breaker, opened_at = to_timestamp(n.opened_ms / 1000), open_until = to_timestamp(n.until_ms / 1000),
            open_count = n.open_count, closed_at = to_timestamp(n.closed_ms / 1000), not_before = to_timestamp(n.before_ms / 1000),
            window_slice = n.slice, window_attempts = n.attempts::int[], window_failures = n.failures::int[],
            first_failed_at = to_timestamp(n.first_ms / 1000), last_failed_at = to_timestamp(n.last_ms / 1000), failed_count = n.failed_count,
            last_succeeded_at = to_timestamp(n.succeeded_ms / 1000), warned_percent = n.warned
       from unnest($1::uuid[], $2::uuid[], $3::text[], $4::float8[], $5::float8[], $6::int[], $7::float8[], $8::float8[], $9::bigint[],
                   $10::text[], $11::text[], $12::float8[], $13::float8[], $14::int[], $15::float8[], $16::smallint[])
         as n (tenant_id, endpoint_id, breaker, opened_ms, until_ms, open_count, closed_ms, before_ms, slice, attempts, failures,
               first_ms, last_ms, failed_count, succeeded_ms, warned)
      where h.tenant_id = n.tenant_id and h.endpoint_id = n.endpoint_id`,
    [
      ...refColumns(rows),
      of((health) => health.breaker),
      of((health) => health.openedAtMs),
      of((health) => health.openUntilMs),
      of((health) => health.openCount),
      of((health) => health.closedAtMs),
      of((health) => health.notBeforeMs),
      of((health) => health.window.slice),
      of((health) => `{${health.window.attempts.join(",")}}`),
      of((health) => `{${health.window.failures.join(",")}}`),
      of((health) => health.firstFailedAtMs),
      of((health) => health.lastFailedAtMs),
      of((health) => health.failedCount),
      of((health) => health.lastSucceededAtMs),
      of((health) => health.warnedPercent),
    ],
    "delivery.write-health",
  );
}

/** Disables endpoints by a rule or because their receivers are gone; gives those that were enabled until now. */
export async function disableEndpoints(
  tx: Tx,
  endpoints: readonly EndpointRef[],
  reason: "gone" | "failing",
): Promise<EndpointRef[]> {
  if (endpoints.length === 0) return [];
  const rows = await tx.rows<{ tenant_id: string; id: string }>(
    `update endpoints e set disabled_at = now(), disabled_reason = $3, updated_at = clock_timestamp()
       from unnest($1::uuid[], $2::uuid[]) as g (tenant_id, id)
      where e.tenant_id = g.tenant_id and e.id = g.id and e.disabled_at is null
      returning e.tenant_id, e.id`,
    [...refColumns(endpoints), reason],
    "delivery.disable-endpoints",
  );
  return rows.map((row) => ({ tenantId: row.tenant_id, endpointId: row.id }));
}

export type EndpointName = EndpointRef & { readonly url: string; readonly description: string };

/** What endpoints are called, deleted ones too. */
export async function nameEndpoints(tx: Tx, endpoints: readonly EndpointRef[]): Promise<EndpointName[]> {
  const rows = await tx.rows<{ tenant_id: string; id: string; url: string; description: string }>(
    `select e.tenant_id, e.id, e.url, e.description from endpoints e
       join unnest($1::uuid[], $2::uuid[]) as w (tenant_id, id) on e.tenant_id = w.tenant_id and e.id = w.id`,
    refColumns(endpoints),
    "delivery.name-endpoints",
  );
  return rows.map(({ tenant_id: tenantId, id: endpointId, url, description }) => ({
    tenantId,
    endpointId,
    url,
    description,
  }));
}

/** Counts successes that change nothing about their endpoint but its failure rate. */
export async function countSuccesses(
  tx: Tx,
  successes: readonly (EndpointRef & { readonly count: number })[],
  { sliceMs, slices }: { readonly sliceMs: number; readonly slices: number },
): Promise<void> {
  const rows = await lockHealth(tx, successes);
  const counts = new Map(successes.map(({ endpointId, count }) => [endpointId, count]));
  await writeHealth(
    tx,
    rows.map((row) => {
      const slice = Math.floor(row.nowMs / sliceMs);
      const window = addToWindow(row.health.window, {
        slice,
        slices,
        attempts: counts.get(row.endpointId) ?? 0,
        failures: 0,
      });
      return { ...row, health: { ...row.health, window, lastSucceededAtMs: row.nowMs } };
    }),
  );
}

export type HealthColumns = {
  readonly breaker: Breaker;
  readonly opened_ms: number | null;
  readonly until_ms: number | null;
  readonly open_count: number;
  readonly closed_ms: number | null;
  readonly before_ms: number | null;
  readonly window_slice: string | number;
  readonly window_attempts: readonly number[];
  readonly window_failures: readonly number[];
  readonly watched_ms: number;
  readonly first_ms: number | null;
  readonly last_ms: number | null;
  readonly failed_count: number;
  readonly succeeded_ms: number | null;
  readonly warned_percent: number;
};

/** The columns of {@link HealthColumns} from a row of endpoint_health. */
export function healthColumns(alias: string): string {
  const at = (column: string, name: string) => `${epochMs(`${alias}.${column}`)} as ${name}`;
  const plain = [
    "breaker",
    "open_count",
    "window_slice",
    "window_attempts",
    "window_failures",
    "failed_count",
    "warned_percent",
  ];
  return [
    ...plain.map((column) => `${alias}.${column}`),
    at("opened_at", "opened_ms"),
    at("open_until", "until_ms"),
    at("closed_at", "closed_ms"),
    at("not_before", "before_ms"),
    at("watched_from", "watched_ms"),
    at("first_failed_at", "first_ms"),
    at("last_failed_at", "last_ms"),
    at("last_succeeded_at", "succeeded_ms"),
  ].join(", ");
}

export function healthOf(row: HealthColumns): Health {
  return {
    ...newHealth(row.watched_ms),
    breaker: row.breaker,
    openedAtMs: row.opened_ms,
    openUntilMs: row.until_ms,
    openCount: row.open_count,
    closedAtMs: row.closed_ms,
    notBeforeMs: row.before_ms,
    window: { slice: Number(row.window_slice), attempts: row.window_attempts, failures: row.window_failures },
    firstFailedAtMs: row.first_ms,
    lastFailedAtMs: row.last_ms,
    failedCount: row.failed_count,
    lastSucceededAtMs: row.succeeded_ms,
    warnedPercent: row.warned_percent,
  };
}

export function epochMs(expression: string): string {
  return `extract(epoch from ${expression})::float8 * 1000`;
}

export function refColumns(endpoints: readonly EndpointRef[]): string[][] {
  return [endpoints.map(({ tenantId }) => tenantId), endpoints.map(({ endpointId }) => endpointId)];
}
