import type { Handlers } from "@aftercall/contract/api.ts";
import type { deliveryRoutes } from "@aftercall/contract/routes/delivery.ts";

import type { Db, Tx } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import type { Ids } from "#/kernel/ids.ts";

import { renderExample } from "../endpoints/example.ts";
import { invalid } from "../endpoints/refusals.ts";
import { type BodyForm, bodyFormOf } from "../formats/format.ts";
import { contentTypeOf } from "../formats/index.ts";
import { formOf } from "../resend/forms.ts";
import { mapBody } from "./map.ts";

export type PreviewDeps = { readonly db: Db; readonly ids: Ids; readonly clock: Clock };

/** A mapping tried on bytes that are sent as they are otherwise. */
export function previewHandlers({
  db,
  ids,
  clock,
}: PreviewDeps): Handlers<Pick<typeof deliveryRoutes, "previewMapping">> {
  return {
    async previewMapping({ tenant, body }) {
      const { over, steps } = body.mapping;
      const form = bodyFormOf(over, body.payload);
      const unmapped = await db.inTransaction([tenant], (tx) =>
        body.message_id === undefined
          ? renderExample(tx, tenant, body, { messageId: ids.next(), occurredAtMs: clock.now() }, form)
          : kept(tx, tenant, body.message_id, form),
      );
      const mapped = mapBody(unmapped, steps);
      return {
        content_type: contentTypeOf(form),
        body: mapped.body.toString("utf8"),
        bytes: mapped.body.length,
        unmatched: [...mapped.unmatched],
      };
    },
  };
}

async function kept(tx: Tx, tenant: string, messageId: string, form: BodyForm): Promise<Buffer> {
  const body = await formOf(tx, tenant, messageId, form);
  if (body === null) {
    throw invalid("/message_id", `There is no such message, or nothing of it is kept that ${form} can be made of`);
  }
  return body;
}
