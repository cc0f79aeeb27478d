import type { Handlers } from "@aftercall/contract/api.ts";
import type { DeliveryState } from "@aftercall/contract/delivery.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import type { IdKind } from "@aftercall/contract/id.ts";
import type { deliveryRoutes } from "@aftercall/contract/routes/delivery.ts";

import { record } from "#/audit/record.ts";
import { readPage } from "#/db/page.ts";
import type { Db } from "#/db/transaction.ts";
import { notify } from "#/db/wake.ts";
import { Conflict, Invalid, NotFound } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { pageOf } from "#/kernel/page.ts";

import { writeUnwritten } from "../unwritten.ts";
import { showAttempt, showDelivery, showMessage } from "./show.ts";
import * as store from "./store.ts";

export type LedgerDeps = { readonly db: Db; readonly ids: Ids };

type LedgerRoutes = Pick<
  typeof deliveryRoutes,
  "listMessages" | "getMessage" | "listDeliveries" | "getDelivery" | "retryDelivery"
>;

/** What was sent, what was not, and one more try. */
export function ledgerHandlers({ db, ids }: LedgerDeps): Handlers<LedgerRoutes> {
  return {
    async listMessages({ tenant, query }) {
      const filter = {
        type: query.type ?? null,
        callId: query.call_id ?? null,
        unrouted: query.unrouted === undefined ? null : query.unrouted === "true",
      };
      const before = cursorOf("message", query.cursor);
      const rows = await db.inTransaction([tenant], (tx) =>
        readPage(tx, query, before, (probe, page) => store.listMessages(probe, tenant, filter, page)),
      );
      return pageOf(rows, query.limit, showMessage, (row) => toPublicId("message", row.id));
    },

    async getMessage({ tenant, params }) {
      return db.inTransaction([tenant], async (tx) => {
        const message = await store.findMessage(tx, tenant, params.id);
        if (!message) throw new NotFound("Message");
        await writeUnwritten(tx, tenant, [params.id]);
        const bodies = await store.listBodies(tx, tenant, params.id);
        const filter = { ...noFilter, messageId: params.id };
        const deliveries = await store.listDeliveries(tx, tenant, filter, { before: null, limit: deliveriesShownMax });
        return {
          ...showMessage(message),
          bodies: Object.fromEntries(bodies.map(({ format, body }) => [format, body.toString("utf8")])),
          deliveries: deliveries.map(showDelivery),
        };
      });
    },

    async listDeliveries({ tenant, query }) {
      const filter = {
        state: query.state ?? null,
        reason: query.reason ?? null,
        endpointId: query.endpoint_id ?? null,
        messageId: query.message_id ?? null,
        callId: query.call_id ?? null,
        type: query.type ?? null,
      };
      const before = cursorOf("delivery", query.cursor);
      const rows = await db.inTransaction([tenant], (tx) =>
        readPage(tx, query, before, (probe, page) => store.listDeliveries(probe, tenant, filter, page)),
      );
      return pageOf(rows, query.limit, showDelivery, (row) => toPublicId("delivery", row.id));
    },

    async getDelivery({ tenant, params }) {
      return db.inTransaction([tenant], async (tx) => {
        const delivery = await store.findDelivery(tx, tenant, params.id);
        if (!delivery) throw new NotFound("Delivery");
        const attempts = await store.listAttempts(tx, tenant, params.id);
        return { ...showDelivery(delivery), attempts: attempts.map(showAttempt) };
      });
    },

    async retryDelivery({ tenant, actor, params, query }) {
      return db.inTransaction([tenant], async (tx) => {
        const isForced = query.force === "true";
        const before = await store.findDelivery(tx, tenant, params.id);
        const isDue = await store.bringForward(tx, tenant, params.id, isForced);
        const delivery = await store.findDelivery(tx, tenant, params.id);
        if (!before || !delivery) throw new NotFound("Delivery");
        if (!isDue) {
          const obstacle = await store.obstacleOf(tx, tenant, params.id);
          throw new Conflict(isOver[delivery.state] ?? obstacles[obstacle ?? "disabled"]);
        }
        const subject = toPublicId("delivery", params.id);
        const sides = { before: showDelivery(before), after: showDelivery(delivery) };
        const detail = { force: isForced };
        await record(tx, ids, { tenant, actor, action: "delivery.retried", subject, ...sides, detail });
        await notify(tx, "deliveries");
        return showDelivery(delivery);
      });
    },
  };
}

const isOver: Readonly<Partial<Record<DeliveryState, string>>> = {
  delivered: "The delivery has arrived: resend it, to send it once more",
  claimed: "The delivery is being sent at this moment",
};

const obstacles = {
  payload: "The payload of this message was removed, by age or by hand: it cannot be sent any more",
  deleted: "The endpoint was deleted: resend to another one",
  disabled: "The endpoint is disabled: enable it first, or retry with ?force=true",
} as const;

const deliveriesShownMax = 200;

const noFilter = { state: null, reason: null, endpointId: null, messageId: null, callId: null, type: null } as const;

function cursorOf(kind: IdKind, cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  const id = fromPublicId(kind, cursor);
  if (id === null)
    throw new Invalid("The cursor is not one of this list", [{ pointer: "?cursor", detail: "Send next_cursor" }]);
  return id;
}
