import { toPublicId } from "@aftercall/contract/id.ts";

import { factOf } from "#/calls/project.ts";
import type { CallRecord } from "#/calls/record.ts";
import type { PlanSubject } from "#/evaluation/choose-plan.ts";

/** What a plan may ask of a call before it is for it. */
export function subjectOf({ provider, campaignId, state }: CallRecord): PlanSubject {
  return {
    provider,
    direction: factOf(state, "direction"),
    campaignId: campaignId && toPublicId("campaign", campaignId),
    campaign: factOf(state, "campaign"),
    agentId: factOf(state, "agent_id"),
    agentName: factOf(state, "agent_name"),
    language: factOf(state, "language"),
    purpose: factOf(state, "purpose") ?? "production",
  };
}
