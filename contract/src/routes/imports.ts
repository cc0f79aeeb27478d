import { z } from "zod";

import type { Route } from "../api.ts";
import { Import } from "../import.ts";
import { idOf, listOf, ListQuery } from "../list.ts";

/** `POST /v1/imports` and `GET /v1/export` are streams and stand beside this table. */
export const importRoutes = {
  listImports: {
    method: "GET",
    path: "/v1/imports",
    summary: "List the files that were imported, newest first",
    role: "admin",
    query: ListQuery,
    output: listOf(Import.omit({ failures: true })),
  },
  getImport: {
    method: "GET",
    path: "/v1/imports/:id",
    summary: "Get the progress of an import, with the lines that failed",
    role: "admin",
    params: z.object({ id: idOf("import") }),
    output: Import,
  },
} as const satisfies Record<string, Route>;
