import type { Actor, Handlers } from "@aftercall/contract/api.ts";
import { toPublicId } from "@aftercall/contract/id.ts";
import type { undeliveredRoutes } from "@aftercall/contract/routes/undelivered.ts";

import { record } from "#/audit/record.ts";
import type { Tx } from "#/db/transaction.ts";
import { Conflict, Invalid, NotFound } from "#/kernel/errors.ts";

import { showDelivery } from "../ledger/show.ts";
import { findDelivery, findMessage } from "../ledger/store.ts";
import { refuseUnreachable } from "./request.ts";
import type { ResendDeps } from "./routes.ts";
import { showResend } from "./show.ts";
import { advanceResend, endpointState, insertResend } from "./store.ts";
import { writeSeries } from "./write.ts";

type SingleRoutes = Pick<typeof undeliveredRoutes, "resendDelivery" | "resendMessage">;

type One = {
  readonly actor: Actor;
  readonly tenant: string;
  readonly messageId: string;
  readonly deliveryId: string | null;
  readonly endpointId: string;
  readonly force: boolean;
};

/** One message once more, at once. It is a resend like the others: it has a row, a cause and its line in the audit. */
export function singleResendHandlers({ db, ids }: Pick<ResendDeps, "db" | "ids">): Handlers<SingleRoutes> {
  return {
    async resendDelivery({ tenant, actor, params, body }) {
      return db.inTransaction([tenant], async (tx) => {
        const delivery = await findDelivery(tx, tenant, params.id);
        if (!delivery) throw new NotFound("Delivery");
        if (delivery.state !== "delivered" && delivery.state !== "undelivered") {
          throw new Conflict("The delivery is on its way: retry it, to have one attempt now");
        }
        const endpointId = body.to_endpoint_id ?? delivery.endpoint_id;
        const { message_id: messageId, id: deliveryId } = delivery;
        return send(tx, { actor, tenant, messageId, deliveryId, endpointId, force: body.force });
      });
    },

    async resendMessage({ tenant, actor, params, body }) {
      const { endpoint_id: endpointId, force } = body;
      return db.inTransaction([tenant], (tx) =>
        send(tx, { actor, tenant, messageId: params.id, deliveryId: null, endpointId, force }),
      );
    },
  };

  async function send(tx: Tx, { actor, tenant, messageId, deliveryId, endpointId, force }: One) {
    const message = await findMessage(tx, tenant, messageId);
    if (!message) throw new NotFound("Message");
    if (message.expired_at !== null) {
      throw new Conflict("The payload of this message was removed, by age or by hand: it cannot be sent any more");
    }
    const endpoint = await endpointState(tx, tenant, endpointId);
    if (!endpoint)
      throw new Invalid("No such endpoint", [{ pointer: "/endpoint_id", detail: "No endpoint has this id" }]);
    refuseUnreachable(endpoint, force);
    const filter = { ...noFilter, messageIds: [messageId], deliveryIds: deliveryId === null ? null : [deliveryId] };
    const row = await insertResend(tx, {
      tenant_id: tenant,
      id: ids.next(),
      mode: "all",
      filter,
      endpoint_id: endpointId,
      is_forced: force,
      rate_per_second: 1,
      total_count: 1,
      actor: `${actor.kind}:${actor.id}`,
    });
    const pick = {
      delivery_id: deliveryId,
      message_id: messageId,
      endpoint_id: endpointId,
      type: message.type,
      call_id: message.call_id,
      accepted_at: message.created_at,
      needs: "nothing",
    } as const;
    const [id] = await writeSeries(tx, {
      tenantId: tenant,
      resendId: row.id,
      isForced: force,
      ids: [ids.next()],
      picks: [pick],
    });
    const resent = id === undefined ? null : await findDelivery(tx, tenant, id);
    if (!resent) throw new Conflict("The payload of this message has just been removed");
    await advanceResend(tx, row, { cursor: null, resent: 1, isDone: true, pauseMs: 0 });
    await record(tx, ids, {
      tenant,
      actor,
      action: "resend.created",
      subject: toPublicId("resend", row.id),
      after: showResend(row, undefined),
      detail: {
        message: toPublicId("message", messageId),
        endpoint: toPublicId("endpoint", endpointId),
        delivery: deliveryId && toPublicId("delivery", deliveryId),
        force,
      },
    });
    return showDelivery(resent);
  }
}

const noFilter = {
  reasons: null,
  endpointId: null,
  types: null,
  callIds: null,
  since: null,
  until: null,
  closedReasons: null,
} as const;
