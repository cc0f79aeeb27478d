import type { z } from "zod";

import * as analysisExamples from "./analysis/examples.ts";
import { evaluationOverridden } from "./analysis/review-example.ts";
import * as of from "./event-data.ts";
import * as examples from "./examples.ts";
import * as operational from "./operational-examples.ts";

export { CallData, CompletedCallData } from "./event-data.ts";

/** The body of a message in the standard format (Standard Webhooks). */
export type Envelope = { readonly type: string; readonly timestamp: string; readonly data: unknown };

export type EventType = {
  readonly title: string;
  /** When it is sent, and what a receiver may rely on. */
  readonly description: string;
  /** `operational`: about the delivery itself, not about calls. */
  readonly kind: "ordinary" | "operational";
  /** Schema of `data`. */
  readonly data: z.ZodType;
  /** A whole body as it is sent, in English and in Hebrew. */
  readonly examples: { readonly en: Envelope; readonly he: Envelope };
};

const ordinary = { kind: "ordinary" } as const;
const aboutDelivery = { kind: "operational" } as const;

/** Everything that goes out. The subscription form, the API reference and the types of the SDK are drawn from it. */
export const eventTypes = {
  "call.started": {
    ...ordinary,
    title: "A call is in progress",
    description:
      "Sent once, when a call is first known to be in progress, to those who want it at that moment: it is not kept for endpoints made later. A call that nobody answers has call.failed alone, one that is heard of only at its end call.ended, and calls of an import have none.",
    data: of.CallData,
    examples: examples.callStarted,
  },
  "call.ended": {
    ...ordinary,
    title: "A call is over",
    description:
      "Sent at once when a call that connected is over. Transcript and analysis usually come later, with call.completed.",
    data: of.CallData,
    examples: examples.callEnded,
  },
  "call.completed": {
    ...ordinary,
    title: "A call and all its results",
    description:
      "Sent once per call when nothing more is expected, at the latest an hour after its end: the call with its transcript, what was made of it, and what is missing for which reason. Endpoints with `resend_on_late` get it again, as another message, when late data changes what was made of the call.",
    data: of.CompletedCallData,
    examples: analysisExamples.callCompleted,
  },
  "call.failed": {
    ...ordinary,
    title: "A call never connected",
    description:
      "Sent at once, instead of call.ended and call.completed, when nobody answered: busy, no answer, canceled, failed.",
    data: of.CallData,
    examples: examples.callFailed,
  },
  "recording.ready": {
    ...ordinary,
    title: "A recording can be fetched",
    description:
      "Sent when our own copy of a recording is stored and was decoded, once per recording. Where it cannot be decoded, `reason` says why.",
    data: of.RecordingData,
    examples: analysisExamples.recordingReady,
  },
  "transcript.ready": {
    ...ordinary,
    title: "A transcript is there",
    description: "Sent when what was said is known, from the provider or from the recording.",
    data: of.TranscriptData,
    examples: examples.transcriptReady,
  },
  "analysis.completed": {
    ...ordinary,
    title: "The analysis of a call is there",
    description:
      "Sent once per run with what was made of the call, before call.completed; again, as another run, when something comes later that changes it.",
    data: of.AnalysisData,
    examples: analysisExamples.analysisCompleted,
  },
  "analysis.failed": {
    ...ordinary,
    title: "The analysis of a call failed for good",
    description: "Sent when no section came out and no further try will be made. call.completed follows all the same.",
    data: of.AnalysisFailedData,
    examples: analysisExamples.analysisFailed,
  },
  "tracker.matched": {
    ...ordinary,
    title: "A tracker with an alert was hit",
    description: "Sent once per run and tracker, for trackers of the plan that have `alert` switched on.",
    data: of.TrackerData,
    examples: analysisExamples.trackerMatched,
  },
  "training.feedback_ready": {
    ...ordinary,
    title: "The feedback on a training session is there",
    description: "Sent with the feedback of a session, and again when somebody had it made anew.",
    data: of.TrainingData,
    examples: examples.trainingFeedbackReady,
  },
  "evaluation.overridden": {
    ...ordinary,
    title: "A person changed a verdict",
    description: "Sent for each change of a criterion; what the machine had said stays in its run.",
    data: of.OverrideData,
    examples: evaluationOverridden,
  },
  "campaign.completed": {
    ...ordinary,
    title: "The last call of a campaign is over",
    description: "Sent once per campaign, with its counts.",
    data: of.CampaignData,
    examples: examples.campaignCompleted,
  },
  "endpoint.created": {
    ...aboutDelivery,
    title: "An endpoint was made",
    description: "Sent once.",
    data: of.EndpointData,
    examples: operational.endpointCreated,
  },
  "endpoint.updated": {
    ...aboutDelivery,
    title: "An endpoint was changed",
    description: "Sent for every change of its settings that a person or key makes.",
    data: of.EndpointData,
    examples: operational.endpointUpdated,
  },
  "endpoint.deleted": {
    ...aboutDelivery,
    title: "An endpoint was removed",
    description: "Sent once. What it had not got yet is listed as undelivered.",
    data: of.EndpointData,
    examples: operational.endpointDeleted,
  },
  "endpoint.enabled": {
    ...aboutDelivery,
    title: "An endpoint was enabled",
    description: "Sent when messages go to it again. What it missed is not sent by itself.",
    data: of.EndpointData,
    examples: operational.endpointEnabled,
  },
  "endpoint.disabled": {
    ...aboutDelivery,
    title: "An endpoint was disabled",
    description: "Sent when messages no longer go to it: by a person, by its answer 410, or by a rule.",
    data: of.EndpointDisabledData,
    examples: operational.endpointDisabled,
  },
  "endpoint.failing": {
    ...aboutDelivery,
    title: "An endpoint keeps failing",
    description: "Sent at 50, 70, 90 and 100 percent of what disables it, each once.",
    data: of.EndpointFailingData,
    examples: operational.endpointFailing,
  },
  "endpoint.recovered": {
    ...aboutDelivery,
    title: "An endpoint that failed answers again",
    description: "Sent with its first success after endpoint.failing.",
    data: of.EndpointRecoveredData,
    examples: operational.endpointRecovered,
  },
  "endpoint.breaker_opened": {
    ...aboutDelivery,
    title: "Nothing is sent to an endpoint for a while",
    description: "Sent when most attempts of the last minutes failed. Its messages wait, and lose no attempt by it.",
    data: of.BreakerOpenedData,
    examples: operational.breakerOpened,
  },
  "endpoint.breaker_closed": {
    ...aboutDelivery,
    title: "An endpoint gets its messages again",
    description: "Sent when an attempt after endpoint.breaker_opened succeeded.",
    data: of.BreakerClosedData,
    examples: operational.breakerClosed,
  },
  "endpoint.secret_rotated": {
    ...aboutDelivery,
    title: "An endpoint has a new signing secret",
    description: "Sent without the secret. The old ones sign beside it until they end.",
    data: of.SecretRotatedData,
    examples: operational.secretRotated,
  },
  "delivery.failing": {
    ...aboutDelivery,
    title: "A message does not arrive",
    description: "Sent once, after the fourth failed attempt. It is still being tried.",
    data: of.DeliveryData,
    examples: operational.deliveryFailing,
  },
  "delivery.exhausted": {
    ...aboutDelivery,
    title: "A message was given up",
    description: "Sent once, after the last attempt of the schedule. The message is listed as undelivered.",
    data: of.DeliveryData,
    examples: operational.deliveryExhausted,
  },
  "delivery.recovered": {
    ...aboutDelivery,
    title: "A message arrived after all",
    description: "Sent once, when a message of delivery.failing or delivery.exhausted arrived.",
    data: of.DeliveryData,
    examples: operational.deliveryRecovered,
  },
  "replay.finished": {
    ...aboutDelivery,
    title: "A replay is over",
    description: "Sent once, with its counts: done, canceled or failed.",
    data: of.ReplayFinishedData,
    examples: operational.replayFinished,
  },
  "source.silent": {
    ...aboutDelivery,
    title: "A provider has gone quiet",
    description:
      "Sent once when a source that sends regularly has sent nothing for an hour, and for twice the longest silence of its last two weeks. source.recovered follows with its next event.",
    data: of.SourceSilentData,
    examples: operational.sourceSilent,
  },
  "source.rejecting": {
    ...aboutDelivery,
    title: "A provider's webhooks are refused",
    description:
      "Sent once when half of what a source sent within ten minutes, and at least ten requests, were refused. They wait in the quarantine. source.recovered follows when less than a quarter is.",
    data: of.SourceRejectingData,
    examples: operational.sourceRejecting,
  },
  "source.recovered": {
    ...aboutDelivery,
    title: "A source is well again",
    description: "Sent once after each source.silent and source.rejecting, when it is over.",
    data: of.SourceRecoveredData,
    examples: operational.sourceRecovered,
  },
  "queue.lagging": {
    ...aboutDelivery,
    title: "Deliveries are late",
    description:
      "Sent once when what is due has waited for more than a minute, for five minutes. What an endpoint holds up itself, by failing, a rate or a pause, does not count.",
    data: of.QueueLaggingData,
    examples: operational.queueLagging,
  },
  "queue.recovered": {
    ...aboutDelivery,
    title: "Deliveries are on time again",
    description: "Sent once after queue.lagging, when nothing has been late for five minutes.",
    data: of.QueueRecoveredData,
    examples: operational.queueRecovered,
  },
} as const satisfies Record<string, EventType>;

export type EventTypeName = keyof typeof eventTypes;
export const eventTypeNames = Object.keys(eventTypes) as readonly EventTypeName[];

/** Null for a type that is not one of ours. */
export function eventTypeOf(name: string): EventType | null {
  return Object.hasOwn(eventTypes, name) ? eventTypes[name as EventTypeName] : null;
}
