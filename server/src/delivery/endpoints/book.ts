import type { Tx } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { limits } from "#/kernel/limits.ts";
import type { SecretBox } from "#/kernel/secrets.ts";

import { compileFilter } from "../filter.ts";
import { bodyFormOf } from "../formats/format.ts";
import type { Target } from "../target.ts";
import { type Keyring, openKeyring } from "./keyring.ts";
import { openSettings, type SecretRow, textKeyOf } from "./secrets.ts";
import { loadTargets, orderOf, rateOf, type TargetRow } from "./store.ts";

/**
 * The endpoints of tenants, ready for use and kept for some seconds: intake asks for every batch. Changes made in this
 * process are forgotten at once, those of others are announced; a missed announcement costs the keeping time. Whether an
 * endpoint is disabled is asked again by every claim.
 */
export type EndpointBook = {
  /** Enabled endpoints by tenant. */
  enabled(tx: Tx, tenantIds: readonly string[]): Promise<ReadonlyMap<string, readonly Target[]>>;
  /** The same, read from the database and not kept: for transactions that change endpoints, and may yet be rolled back. */
  read(tx: Tx, tenantIds: readonly string[]): Promise<ReadonlyMap<string, readonly Target[]>>;
  /** Endpoints by id, disabled ones too; read from the database. */
  named(tx: Tx, tenantIds: readonly string[], ids: readonly string[]): Promise<readonly Target[]>;
  /** Drops what is known about a tenant, or with null about all. */
  forget(tenantId: string | null): void;
};

export function createEndpointBook({ clock, box }: { clock: Clock; box: SecretBox }): EndpointBook {
  const known = new Map<string, { readonly targets: readonly Target[]; readonly until: number }>();
  const keyrings = new Map<string, Keyring>();
  let changes = 0;
  return {
    async enabled(tx, tenantIds) {
      const now = clock.monotonic();
      const missing = tenantIds.filter((id) => (known.get(id)?.until ?? 0) <= now);
      if (missing.length === 0) return new Map(tenantIds.map((id) => [id, known.get(id)?.targets ?? []]));
      const changesBefore = changes;
      const fresh = await load(tx, missing);
      // What was read while something changed may be older than the change: good for this once, not for keeping.
      if (changes === changesBefore) keep(fresh, now + limits.endpointCacheMs);
      return new Map(tenantIds.map((id) => [id, fresh.get(id) ?? known.get(id)?.targets ?? []]));
    },
    read: load,
    async named(tx, tenantIds, ids) {
      const now = clock.monotonic();
      const rows = await loadTargets(tx, tenantIds, ids);
      const keys = openKeyring(box, secretsOf(rows));
      return rows.map((row) => targetOf(box, row, { now, keys }));
    },
    forget(tenantId) {
      changes++;
      if (tenantId === null) known.clear();
      else known.delete(tenantId);
    },
  };

  async function load(tx: Tx, tenantIds: readonly string[]): Promise<Map<string, readonly Target[]>> {
    const now = clock.monotonic();
    const loaded = Map.groupBy(await loadTargets(tx, tenantIds), (row) => row.tenant_id);
    return new Map(
      tenantIds.map((id) => {
        const rows = loaded.get(id) ?? [];
        const keys = openKeyring(box, secretsOf(rows), keyrings.get(id));
        keyrings.set(id, keys);
        return [id, rows.map((row) => targetOf(box, row, { now, keys }))];
      }),
    );
  }

  function keep(fresh: ReadonlyMap<string, readonly Target[]>, until: number): void {
    for (const [id, targets] of fresh) {
      known.delete(id);
      known.set(id, { targets, until });
    }
    for (const id of known.keys()) {
      if (known.size <= tenantsKeptMax) break;
      known.delete(id);
      keyrings.delete(id);
    }
  }
}

const tenantsKeptMax = 10_000;

function secretsOf(rows: readonly TargetRow[]): SecretRow[] {
  return rows.flatMap((row) => row.secrets.map((secret) => ({ ...secret, tenant_id: row.tenant_id })));
}

function targetOf(box: SecretBox, row: TargetRow, { now, keys }: { now: number; keys: Keyring }): Target {
  const { signatureSecret, headers, auth } = openSettings(box, row);
  return {
    tenantId: row.tenant_id,
    id: row.id,
    version: row.version,
    url: row.url,
    fallbackUrl: row.fallback_url,
    kind: row.kind,
    types: row.types,
    direction: row.direction,
    campaignIds: row.campaign_ids && new Set(row.campaign_ids),
    pausedCampaignIds: new Set(row.paused_campaigns),
    channels: row.channels && new Set(row.channels),
    filter: row.filter === null ? null : compileFilter(row.filter),
    bodyForm: bodyFormOf(row.format, row.payload),
    mapping: row.mapping,
    isBinary: row.cloudevents_mode === "binary",
    scheduleMs: row.schedule_ms.map(Number),
    typeSchedulesMs: new Map(Object.entries(row.type_schedules_ms)),
    timeoutMs: row.timeout_ms,
    inFlightMax: row.in_flight_max,
    isPaused: row.paused_at !== null,
    rate: rateOf(row),
    order: orderOf(row),
    noRetry: row.status_rules.map((range) => [Number(range.slice(0, 3)), Number(range.slice(-3))] as const),
    isBreakerOn: row.is_breaker_on,
    isAutoDisabledOn: row.is_auto_disabled_on,
    resendsOnLate: row.resend_on_late,
    gatedUntil: row.gated_ms > 0 ? now + row.gated_ms : 0,
    privateTargets: row.private_targets,
    headers,
    auth,
    signature: row.signature,
    profileKey: signatureSecret === null ? null : textKeyOf(signatureSecret),
    keys: row.secrets.flatMap(({ id, expires_at }) => {
      const opened = keys.get(id);
      return opened ? [{ ...opened, expiresAtMs: expires_at?.getTime() ?? null }] : [];
    }),
  };
}
