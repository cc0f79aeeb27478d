import type { Handlers } from "@aftercall/contract/api.ts";
import type { importRoutes } from "@aftercall/contract/routes/imports.ts";

import { type ExportDeps, exportLines } from "./export.ts";

/** Everything that a tenant owns, as lines. */
export function exportHandlers(deps: ExportDeps): Handlers<Pick<typeof importRoutes, "exportTenant">> {
  return {
    exportTenant: async ({ tenant, actor, query }) =>
      exportLines(deps, { tenantId: tenant, actor, after: query.cursor ?? null }),
  };
}
