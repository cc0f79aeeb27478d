import { z } from "zod";

import type { Route } from "../api.ts";
import { Event, EventDetail, Quarantined, Replay, ReplayResult } from "../event.ts";
import { idOf, listOf, ListQuery } from "../list.ts";

const byId = z.object({ id: idOf("event") });

export const eventRoutes = {
  listEvents: {
    method: "GET",
    path: "/v1/events",
    summary: "Read the event log",
    role: "viewer",
    query: ListQuery.extend({
      order: z
        .enum(["oldest", "newest"])
        .default("oldest")
        .meta({ description: "A cursor of `oldest` can be kept and polled: it never skips an event." }),
      provider: z.string().max(64).optional(),
      type: z.string().max(255).optional(),
      call: idOf("call").optional(),
      effect: z.enum(["applied", "recorded", "unmatched"]).optional(),
      waiting: z.stringbool().optional().meta({ description: "Only events that still wait for their call." }),
    }),
    output: listOf(Event),
  },
  getEvent: {
    method: "GET",
    path: "/v1/events/:id",
    summary: "Get one event with its headers and body",
    role: "viewer",
    params: byId,
    output: EventDetail,
  },
  replayEvent: {
    method: "POST",
    path: "/v1/events/:id/replay",
    summary: "Run one stored event again",
    role: "member",
    params: byId,
    output: ReplayResult,
  },
  replayEvents: {
    method: "POST",
    path: "/v1/events/replay",
    summary: "Run a range of stored events again",
    role: "admin",
    body: z.strictObject({
      received_after: z.iso.datetime({ offset: true }).optional(),
      received_before: z.iso.datetime({ offset: true }).optional(),
      provider: z.string().max(64).optional(),
      type: z.string().max(255).optional(),
      dry_run: z.boolean().default(false).meta({ description: "Only count the events." }),
    }),
    output: z.object({ count: z.number().int(), replay: Replay.nullable() }),
    status: 202,
  },
  getReplay: {
    method: "GET",
    path: "/v1/replays/:id",
    summary: "See how far a replay has come",
    role: "viewer",
    params: z.object({ id: idOf("replay") }),
    output: Replay,
  },
  cancelReplay: {
    method: "POST",
    path: "/v1/replays/:id/cancel",
    summary: "Stop a replay",
    role: "admin",
    params: z.object({ id: idOf("replay") }),
    output: Replay,
  },
  listQuarantine: {
    method: "GET",
    path: "/v1/quarantine",
    summary: "List refused requests, newest first",
    role: "viewer",
    query: ListQuery.extend({ source: idOf("source").optional() }),
    output: listOf(Quarantined),
  },
  replayQuarantined: {
    method: "POST",
    path: "/v1/quarantine/:id/replay",
    summary: "Verify a refused request again, and take it in if it passes now",
    role: "admin",
    params: z.object({ id: idOf("quarantined") }),
    output: Quarantined,
  },
  replayQuarantine: {
    method: "POST",
    path: "/v1/quarantine/replay",
    summary: "Verify the refused requests of a source again",
    role: "admin",
    body: z.strictObject({ source: idOf("source"), limit: z.number().int().min(1).max(1000).default(1000) }),
    output: z.object({ accepted: z.number().int(), refused: z.number().int() }),
  },
} as const satisfies Record<string, Route>;
