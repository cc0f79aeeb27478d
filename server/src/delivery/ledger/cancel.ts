import type { Handlers } from "@aftercall/contract/api.ts";
import type { CancelDeliveries } from "@aftercall/contract/cancel.ts";
import { toPublicId } from "@aftercall/contract/id.ts";
import { resendLimits } from "@aftercall/contract/resend.ts";
import type { undeliveredRoutes } from "@aftercall/contract/routes/undelivered.ts";

import { record } from "#/audit/record.ts";
import type { Db } from "#/db/transaction.ts";
import { notify } from "#/db/wake.ts";
import type { Ids } from "#/kernel/ids.ts";
import { limits } from "#/kernel/limits.ts";

import { unblockReleased } from "../queue/line-store.ts";
import { showItem } from "../resend/show.ts";
import { cancelWaiting, type CancelFilter, countOpen, someWaiting } from "./cancel-store.ts";

export type CancelDeps = { readonly db: Db; readonly ids: Ids };

/** What waits and is not wanted any more: counted first, then listed as undelivered. */
export function cancelHandlers({ db, ids }: CancelDeps): Handlers<Pick<typeof undeliveredRoutes, "cancelDeliveries">> {
  return {
    async cancelDeliveries({ tenant, actor, body }) {
      const filter = filterOf(body);
      return db.inTransaction([tenant], async (tx) => {
        const sample = (await someWaiting(tx, tenant, filter, resendLimits.sampleMax)).map(showItem);
        const { waiting, inFlight } = await countOpen(tx, tenant, filter);
        const counted = { count: waiting, in_flight_count: inFlight, sample };
        if (body.dry_run) return { ...counted, cancelled_count: 0 };
        const cancelled = await cancelWaiting(tx, tenant, filter, limits.deliveryCancelMax);
        const inLine = cancelled.filter((row) => row.is_in_line);
        await unblockReleased(
          tx,
          inLine.map((row) => ({ tenantId: tenant, deliveryId: row.id, endpointId: row.endpoint_id })),
        );
        await record(tx, ids, {
          tenant,
          actor,
          action: "deliveries.cancelled",
          subject:
            filter.endpointId === null ? toPublicId("tenant", tenant) : toPublicId("endpoint", filter.endpointId),
          detail: shown(filter),
          after: { cancelled_count: cancelled.length },
        });
        if (inLine.length > 0) await notify(tx, "deliveries");
        return { ...counted, cancelled_count: cancelled.length };
      });
    },
  };
}

function filterOf(body: CancelDeliveries): CancelFilter {
  return {
    endpointId: body.endpoint_id ?? null,
    types: body.types ?? null,
    callIds: body.call_ids ?? null,
    since: body.since ?? null,
    until: body.until ?? null,
    deliveryIds: body.delivery_ids ?? null,
    messageIds: body.message_ids ?? null,
    isTried: body.is_tried ?? null,
  };
}

/** The conditions as they were asked for; those that were not are left out. */
function shown(filter: CancelFilter): Record<string, unknown> {
  const conditions = {
    endpoint_id: filter.endpointId && toPublicId("endpoint", filter.endpointId),
    types: filter.types,
    since: filter.since,
    until: filter.until,
    call_ids: filter.callIds?.map((id) => toPublicId("call", id)),
    delivery_ids: filter.deliveryIds?.map((id) => toPublicId("delivery", id)),
    message_ids: filter.messageIds?.map((id) => toPublicId("message", id)),
    is_tried: filter.isTried,
  };
  return Object.fromEntries(Object.entries(conditions).filter(([, value]) => value !== null && value !== undefined));
}
