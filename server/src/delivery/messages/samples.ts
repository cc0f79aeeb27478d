import type { Handlers } from "@aftercall/contract/api.ts";
import type { deliveryRoutes } from "@aftercall/contract/routes/delivery.ts";

import type { Db } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import type { Ids } from "#/kernel/ids.ts";

import { renderExample } from "../endpoints/example.ts";
import { formOf } from "../resend/forms.ts";
import { newestMessages } from "./store.ts";

export type SampleDeps = { readonly db: Db; readonly ids: Ids; readonly clock: Clock };

/** What receivers of a type get, as they get it: n8n, Zapier and Make name the fields by it. */
export function sampleHandlers({
  db,
  ids,
  clock,
}: SampleDeps): Handlers<Pick<typeof deliveryRoutes, "listMessageSamples">> {
  return {
    listMessageSamples: ({ tenant, query }) =>
      db.inTransaction([tenant], async (tx) => {
        const { type, language, format } = query;
        const own: Buffer[] = [];
        for (const id of await newestMessages(tx, tenant, type, samplesMax)) {
          // oxlint-disable-next-line no-await-in-loop -- One statement after the other on one connection.
          const body = await formOf(tx, tenant, id, format);
          if (body) own.push(body);
        }
        if (own.length > 0) return { data: own.map(read), origin: "messages" };
        const example = { type, language, pointer: "?type" };
        const moment = { messageId: ids.next(), occurredAtMs: clock.now() };
        return { data: [read(await renderExample(tx, tenant, example, moment, format))], origin: "example" };
      }),
  };
}

const samplesMax = 3;

function read(body: Buffer): Record<string, unknown> {
  return JSON.parse(body.toString("utf8")) as Record<string, unknown>;
}
