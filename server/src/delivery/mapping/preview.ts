import type { Handlers } from "@aftercall/contract/api.ts";
import { toPublicId } from "@aftercall/contract/id.ts";
import type { deliveryRoutes } from "@aftercall/contract/routes/delivery.ts";

import type { Db, Tx } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import type { Ids } from "#/kernel/ids.ts";

import { aboutOf, exampleOf } from "../endpoints/example.ts";
import { invalid } from "../endpoints/refusals.ts";
import { type BodyForm, bodyFormOf } from "../formats/format.ts";
import { contentTypeOf, renderFact } from "../formats/index.ts";
import { formOf } from "../resend/forms.ts";
import { mapBody } from "./map.ts";

export type PreviewDeps = { readonly db: Db; readonly ids: Ids; readonly clock: Clock };

type Input = Parameters<Handlers<Pick<typeof deliveryRoutes, "previewMapping">>["previewMapping"]>[0];

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
        body.message_id === undefined ? example(tx, tenant, body, form) : kept(tx, tenant, body.message_id, form),
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

  async function example(tx: Tx, tenant: string, { type, language }: Input["body"], form: BodyForm): Promise<Buffer> {
    const tenantId = toPublicId("tenant", tenant);
    const about = aboutOf(await exampleOf(tx, tenant, type, language));
    const messageId = toPublicId("message", ids.next());
    return renderFact({ messageId, tenantId, type, occurredAtMs: clock.now(), businessId: tenantId, about }, form);
  }
}

async function kept(tx: Tx, tenant: string, messageId: string, form: BodyForm): Promise<Buffer> {
  const body = await formOf(tx, tenant, messageId, form);
  if (body === null) {
    throw invalid("/message_id", `There is no such message, or nothing of it is kept that ${form} can be made of`);
  }
  return body;
}
