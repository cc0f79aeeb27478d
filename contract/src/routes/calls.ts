import { z } from "zod";

import type { Route } from "../api.ts";
import { CallTranscript } from "../call-transcript.ts";
import { Call, CallDirection, CallOutcome, CallStatus, TurnRole } from "../call.ts";
import { idOf, listOf, ListQuery } from "../list.ts";
import { CallMoment } from "../moment.ts";
import { Timeline } from "../timeline.ts";
import { SearchQuery } from "./call-search.ts";

const phone = z.string().trim().min(3).max(64);
const text = z.string().min(1).max(1000);
const e164 = z
  .string()
  .regex(/^\+[1-9]\d{1,14}$/, "Must be a number in E.164; its plus is written %2B in a URL: %2B972501234567");
const time = z.iso.datetime({ offset: true });

/** A call that is about to happen, so that the provider's events find it, and what the provider cannot know about it. */
export const RegisterCall = z.strictObject({
  provider: z.string().min(1).max(64).meta({ description: "Which provider will report it: `vapi`, `elevenlabs`, …" }),
  provider_call_id: z.string().min(1).max(255).meta({ description: "The provider's own id of the call." }),
  call_sid: z.string().min(1).max(255).optional().meta({ description: "The Twilio CallSid, where one is known." }),
  direction: CallDirection.optional(),
  from: phone.optional(),
  to: phone.optional(),
  campaign: z.string().min(1).max(255).optional().meta({ description: "Public id of a campaign, or its external id." }),
  user_id: z
    .string()
    .min(1)
    .max(255)
    .optional()
    .meta({ description: "The user the call belongs to, by the `sub` of their tokens." }),
  business_id: text.optional(),
  lead_id: text.optional(),
  customer_name: text.optional(),
  agent_id: text.optional(),
  agent_name: text.optional(),
  metadata: z.record(z.string().max(100), z.unknown()).optional(),
});
export type RegisterCall = z.infer<typeof RegisterCall>;

/** What can be said about a call at any time. What is left out stays. */
export const UpdateCall = z.strictObject({
  metadata: z
    .record(z.string().max(100), z.unknown())
    .optional()
    .meta({ description: "Merged into what is there (RFC 7396): null takes a key away." }),
  business_id: text.optional(),
  lead_id: text.optional(),
  customer_name: text.optional(),
});
export type UpdateCall = z.infer<typeof UpdateCall>;

export const callRoutes = {
  listCalls: {
    method: "GET",
    path: "/v1/calls",
    summary: "List calls, newest first",
    role: "viewer",
    isEmbeddable: true,
    query: ListQuery.extend({
      status: z
        .string()
        .transform((list) => list.split(","))
        .pipe(z.array(CallStatus))
        .optional(),
      outcome: CallOutcome.optional(),
      direction: CallDirection.optional(),
      from: e164.optional().meta({ description: "Only calls from this number (E.164)." }),
      to: e164.optional().meta({ description: "Only calls to this number (E.164)." }),
      started_after: time.optional().meta({ description: "Started at this time or later." }),
      started_before: time.optional().meta({ description: "Started before this time." }),
      provider: z.string().max(64).optional(),
      campaign: text.optional().meta({ description: "Public id of a campaign, or its external id." }),
      business_id: text.optional().meta({ description: "Only calls of this end-customer of yours." }),
      q: SearchQuery.optional().meta({
        description:
          "Words, and phrases in quotation marks, that were said or stand in the summary, names, numbers and city; all of them. More than eight are answered 422. Vowel points, final letters and prefixes make no difference.",
      }),
      said_by: TurnRole.optional().meta({
        description: "With `q`: only calls in which this side said all of it.",
      }),
    }),
    output: listOf(Call),
  },
  registerCall: {
    method: "POST",
    path: "/v1/calls",
    summary: "Register a call before it happens",
    role: "member",
    body: RegisterCall,
    output: Call,
    status: 201,
  },
  getCall: {
    method: "GET",
    path: "/v1/calls/:id",
    summary: "Get one call",
    role: "viewer",
    isEmbeddable: true,
    params: z.object({ id: idOf("call") }),
    output: Call,
  },
  updateCall: {
    method: "PATCH",
    path: "/v1/calls/:id",
    summary: "Say more about a call; whoever listens live is told",
    role: "member",
    params: z.object({ id: idOf("call") }),
    body: UpdateCall,
    output: Call,
    canConflict: true,
  },
  getTimeline: {
    method: "GET",
    path: "/v1/calls/:id/timeline",
    summary: "Get everything that happened to a call and because of it, oldest first",
    role: "viewer",
    params: z.object({ id: idOf("call") }),
    output: Timeline,
  },
  listMoments: {
    method: "GET",
    path: "/v1/calls/:id/moments",
    summary: "List what happened inside a call besides talk, in the order of the call",
    role: "viewer",
    isEmbeddable: true,
    params: z.object({ id: idOf("call") }),
    output: z.object({ data: z.array(CallMoment) }),
  },
  getTranscript: {
    method: "GET",
    path: "/v1/calls/:id/transcript",
    summary: "Get what was said in a call",
    role: "viewer",
    isEmbeddable: true,
    params: z.object({ id: idOf("call") }),
    output: CallTranscript,
  },
} as const satisfies Record<string, Route>;
