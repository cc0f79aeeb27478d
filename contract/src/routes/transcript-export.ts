import { z } from "zod";

import type { Route } from "../api.ts";
import { idOf } from "../list.ts";

const of = <const Form extends string, const Media extends NonNullable<Route["media"]>>(
  form: Form,
  media: Media,
  summary: string,
) =>
  ({
    method: "GET",
    path: `/v1/calls/:id/transcript/${form}`,
    summary,
    role: "viewer",
    params: z.object({ id: idOf("call") }),
    output: z.string(),
    media,
  }) as const;

/** What was said in a call, in the forms that other programs read. */
export const transcriptExportRoutes = {
  exportText: of("txt", "text/plain", "Get what was said as plain text, a line for each turn"),
  // What has no times makes no subtitles.
  exportSrt: {
    ...of("srt", "application/x-subrip", "Get what was said as SubRip subtitles"),
    canConflict: true,
  },
  exportVtt: { ...of("vtt", "text/vtt", "Get what was said as WebVTT subtitles"), canConflict: true },
  exportCsv: of("csv", "text/csv", "Get what was said as a table, a row for each turn"),
} as const satisfies Record<string, Route>;
