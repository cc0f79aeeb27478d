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
import { type CallRecord, toCall } from "#/calls/record.ts";

import type { BodyForm } from "./formats/format.ts";
import { renderFact } from "./formats/index.ts";
import { messageIdOf } from "./message-id.ts";
import type { MessageFact } from "./write.ts";

/** The messages that changes are told with. A change that has no message of its own tells nothing. */
export function messagesFor(changes: readonly Change[]): MessageFact[] {
  const analyses = analysisMessages(changes);
  return changes.flatMap((change) => {
    switch (change.type) {
      case "call.answered":
        return [aboutAnswer(change)];
      case "call.ended":
      case "call.failed":
        return [aboutCall(change.type, change)];
      case "call.settled":
        return [aboutCall("call.completed", change, analyses.get(change.after.id))];
      case "call.resettled":
        return [aboutLate(change)];
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
      case "call.erased":
      case "turn.spoken":
      case "training.requested":
        return [];
    }
  });
}

/** The messages, by call, that tell what was made of calls. */
function analysisMessages(changes: readonly Change[]): Map<string, string> {
  return new Map(
    changes.flatMap((change) =>
      change.type === "analysis.completed" || change.type === "analysis.failed"
        ? [[change.after.id, messageIdOf(change.at, change.subject, change.type)] as const]
        : [],
    ),
  );
}

function aboutCall(type: CallMessageType, change: CallChange, analysisMessage?: string): MessageFact {
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
    traceparent: factOf(after.state, "traceparent"),
    // What was made of the call is told as it was then: by the bytes of the message that told of it first.
    isReproducible: isAsItStands(after) && (type !== "call.completed" || !change.analysis),
    ...(isAsItStands(after) && analysisMessage !== undefined && { madeWith: analysisMessage }),
    render: (form, id) => renderCall(type, change, occurredAtMs, id, form),
  };
}

/** Told again to those who asked for it, as a message of its own for each run; nobody else misses it, so it is kept for nobody. */
function aboutLate(change: CallChange): MessageFact {
  const { madeWith: _, ...fact } = aboutCall("call.completed", change);
  const subject = `${change.after.id}:${change.runId ?? ""}`;
  return { ...fact, subject, isReproducible: false, isFleeting: true, isLate: true };
}

/** The address of a recording may be kept from those outside; made of the call later, a message would tell it. */
function isAsItStands({ state }: CallRecord): boolean {
  return state.facts.recording?.value?.url !== null;
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
    traceparent: factOf(after.state, "traceparent"),
    isFleeting: true,
    render: (form, id) => renderCall("call.started", change, occurredAtMs, id, form),
  };
}

/** The types of messages that can be made later from what is stored. */
export const reproducibleTypes = ["call.ended", "call.failed", "call.completed", "transcript.ready"] as const;
export type ReproducibleType = (typeof reproducibleTypes)[number];
type CallMessageType = Exclude<ReproducibleType, "transcript.ready">;

/** The bytes of a message about a call as it stands, in one form. */
export function renderCall(
  type: CallMessageType | "call.started",
  {
    tenantId,
    after,
    aliases,
    transcript,
    moments = [],
    costs: ours = [],
    analysis,
  }: Pick<CallChange, "tenantId" | "after" | "aliases" | "transcript" | "moments" | "costs" | "analysis">,
  occurredAtMs: number,
  messageId: string,
  form: BodyForm,
): Buffer {
  const businessId = factOf(after.state, "business_id") ?? toPublicId("tenant", tenantId);
  // call.ended goes out before transcripts count; what was said belongs to call.completed.
  const said = type === "call.completed" ? transcript : null;
  const call = toCall(after, aliases);
  const costs = [...(factOf(after.state, "cost_lines") ?? []), ...ours];
  const more = type === "call.completed" ? { moments, costs, ...(analysis && { analysis }) } : {};
  const about = { kind: "call", call, transcript: said, data: { call, transcript: said, ...more } } as const;
  return renderFact({ ...idsOf(tenantId, messageId), type, occurredAtMs, businessId, about }, form);
}

/** One message for each recording, transcript, run and tracker; it stands in the line of its call. */
function aboutResult(change: CallResult): MessageFact {
  const { type, tenantId, after, subject, at } = change;
  return {
    tenantId,
    type,
    callId: after.id,
    campaignId: null,
    callCampaignId: after.campaignId,
    direction: factOf(after.state, "direction"),
    occurredAtMs: at,
    receivedAtMs: at,
    traceparent: factOf(after.state, "traceparent"),
    subject,
    isReproducible: isAsItStands(after) && type === "transcript.ready",
    render: (form, id) => renderResult(change, id, form),
  };
}

/** The bytes of a message about something that came of a call, in one form. */
export function renderResult(
  { type, tenantId, after, aliases, at, data }: Omit<CallResult, "subject">,
  messageId: string,
  form: BodyForm,
): Buffer {
  const call = toCall(after, aliases);
  const businessId = factOf(after.state, "business_id") ?? toPublicId("tenant", tenantId);
  const transcript = type === "transcript.ready" ? (data["transcript"] as Transcript) : null;
  const about = { kind: "call", call, transcript, data: { call, ...data } } as const;
  return renderFact({ ...idsOf(tenantId, messageId), type, occurredAtMs: at, businessId, about }, form);
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
