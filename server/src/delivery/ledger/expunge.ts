import type { Handlers } from "@aftercall/contract/api.ts";
import { toPublicId } from "@aftercall/contract/id.ts";
import type { retentionRoutes } from "@aftercall/contract/routes/retention.ts";

import { record } from "#/audit/record.ts";
import { NotFound } from "#/kernel/errors.ts";

import { expungePayload } from "./expunge-store.ts";
import type { LedgerDeps } from "./routes.ts";
import { showMessage } from "./show.ts";
import { findMessage } from "./store.ts";

/** Forgetting what a message said, while it stays known that there was one. */
export function expungeHandlers({ db, ids }: LedgerDeps): Handlers<typeof retentionRoutes> {
  return {
    expungePayload: ({ tenant, actor, params }) =>
      db.inTransaction([tenant], async (tx) => {
        const before = await findMessage(tx, tenant, params.id);
        if (!before || !(await expungePayload(tx, tenant, params.id))) throw new NotFound("Message");
        const message = await findMessage(tx, tenant, params.id);
        if (!message) throw new NotFound("Message");
        const subject = toPublicId("message", params.id);
        const after = showMessage(message);
        const sides = { before: showMessage(before), after };
        await record(tx, ids, { tenant, actor, action: "message.payload_expunged", subject, ...sides });
        return after;
      }),
  };
}
