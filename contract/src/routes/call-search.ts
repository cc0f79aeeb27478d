import { z } from "zod";

import type { Route } from "../api.ts";
import { TurnRole } from "../call.ts";
import { idOf } from "../list.ts";

/** What to look for in calls: words, and phrases in quotation marks; all of them must be there. */
export const SearchQuery = z.string().trim().min(1).max(200);

/** A place in a call where a word of the query stands. */
export const CallMatch = z.object({
  where: z.enum(["turn", "summary", "call"]),
  /** Index of the turn in the transcript; null for what is not a turn. */
  turn: z.number().int().nullable(),
  role: TurnRole.nullable(),
  text: z.string(),
});

export const callSearchRoutes = {
  findInCall: {
    method: "GET",
    path: "/v1/calls/:id/matches",
    summary: "Find where something is said in a call",
    role: "viewer",
    params: z.object({ id: idOf("call") }),
    query: z.strictObject({
      q: SearchQuery.default("").meta({
        description: "Words, and phrases in quotation marks. More than eight are answered 422.",
      }),
      role: TurnRole.optional().meta({ description: "Only what this side said." }),
    }),
    output: z.object({ data: z.array(CallMatch) }),
  },
} as const satisfies Record<string, Route>;
