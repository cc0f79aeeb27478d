import { z } from "zod";

import type { Route } from "../api.ts";
import { Call } from "../call.ts";
import { Campaign, CampaignProgress } from "../campaign.ts";
import { idOf, listOf, ListQuery } from "../list.ts";
import { RegisterCall } from "./calls.ts";

const byId = z.object({ id: idOf("campaign") });

export const campaignRoutes = {
  createCampaign: {
    method: "POST",
    path: "/v1/campaigns",
    summary: "Create a campaign",
    role: "member",
    body: z.strictObject({
      name: z.string().min(1).max(200),
      external_id: z
        .string()
        .min(1)
        .max(255)
        .optional()
        .meta({ description: "Its id in another system, such as Vapi's campaignId." }),
      business_id: z
        .string()
        .min(1)
        .max(1_000)
        .optional()
        .meta({ description: "Your own end-customer that it belongs to." }),
      planned_count: z.number().int().min(0).max(10_000_000).optional().meta({
        description: "How many contacts are to be called. Until that many calls exist the campaign is not complete.",
      }),
    }),
    output: Campaign,
    status: 201,
  },
  listCampaigns: {
    method: "GET",
    path: "/v1/campaigns",
    summary: "List campaigns, newest first",
    role: "viewer",
    isEmbeddable: true,
    query: ListQuery.extend({ business_id: z.string().min(1).max(1_000).optional() }),
    output: listOf(Campaign),
  },
  getCampaign: {
    method: "GET",
    path: "/v1/campaigns/:id",
    summary: "Get a campaign with its progress",
    role: "viewer",
    isEmbeddable: true,
    params: byId,
    output: Campaign,
  },
  getCampaignProgress: {
    method: "GET",
    path: "/v1/campaigns/:id/progress",
    summary: "Get how far a campaign has come",
    role: "viewer",
    isEmbeddable: true,
    params: byId,
    output: CampaignProgress,
  },
  addCampaignCalls: {
    method: "POST",
    path: "/v1/campaigns/:id/calls",
    summary: "Register calls of a campaign before they happen, all of them or none",
    role: "member",
    params: byId,
    body: z.strictObject({
      calls: z
        .array(RegisterCall.omit({ campaign: true }))
        .min(1)
        .max(100),
    }),
    output: z.object({ data: z.array(Call) }),
    status: 201,
  },
  pauseCampaign: {
    method: "POST",
    path: "/v1/campaigns/:id/pause",
    summary: "Let messages about the calls of a campaign wait; calls and progress go on",
    role: "member",
    params: byId,
    output: Campaign,
  },
  resumeCampaign: {
    method: "POST",
    path: "/v1/campaigns/:id/resume",
    summary: "Send what waited while a campaign was paused",
    role: "member",
    params: byId,
    output: Campaign,
  },
} as const satisfies Record<string, Route>;
