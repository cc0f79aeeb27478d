import { z } from "zod";

import { CallAnalysis } from "./analysis/call-analysis.ts";
import { CostLine } from "./analysis/engine.ts";
import { EffectiveEvaluation, Override } from "./analysis/review.ts";
import { TrackerHit } from "./analysis/run.ts";
import { Verdict } from "./analysis/run.ts";
import { Call, Transcript } from "./call.ts";
import { Campaign } from "./campaign.ts";
import { AttemptClass, Delivery } from "./delivery.ts";
import { CallMoment } from "./moment.ts";
import { Recording } from "./recording.ts";
import { TrainingSession } from "./training.ts";

// What the `data` of each message holds, by event type (events.ts).

export const CallData = z.object({ call: Call, transcript: Transcript.nullable() });
export const CampaignData = z.object({ campaign: Campaign });
/** A call with everything that was made of it. */
export const CompletedCallData = CallData.extend({
  moments: z
    .array(CallMoment)
    .meta({ description: "What happened inside the call besides talk: tools, transfers, keys, holds." }),
  costs: z
    .array(CostLine)
    .meta({ description: "What the call cost, as its provider says, and what our engines came to until now." }),
  analysis: CallAnalysis.optional().meta({
    description:
      "What was made of the call, and what is missing for which reason. Absent where analysis is switched off.",
  }),
});
export const RecordingData = z.object({ call: Call, recording: Recording });
export const TranscriptData = z.object({ call: Call, transcript: Transcript });
export const AnalysisData = z.object({ call: Call, analysis: CallAnalysis });
export const AnalysisFailedData = z.object({
  call: Call,
  analysis: CallAnalysis,
  error: z.object({ code: z.string(), detail: z.string() }),
});
export const TrackerData = z.object({ call: Call, run_id: z.string(), tracker: TrackerHit });
export const TrainingData = z.object({ session: TrainingSession });
export const OverrideData = z.object({
  run: z.object({ id: z.string(), call_id: z.string() }),
  override: Override,
  machine_verdict: Verdict,
  effective: EffectiveEvaluation.omit({ results: true }),
});

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
/** `was`: which of the two is over; `since`: when it began. */
export const SourceRecoveredData = z.object({
  source: SourceRef,
  was: z.enum(["source.silent", "source.rejecting"]),
  since: z.string(),
});
export const QueueLaggingData = z.object({ oldest_due_seconds: z.number(), due_count: z.number().int() });
export const QueueRecoveredData = z.object({ since: z.string() });
