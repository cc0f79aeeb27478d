import { z } from "zod";

const time = z
  .union([z.string(), z.number()])
  .meta({ description: "ISO 8601, or Unix time in seconds or milliseconds." });

/** A call as our own form of a line says it. Other fields are kept with the bytes and say nothing. */
export const ImportedCall = z
  .looseObject({
    id: z
      .union([z.string(), z.number()])
      .meta({ description: "Your id of the call: two lines with it are about one call." }),
    event_id: z.string().optional().meta({ description: "Your id of this line; default: its bytes." }),
    status: z
      .string()
      .optional()
      .meta({ description: "`completed`, `no_answer`, `busy`, … and usual words for these." }),
    outcome: z.string().optional().meta({ description: "How it went, where `status` only says that it ended." }),
    direction: z.string().optional().meta({ description: "`inbound`, `outbound`, `web`." }),
    from: z.string().optional(),
    to: z.string().optional(),
    started_at: time.optional(),
    answered_at: time.optional(),
    ended_at: time.optional(),
    duration_ms: z.number().optional(),
    duration_sec: z.number().optional(),
    ended_reason: z.string().optional(),
    recording_url: z.string().optional().meta({ description: "Where the recording is fetched from." }),
    transcript: z
      .union([
        z.string(),
        z.array(
          z.looseObject({
            role: z.string().optional(),
            text: z.string(),
            start_ms: z.number().optional(),
            end_ms: z.number().optional(),
          }),
        ),
      ])
      .optional(),
    summary: z.string().optional(),
    language: z.string().optional(),
    campaign_id: z.string().optional(),
    lead_id: z.string().optional(),
    business_id: z.string().optional(),
    customer_name: z.string().optional(),
    agent_id: z.string().optional(),
    agent_name: z.string().optional(),
    call_sid: z.string().optional().meta({ description: "Twilio's name of the same call: then both are one record." }),
    metadata: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({
    examples: [
      {
        id: "crm-1001",
        status: "completed",
        direction: "inbound",
        from: "+14155550123",
        to: "+14155550100",
        started_at: "2025-03-02T14:23:19Z",
        ended_at: "2025-03-02T14:23:45Z",
        transcript: [{ role: "customer", text: "I would like to see the flat.", start_ms: 4100, end_ms: 8200 }],
      },
    ],
  });

/** A line of an export. */
export const ExportLine = z.object({
  kind: z.string().meta({ description: "`call`, `event`, `transcript`, `message`, …" }),
  cursor: z.string().meta({ description: "Where to go on after this line." }),
  data: z.record(z.string(), z.unknown()).meta({ description: "The row, with the ids of the API; bytes as base64." }),
});
export type ExportLine = z.infer<typeof ExportLine>;

/** A line of a file to import: our own form, a line of an export, or with `source` a webhook as its provider sends it. */
export const ImportLine = z.union([ImportedCall, ExportLine, z.record(z.string(), z.unknown())]);

/** A line of a file that could not be taken in. */
export const ImportFailure = z.object({
  /** Counted from 1. */
  line: z.number().int(),
  reason: z.string(),
});

/** A file of past calls, and how far reading it has come. */
export const Import = z.object({
  id: z.string(),
  source_id: z.string().meta({ description: "The source that the lines were read as." }),
  is_delivered: z.boolean().meta({ description: "Whether what follows from these calls is sent to endpoints." }),
  state: z.enum(["running", "done", "interrupted", "canceled"]).meta({
    description: "`interrupted`: the file was not read to its end, and goes on with `POST /v1/imports/{id}/resume`.",
  }),
  line_count: z.number().int(),
  applied_count: z.number().int().meta({ description: "Lines that were stored as events." }),
  repeated_count: z.number().int().meta({ description: "Lines that had been stored before." }),
  skipped_count: z
    .number()
    .int()
    .meta({ description: "Blank lines, and lines of an export that are made anew from its events." }),
  failed_count: z.number().int(),
  byte_count: z.number().int().meta({ description: "Bytes of these lines: a resume sends the file from there on." }),
  failures: z.array(ImportFailure).meta({ description: "The first thousand lines that failed." }),
  created_at: z.string(),
  updated_at: z.string(),
  finished_at: z.string().nullable(),
});
export type Import = z.infer<typeof Import>;
