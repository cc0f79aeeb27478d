import { z } from "zod";

import { Call, RecordingInfo, Transcript } from "./call.ts";
import { Campaign } from "./campaign.ts";
import { AttemptClass, Delivery } from "./delivery.ts";
import { TrainingSession } from "./training.ts";

// What the `data` of each message holds, by event type (events.ts).

export const CallData = z.object({ call: Call, transcript: Transcript.nullable() });
export const CampaignData = z.object({ campaign: Campaign });
export const RecordingData = z.object({ call: Call, recording: RecordingInfo });
export const TranscriptData = z.object({ call: Call, transcript: Transcript });
export const AnalysisData = z.object({
  call: Call,
  analysis: z.object({ summary: z.string().nullable(), fields: z.record(z.string(), z.unknown()) }),
});
export const AnalysisFailedData = z.object({
  call: Call,
  error: z.object({ code: z.string(), detail: z.string() }),
});
export const TrainingData = z.object({ session: TrainingSession });

/** An endpoint as messages about it name it: never with headers or secrets. */
export const EndpointRef = z.object({ id: z.string(), url: z.string(), description: z.string() });
export const EndpointData = z.object({ endpoint: EndpointRef });
export const EndpointDisabledData = EndpointData.extend({
  reason: z.string().meta({ description: "`user`, `gone` (the receiver answered 410), or the rule that did it." }),
});
export const EndpointFailingData = EndpointData.extend({
  failing_since: z.string(),
  failed_attempts: z.number().int(),
  threshold_percent: z
    .number()
    .int()
    .meta({ description: "How much of what disables the endpoint has come together: 50, 70, 90 or 100." }),
});
export const EndpointRecoveredData = EndpointData.extend({ failing_since: z.string().nullable() });
export const BreakerOpenedData = EndpointData.extend({
  open_until: z.string().meta({ description: "When one attempt is made to see whether the receiver is back." }),
  attempts: z.number().int(),
  failed_attempts: z.number().int(),
});
export const BreakerClosedData = EndpointData.extend({ opened_at: z.string() });
export const SecretRotatedData = EndpointData.extend({
  old_secrets_end_at: z.string().nullable().meta({ description: "Null: they ended at once." }),
});
export const DeliveryData = z.object({
  delivery: Delivery,
  endpoint: EndpointRef,
  last_attempt: z
    .object({ at: z.string(), status: z.number().int(), class: AttemptClass, error: z.string().nullable() })
    .nullable(),
});
export const ReplayFinishedData = z.object({
  replay: z.object({
    id: z.string(),
    state: z.enum(["done", "canceled", "failed"]),
    counts: z.record(z.string(), z.number().int()),
    created_at: z.string(),
    finished_at: z.string(),
  }),
});
const SourceRef = z.object({ id: z.string(), slug: z.string(), provider: z.string(), name: z.string() });
export const SourceSilentData = z.object({ source: SourceRef, last_event_at: z.string().nullable() });
export const SourceRejectingData = z.object({
  source: SourceRef,
  since: z.string(),
  refused_count: z.number().int(),
  reasons: z.record(z.string(), z.number().int()),
});
export const QueueLaggingData = z.object({ oldest_due_seconds: z.number(), due_count: z.number().int() });
