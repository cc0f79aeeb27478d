import { toPublicId } from "@aftercall/contract/id.ts";

import type { CallChange, CampaignCompleted, Change } from "#/calls/change.ts";
import { factOf, project } from "#/calls/project.ts";
import { toCall } from "#/calls/record.ts";

import { renderFact } from "./formats/index.ts";
import type { MessageFact } from "./write.ts";

/** The messages that changes are told with. A change that has no message of its own tells nothing. */
export function messagesFor(changes: readonly Change[]): MessageFact[] {
  return changes.flatMap((change) => {
    switch (change.type) {
      case "call.ended":
      case "call.failed":
        return [aboutCall(change.type, change)];
      case "call.settled":
        return [aboutCall("call.completed", change)];
      case "campaign.completed":
        return [aboutCampaign(change)];
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

function aboutCall(type: string, { tenantId, after, aliases, transcript, receivedAt }: CallChange): MessageFact {
  const occurredAtMs = project(after.state).endedAt ?? receivedAt;
  const call = toCall(after, aliases);
  const businessId = factOf(after.state, "business_id") ?? toPublicId("tenant", tenantId);
  // call.ended goes out before transcripts count; what was said belongs to call.completed.
  const said = type === "call.completed" ? transcript : null;
  const about = { kind: "call", call, transcript: said } as const;
  return {
    tenantId,
    type,
    callId: after.id,
    campaignId: null,
    direction: call.direction,
    occurredAtMs,
    receivedAtMs: receivedAt,
    render: (form, id) => renderFact({ ...idsOf(tenantId, id), type, occurredAtMs, businessId, about }, form),
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

function idsOf(tenantId: string, messageId: string) {
  return { tenantId: toPublicId("tenant", tenantId), messageId: toPublicId("message", messageId) };
}
