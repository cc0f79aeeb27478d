import type { Handlers } from "@aftercall/contract/api.ts";
import type { callSearchRoutes } from "@aftercall/contract/routes/call-search.ts";

import type { Db } from "#/db/transaction.ts";
import { NotFound } from "#/kernel/errors.ts";

import { loadSearchLines } from "./search-store.ts";
import { matchesIn, termsOf } from "./search.ts";
import { loadCall } from "./store.ts";

/** Where in a call something is said. */
export function findInCallHandlers({ db }: { db: Db }): Handlers<typeof callSearchRoutes> {
  return {
    async findInCall({ tenant, params, query }) {
      return db.inTransaction([tenant], async (tx) => {
        const call = await loadCall(tx, tenant, params.id);
        if (!call) throw new NotFound("Call");
        const lines = await loadSearchLines(tx, tenant, call.id);
        const asked = query.role ? lines.filter(({ role }) => role === query.role) : lines;
        return { data: matchesIn(asked, termsOf(query.q)) };
      });
    },
  };
}
