import { z } from "zod";

/** What can happen inside a call besides talk. */
export const MomentKind = z.enum([
  "tool_call",
  "tool_result",
  "transfer",
  "dtmf",
  "hold",
  "node_enter",
  "handoff",
  "sms",
  "marker",
]);
export type MomentKind = z.infer<typeof MomentKind>;

/** Something that happened inside a call. Null is what nobody said. */
export const CallMoment = z.object({
  id: z.string().meta({
    description:
      "Names it within its call. What follows the colon is the provider's own id: a tool's call and its result share it.",
  }),
  kind: MomentKind,
  name: z.string().nullable().meta({
    description: "The tool, the node, the agent that took over; `ivr` for a marker that spans a menu of a machine.",
  }),
  at_ms: z.number().int().nullable().meta({ description: "Milliseconds from the start of the call." }),
  end_ms: z.number().int().nullable().meta({ description: "When it ended, for what lasts: a hold." }),
  at: z.string().nullable(),
  args: z.unknown().meta({
    description:
      "What a tool was called with, where a transfer went, which keys were pressed. Text where it is no JSON.",
  }),
  result: z.unknown().meta({ description: "What the tool answered. Text where it is no JSON." }),
  is_error: z.boolean().nullable(),
  latency_ms: z.number().int().nullable().meta({
    description: "How long the tool took: as the provider says, else from its call to its result.",
  }),
});
export type CallMoment = z.infer<typeof CallMoment>;
