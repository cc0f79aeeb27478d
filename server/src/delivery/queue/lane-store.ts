import type { Tx } from "#/db/transaction.ts";

import { type EndpointRef, refColumns } from "../health/store.ts";

/** What waits for one endpoint and may be sent now: first attempts and retries are lanes of their own. */
export type ReadyLane = EndpointRef & {
  readonly isRetry: boolean;
  /** The endpoint is disabled: what waits for it is undelivered. */
  readonly isClosed: boolean;
  /** It has a limit that has to be counted while its row is held. */
  readonly isGated: boolean;
  readonly inFlightMax: number;
  readonly first: Place;
  /** Where the next look may begin in it; null: at its beginning. */
  readonly mark: Place | null;
};

/** A place in a lane: before it stands what became due earlier. */
export type Place = {
  /** As PostgreSQL writes it. */
  readonly dueAt: string;
  readonly id: string;
};

export type Mark = EndpointRef & Pick<ReadyLane, "isRetry"> & { readonly place: Place };

export type LanesInput = {
  readonly lanesMax: number;
  /** Endpoints of which this process can take nothing more. */
  readonly full: readonly string[];
  /** Processes that deliver. */
  readonly workers: number;
  /** Where lanes begin that were looked at before, sorted by tenant, endpoint and sort. */
  readonly marks: readonly Mark[];
  /** What became due within this time may still be brought by a transaction that is under way: nothing of it is marked. */
  readonly lagMs: number;
};

/** Lanes that may send, tenants in turn, and the milliseconds until the next one may that waits for a time. */
export async function lookupLanes(
  tx: Tx,
  { lanesMax, full, workers, marks, lagMs }: LanesInput,
): Promise<{ lanes: ReadyLane[]; waitMs: number | null }> {
  type Row = {
    readonly tenant_id: string;
    readonly endpoint_id: string | null;
    readonly is_retry: boolean;
    readonly is_closed: boolean;
    readonly is_gated: boolean;
    readonly in_flight_max: number;
    readonly wait_ms: number | null;
    readonly due_from: string;
    readonly id_from: string;
    readonly mark_due: string | null;
    readonly mark_id: string;
  };
  const rows = await tx.rows<Row>(
    "select * from lookup_lanes_from_marks($1, $2::uuid[], $3, $4, $5::uuid[], $6::uuid[], $7::bool[], $8::timestamptz[], $9::uuid[])",
    [
      lanesMax,
      full,
      workers,
      lagMs,
      ...refColumns([...marks, behindAll]),
      [...marks.map(({ isRetry }) => isRetry), false],
      [...marks.map(({ place }) => place.dueAt), "infinity"],
      [...marks.map(({ place }) => place.id), lastId],
    ],
    "delivery.lanes",
  );
  const lanes = rows.flatMap(({ endpoint_id: endpointId, ...row }) =>
    endpointId === null
      ? []
      : {
          tenantId: row.tenant_id,
          endpointId,
          isRetry: row.is_retry,
          isClosed: row.is_closed,
          isGated: row.is_gated,
          inFlightMax: row.in_flight_max,
          first: { dueAt: row.due_from, id: row.id_from },
          mark: row.mark_due === null ? null : { dueAt: row.mark_due, id: row.mark_id },
        },
  );
  return { lanes, waitMs: rows.find((row) => row.endpoint_id === null)?.wait_ms ?? null };
}

const lastId = "ffffffff-ffff-ffff-ffff-ffffffffffff";
const behindAll: EndpointRef = { tenantId: lastId, endpointId: lastId };
