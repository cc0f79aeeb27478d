import type { Transcript } from "@aftercall/contract/call.ts";
import { toPublicId } from "@aftercall/contract/id.ts";

import type {
  CallChange,
  CallResult,
  CampaignCompleted,
  Change,
  EvaluationOverridden,
  TrainingReady,
} from "#/calls/change.ts";
import { factOf, project } from "#/calls/project.ts";
import { toCall } from "#/calls/record.ts";

import type { BodyForm } from "./formats/format.ts";
import { renderFact } from "./formats/index.ts";
import type { MessageFact } from "./write.ts";

/** The messages that changes are told with. A change that has no message of its own tells nothing. */
export function messagesFor(changes: readonly Change[]): MessageFact[] {
  return changes.flatMap((change) => {
    switch (change.type) {
      case "call.answered":
        return [aboutAnswer(change)];
      case "call.ended":
      case "call.failed":
        return [aboutCall(change.type, change)];
      case "call.settled":
        return [aboutCall("call.completed", change)];
      case "recording.ready":
      case "transcript.ready":
      case "analysis.completed":
      case "analysis.failed":
      case "tracker.matched":
        return [aboutResult(change)];
      case "campaign.completed":
        return [aboutCampaign(change)];
      case "training.ready":
        return [aboutTraining(change)];
      case "evaluation.overridden":
        return [aboutOverride(change)];
      case "call.started":
      case "call.updated":
      case "call.awaiting":
      case "call.merged":
      case "turn.spoken":
      case "training.requested":
        return [];
    }
  });
}

function aboutCall(type: CallMessageType, change: CallChange): MessageFact {
  const { tenantId, after, receivedAt } = change;
  const occurredAtMs = project(after.state).endedAt ?? receivedAt;
  return {
    tenantId,
    type,
    callId: after.id,
    campaignId: null,
    callCampaignId: after.campaignId,
    direction: factOf(after.state, "direction"),
    occurredAtMs,
    receivedAtMs: receivedAt,
    // What was made of the call is told as it was then; later runs are other messages.
    isReproducible: type !== "call.completed" || !change.analysis,
    render: (form, id) => renderCall(type, change, occurredAtMs, id, form),
  };
}

/** Told only to those who want it when it happens: a row for every call that anybody answers would be a third of all messages. */
function aboutAnswer(change: CallChange): MessageFact {
  const { tenantId, after, receivedAt } = change;
  const occurredAtMs = project(after.state).answeredAt ?? receivedAt;
  return {
    tenantId,
    type: "call.started",
    callId: after.id,
    campaignId: null,
    callCampaignId: after.campaignId,
    direction: factOf(after.state, "direction"),
    occurredAtMs,
    receivedAtMs: receivedAt,
    isFleeting: true,
    render: (form, id) => renderCall("call.started", change, occurredAtMs, id, form),
  };
}

/** The types of messages about calls that can be made later from what is stored. */
export const callMessageTypes = ["call.ended", "call.failed", "call.completed"] as const;
export type CallMessageType = (typeof callMessageTypes)[number];

/** The bytes of a message about a call as it stands, in one form. */
export function renderCall(
  type: CallMessageType | "call.started",
  {
    tenantId,
    after,
    aliases,
    transcript,
    moments = [],
    analysis,
  }: Pick<CallChange, "tenantId" | "after" | "aliases" | "transcript" | "moments" | "analysis">,
  occurredAtMs: number,
  messageId: string,
  form: BodyForm,
): Buffer {
  const businessId = factOf(after.state, "business_id") ?? toPublicId("tenant", tenantId);
  // call.ended goes out before transcripts count; what was said belongs to call.completed.
  const said = type === "call.completed" ? transcript : null;
  const call = toCall(after, aliases);
  const more = type === "call.completed" ? { moments, ...(analysis && { analysis }) } : {};
  const about = { kind: "call", call, transcript: said, data: { call, transcript: said, ...more } } as const;
  return renderFact({ ...idsOf(tenantId, messageId), type, occurredAtMs, businessId, about }, form);
}

/** One message for each recording, transcript, run and tracker; it stands in the line of its call. */
function aboutResult({ type, tenantId, after, aliases, subject, at, data }: CallResult): MessageFact {
  const call = toCall(after, aliases);
  const businessId = factOf(after.state, "business_id") ?? toPublicId("tenant", tenantId);
  const transcript = type === "transcript.ready" ? (data["transcript"] as Transcript) : null;
  const about = { kind: "call", call, transcript, data: { call, ...data } } as const;
  return {
    tenantId,
    type,
    callId: after.id,
    campaignId: null,
    callCampaignId: after.campaignId,
    direction: call.direction,
    occurredAtMs: at,
    receivedAtMs: at,
    subject,
    render: (form, id) => renderFact({ ...idsOf(tenantId, id), type, occurredAtMs: at, businessId, about }, form),
  };
}

function aboutCampaign({
  type,
  tenantId,
  campaignId,
  campaign,
  completedAt,
  receivedAt,
}: CampaignCompleted): MessageFact {
  const businessId = toPublicId("tenant", tenantId);
  const about = { kind: "campaign", campaign } as const;
  return {
    tenantId,
    type,
    callId: null,
    campaignId,
    direction: null,
    occurredAtMs: completedAt,
    receivedAtMs: receivedAt,
    render: (form, id) =>
      renderFact({ ...idsOf(tenantId, id), type, occurredAtMs: completedAt, businessId, about }, form),
  };
}

function aboutOverride(change: EvaluationOverridden): MessageFact {
  const { tenantId, overrideId, override, machine, effective, occurredAt } = change;
  const run = { id: toPublicId("analysis_run", change.runId), call_id: toPublicId("call", change.callId) };
  const { score, result, coverage } = effective;
  const data = { run, override, machine_verdict: machine, effective: { score, result, coverage } };
  return aboutData(tenantId, "evaluation.overridden", overrideId, occurredAt, data);
}

/** Not a message about a call: it goes to whoever subscribed to it, whatever the direction of the call was. */
function aboutTraining({ tenantId, sessionId, session, occurredAt }: TrainingReady): MessageFact {
  return aboutData(tenantId, "training.feedback_ready", sessionId, occurredAt, { session });
}

function aboutData(
  tenantId: string,
  type: string,
  subject: string,
  at: number,
  data: Readonly<Record<string, unknown>>,
): MessageFact {
  const businessId = toPublicId("tenant", tenantId);
  const about = { kind: "data", data } as const;
  return {
    tenantId,
    type,
    callId: null,
    campaignId: null,
    direction: null,
    occurredAtMs: at,
    receivedAtMs: at,
    subject,
    render: (form, id) => renderFact({ ...idsOf(tenantId, id), type, occurredAtMs: at, businessId, about }, form),
  };
}

function idsOf(tenantId: string, messageId: string) {
  return { tenantId: toPublicId("tenant", tenantId), messageId: toPublicId("message", messageId) };
}
