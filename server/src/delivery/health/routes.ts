import type { Handlers } from "@aftercall/contract/api.ts";
import type { EndpointHealth } from "@aftercall/contract/endpoint/health.ts";
import type { deliveryRoutes } from "@aftercall/contract/routes/delivery.ts";

import type { Db } from "#/db/transaction.ts";
import { NotFound } from "#/kernel/errors.ts";

import { addToWindow, type Health } from "./health.ts";
import { healthRules } from "./rules.ts";
import { readHealth } from "./store.ts";

/** How an endpoint does: whether its breaker is open, and what it failed lately. */
export function healthHandlers({
  db,
}: {
  readonly db: Db;
}): Handlers<Pick<typeof deliveryRoutes, "getEndpointHealth">> {
  return {
    async getEndpointHealth({ tenant, params }) {
      const found = await db.inTransaction([tenant], (tx) => readHealth(tx, tenant, params.id));
      if (!found) throw new NotFound("Endpoint");
      return showHealth(found.health, found);
    },
  };
}

function showHealth(health: Health, { inFlight, nowMs }: { inFlight: number; nowMs: number }): EndpointHealth {
  const { slices, sliceMs } = healthRules;
  const slice = Math.floor(nowMs / sliceMs);
  const { attempts, failures } = addToWindow(health.window, { slice, slices, attempts: 0, failures: 0 });
  const later = (atMs: number | null) => timeOf(atMs !== null && atMs > nowMs ? atMs : null);
  return {
    breaker: health.breaker,
    breaker_open_until: health.breaker === "open" ? later(health.openUntilMs) : null,
    throttled_until: later(health.notBeforeMs),
    in_flight: inFlight,
    recent: { attempts: sumOf(attempts), failures: sumOf(failures) },
    failed_count: health.failedCount,
    first_failed_at: timeOf(health.firstFailedAtMs),
    last_failed_at: timeOf(health.lastFailedAtMs),
    last_succeeded_at: timeOf(health.lastSucceededAtMs),
  };
}

function timeOf(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString();
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
