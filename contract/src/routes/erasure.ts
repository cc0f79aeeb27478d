import { z } from "zod";

import type { Route } from "../api.ts";
import { Call } from "../call.ts";
import { idOf, listOf, ListQuery } from "../list.ts";

/** That a call was erased, by whom and why. What it said is nowhere in it. */
export const Erasure = z.object({
  id: z.string(),
  call_id: z.string(),
  cause: z.enum(["request", "retention", "late_data"]),
  actor: z.string(),
  reason: z.string().nullable(),
  counts: z.record(z.string(), z.number().int()).meta({ description: "Rows emptied or removed, by what they were." }),
  erased_at: z.string(),
  finished_at: z
    .string()
    .nullable()
    .meta({ description: "When the last recording was removed from its store as well." }),
});
export type Erasure = z.infer<typeof Erasure>;

const days = z.number().int().min(1).max(3650).nullable();
/** How long what calls say is kept, in days; null: until somebody erases it. */
export const RetentionPolicy = z.strictObject({ recordings_days: days, content_days: days });
export type RetentionPolicy = z.infer<typeof RetentionPolicy>;

/** A seal over the log of events: store its `head` somewhere else, and nobody can change what it stands for without it showing. */
export const Seal = z.object({
  number: z.number().int(),
  event_count: z.number().int(),
  root: z.string(),
  head: z.string(),
  sealed_at: z.string(),
});

export const LogCheck = z.object({
  is_intact: z.boolean(),
  seal_count: z.number().int(),
  event_count: z.number().int(),
  broken_at: z
    .number()
    .int()
    .nullable()
    .meta({ description: "Number of the first seal that does not fit its events." }),
  head: z.string().nullable(),
});

const callId = z.object({ id: idOf("call") });

export const erasureRoutes = {
  eraseCall: {
    method: "DELETE",
    path: "/v1/calls/:id",
    summary: "Erase what a call says about people: everywhere, for good. That there was a call stays.",
    role: "admin",
    params: callId,
    query: z.strictObject({ reason: z.string().max(500).optional() }),
    output: Erasure,
    canConflict: true,
  },
  holdCall: {
    method: "PUT",
    path: "/v1/calls/:id/hold",
    summary: "Forbid that a call is erased, or allow it again",
    role: "admin",
    params: callId,
    body: z.strictObject({ reason: z.string().min(1).max(500).nullable() }),
    output: Call,
  },
  listErasures: {
    method: "GET",
    path: "/v1/erasures",
    summary: "List what was erased, newest first",
    role: "admin",
    query: ListQuery,
    output: listOf(Erasure),
  },
  getRetention: {
    method: "GET",
    path: "/v1/retention",
    summary: "Get how long what calls say is kept",
    role: "viewer",
    output: RetentionPolicy,
  },
  setRetention: {
    method: "PUT",
    path: "/v1/retention",
    summary: "Set how long what calls say is kept",
    role: "admin",
    body: RetentionPolicy,
    output: RetentionPolicy,
  },
} as const satisfies Record<string, Route>;

/** Showing that the log of events is whole. */
export const sealRoutes = {
  listSeals: {
    method: "GET",
    path: "/v1/events/seals",
    summary: "List the seals over the log of events, newest first",
    role: "viewer",
    query: ListQuery,
    output: listOf(Seal),
  },
  checkLog: {
    method: "POST",
    path: "/v1/events/check",
    summary: "Check that the log of events is complete and unchanged",
    role: "admin",
    output: LogCheck,
  },
} as const satisfies Record<string, Route>;
