import { toPublicId } from "@aftercall/contract/id.ts";

import { record } from "#/audit/record.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import type { Ids } from "#/kernel/ids.ts";

import type { EndpointBook } from "../endpoints/book.ts";
import { nextFailed } from "./failed-store.ts";
import { nextMissing } from "./missing.ts";
import type { Found, Selection } from "./selection.ts";
import { advanceResend, countUnsent, endpointState, lockResend, type ResendRow, setState } from "./store.ts";
import { tellResendFinished } from "./tell.ts";
import { writeSeries } from "./write.ts";

export type ResendContext = { readonly ids: Ids; readonly book: EndpointBook };

/** How often a resend is moved on, so that it follows its rate evenly and hears of a pause soon. */
const stepMs = 200;

/**
 * Makes the next few deliveries of a resend due, no more than its rate allows since the last step and no more than its
 * receivers take: what is due and unsent is bounded by a second's worth. The place it has come to commits with what it made,
 * so nothing is sent twice or left out when the process dies. Gives the time until the next step, null when there is none.
 */
export async function stepResend(
  db: Db,
  context: ResendContext,
  { tenantId, resendId }: { readonly tenantId: string; readonly resendId: string },
): Promise<number | null> {
  return db.inTransaction([tenantId], async (tx) => {
    const row = await lockResend(tx, tenantId, resendId);
    if (row?.state !== "running") return null;
    if (row.wait_ms > 0) return Math.min(row.wait_ms, stepMs);
    if (await hasLostItsEndpoint(tx, context, row)) return null;
    const batch = Math.max(Math.ceil((row.rate_per_second * stepMs) / 1000), 1);
    if ((await countUnsent(tx, tenantId, resendId, row.rate_per_second)) >= Math.max(row.rate_per_second, batch)) {
      await advanceResend(tx, row, { cursor: null, resent: 0, isDone: false, pauseMs: stepMs });
      return stepMs;
    }
    const found = await nextPage(tx, context.book, row, batch);
    const ids = found.picks.map(() => context.ids.next());
    const written = await writeSeries(tx, { tenantId, resendId, isForced: row.is_forced, ids, picks: found.picks });
    const pauseMs = (written.length * 1000) / row.rate_per_second;
    await advanceResend(tx, row, { cursor: found.cursor, resent: written.length, isDone: found.isEnd, pauseMs });
    if (found.isEnd) await tellResendFinished(tx, context, tenantId, resendId);
    return found.isEnd ? null : Math.min(pauseMs, stepMs);
  });
}

export function selectionOf(row: ResendRow): Selection {
  return {
    tenantId: row.tenant_id,
    mode: row.mode,
    filter: row.filter,
    upperAt: row.upper_at,
    toEndpointId: row.endpoint_id,
    isForced: row.is_forced,
  };
}

function nextPage(tx: Tx, book: EndpointBook, row: ResendRow, limit: number): Promise<Found> {
  const selection = selectionOf(row);
  if (row.mode === "failed") return nextFailed(tx, selection, row.cursor_id, limit);
  const after = row.cursor_id === null ? null : { at: row.cursor_at, id: row.cursor_id };
  return nextMissing(tx, book, selection, after, limit);
}

/** A resend does not go on into an endpoint that was disabled meanwhile: it waits for somebody to look. */
async function hasLostItsEndpoint(tx: Tx, context: ResendContext, row: ResendRow): Promise<boolean> {
  if (row.endpoint_id === null) return false;
  const endpoint = await endpointState(tx, row.tenant_id, row.endpoint_id);
  const isDeleted = endpoint === null || endpoint.deleted_at !== null;
  if (!isDeleted && (endpoint.disabled_at === null || row.is_forced)) return false;
  await setState(tx, row, isDeleted ? "canceled" : "paused");
  if (isDeleted) await tellResendFinished(tx, context, row.tenant_id, row.id);
  await record(tx, context.ids, {
    tenant: row.tenant_id,
    actor: { kind: "system", id: "delivery", role: "owner" },
    action: isDeleted ? "resend.canceled" : "resend.paused",
    subject: toPublicId("resend", row.id),
    detail: { reason: isDeleted ? "endpoint_deleted" : "endpoint_disabled" },
  });
  return true;
}
