import { z } from "zod";

import type { Route } from "../api.ts";
import { CreateEventType, EventTypeDetail, EventTypeOrigin, EventTypeSummary, UpdateEventType } from "../event-type.ts";
import { listOf, ListQuery } from "../list.ts";

const byName = z.object({ name: z.string().max(100) });

export const eventTypeRoutes = {
  listEventTypes: {
    method: "GET",
    path: "/v1/event-types",
    summary: "List the kinds of messages, by name: ours and the tenant's own",
    role: "viewer",
    query: ListQuery.extend({
      origin: EventTypeOrigin.optional(),
      include_archived: z.stringbool().default(false),
    }),
    output: listOf(EventTypeSummary),
  },
  createEventType: {
    method: "POST",
    path: "/v1/event-types",
    summary: "Make an event type of your own, with the JSON Schema of its data",
    role: "admin",
    body: CreateEventType,
    output: EventTypeDetail,
    status: 201,
  },
  getEventType: {
    method: "GET",
    path: "/v1/event-types/:name",
    summary: "Get an event type with its JSON Schema and examples",
    role: "viewer",
    params: byName,
    output: EventTypeDetail,
  },
  updateEventType: {
    method: "PATCH",
    path: "/v1/event-types/:name",
    summary: "Change an event type of your own, archive it, or take it back from the archive",
    role: "admin",
    params: byName,
    body: UpdateEventType,
    output: EventTypeDetail,
    canConflict: true,
  },
  archiveEventType: {
    method: "DELETE",
    path: "/v1/event-types/:name",
    summary: "Archive an event type of your own; again changes nothing",
    role: "admin",
    params: byName,
    output: EventTypeDetail,
    canConflict: true,
  },
} as const satisfies Record<string, Route>;
