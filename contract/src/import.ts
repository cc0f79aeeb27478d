import { z } from "zod";

/** A line of a file that could not be taken in. */
export const ImportFailure = z.object({
  /** Counted from 1. */
  line: z.number().int(),
  reason: z.string(),
});

/** A file of past calls, and how far reading it has come. */
export const Import = z.object({
  id: z.string(),
  /** The source that the lines were read as. */
  source_id: z.string(),
  /** Whether what follows from these calls is sent to endpoints. */
  is_delivered: z.boolean(),
  /** `interrupted`: the file was not read to its end. Send it again: lines that were taken in are only counted. */
  state: z.enum(["running", "done", "interrupted"]),
  line_count: z.number().int(),
  /** Lines that were stored as events. */
  applied_count: z.number().int(),
  /** Lines that had been stored before. */
  repeated_count: z.number().int(),
  /** Blank lines, and lines of an export that are made anew from its events. */
  skipped_count: z.number().int(),
  failed_count: z.number().int(),
  byte_count: z.number().int(),
  /** The first thousand lines that failed. */
  failures: z.array(ImportFailure),
  created_at: z.string(),
  updated_at: z.string(),
  finished_at: z.string().nullable(),
});
export type Import = z.infer<typeof Import>;
