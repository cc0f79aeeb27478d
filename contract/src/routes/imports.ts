import { z } from "zod";

import type { Route } from "../api.ts";
import { ExportLine, Import, ImportLine } from "../import.ts";
import { idOf, listOf, ListQuery } from "../list.ts";

const byId = z.object({ id: idOf("import") });

/** A file that is larger is cut into several. */
const fileBytesMax = 50_000_000_000;

export const importRoutes = {
  listImports: {
    method: "GET",
    path: "/v1/imports",
    summary: "List the files that were imported, newest first",
    role: "admin",
    query: ListQuery,
    output: listOf(Import.omit({ failures: true })),
  },
  importCalls: {
    method: "POST",
    path: "/v1/imports",
    summary: "Import past calls: a file with a JSON object on each line, read as it comes",
    role: "admin",
    query: z.strictObject({
      source: z.string().max(63).optional().meta({
        description: "Slug of the source whose provider's webhooks the lines are; without it they are our own form.",
      }),
      deliver: z
        .stringbool()
        .default(false)
        .meta({ description: "Whether what follows from these calls is sent to endpoints." }),
    }),
    bodyLines: ImportLine,
    bodyBytesMax: fileBytesMax,
    output: Import,
    status: 201,
  },
  getImport: {
    method: "GET",
    path: "/v1/imports/:id",
    summary: "Get the progress of an import, with the lines that failed",
    role: "admin",
    params: byId,
    output: Import,
  },
  resumeImport: {
    method: "POST",
    path: "/v1/imports/:id/resume",
    summary: "Go on with an import that broke off: the same file from its `byte_count` on",
    role: "admin",
    params: byId,
    bodyLines: ImportLine,
    bodyBytesMax: fileBytesMax,
    output: Import,
  },
  cancelImport: {
    method: "POST",
    path: "/v1/imports/:id/cancel",
    summary: "Stop an import; what it took in stays",
    role: "admin",
    params: byId,
    output: Import,
  },
  exportTenant: {
    method: "GET",
    path: "/v1/export",
    summary: "Export everything that the tenant owns: a JSON object on each line, written as it is read",
    role: "admin",
    query: z.strictObject({
      cursor: z
        .string()
        .min(1)
        .max(2000)
        .optional()
        .meta({ description: "Of the last whole line that you have: go on after it." }),
    }),
    output: ExportLine,
    media: "application/x-ndjson",
  },
} as const satisfies Record<string, Route>;
