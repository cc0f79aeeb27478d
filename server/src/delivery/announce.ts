import { toPublicId } from "@aftercall/contract/id.ts";

import type { CallChange, CampaignCompleted, Change } from "#/calls/change.ts";
import { factOf, project } from "#/calls/project.ts";
import { toCall } from "#/calls/record.ts";

import type { Fact } from "./formats/format.ts";
import { formats } from "./formats/index.ts";
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
  const fact: Fact = { type, occurredAtMs, businessId, about: { kind: "call", call, transcript: said } };
  return {
    tenantId,
    type,
    callId: after.id,
    campaignId: null,
    direction: call.direction,
    occurredAtMs,
    receivedAtMs: receivedAt,
    render: (format) => formats[format].render(fact),
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
  const fact: Fact = {
    type,
    occurredAtMs: completedAt,
    businessId: toPublicId("tenant", tenantId),
    about: { kind: "campaign", campaign },
  };
  return {
    tenantId,
    type,
    callId: null,
    campaignId,
    direction: null,
    occurredAtMs: completedAt,
    receivedAtMs: receivedAt,
    render: (format) => formats[format].render(fact),
  };
}
