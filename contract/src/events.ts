import { z } from "zod";

import { Call, Transcript } from "./call.ts";
import { Campaign } from "./campaign.ts";
import { callCompleted, callEnded, callFailed, campaignCompleted } from "./examples.ts";

export const CallData = z.object({ call: Call, transcript: Transcript.nullable() });
export const CampaignData = z.object({ campaign: Campaign });

export type EventType = {
  readonly title: string;
  /** When it is sent, and what a receiver may rely on. */
  readonly description: string;
  /** Schema of `data`. */
  readonly data: z.ZodType;
  /** A whole body as it is sent, in English and in Hebrew. */
  readonly examples: { readonly en: Envelope; readonly he: Envelope };
};

/** The body of a message in the standard format (Standard Webhooks). */
export type Envelope = { readonly type: string; readonly timestamp: string; readonly data: unknown };

/** Everything that goes out. The subscription form, the API reference and the types of the SDK are drawn from it. */
export const eventTypes = {
  "call.ended": {
    title: "A call is over",
    description:
      "Sent at once when a call that connected is over. Transcript and analysis usually come later, with call.completed.",
    data: CallData,
    examples: callEnded,
  },
  "call.completed": {
    title: "A call and all its results",
    description: "Sent once per call when nothing more is expected: the call with its transcript and analysis.",
    data: CallData,
    examples: callCompleted,
  },
  "call.failed": {
    title: "A call never connected",
    description: "Sent at once, instead of call.ended and call.completed, when nobody answered: busy, no answer, canceled, failed.",
    data: CallData,
    examples: callFailed,
  },
  "campaign.completed": {
    title: "The last call of a campaign is over",
    description: "Sent once per campaign, with its counts.",
    data: CampaignData,
    examples: campaignCompleted,
  },
} as const satisfies Record<string, EventType>;

export type EventTypeName = keyof typeof eventTypes;
export const eventTypeNames = Object.keys(eventTypes) as readonly EventTypeName[];

/** What an endpoint may subscribe to: a type, `*` for all, or `call.*` for all of a noun. */
export const TypePattern = z.string().refine(isTypePattern, {
  error: () => `Unknown event type. Known: ${eventTypeNames.join(", ")}, or a noun with .* as in call.*, or *`,
});

function isTypePattern(pattern: string): boolean {
  if (pattern === "*" || Object.hasOwn(eventTypes, pattern)) return true;
  return pattern.endsWith(".*") && eventTypeNames.some((type) => type.startsWith(pattern.slice(0, -1)));
}
