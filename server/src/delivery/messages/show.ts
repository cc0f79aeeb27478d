import type { EventTypeDetail, EventTypeSummary } from "@aftercall/contract/event-type.ts";
import { type EventType, eventTypeOf } from "@aftercall/contract/events.ts";
import { z } from "zod";

import type { EventTypeRow } from "./store.ts";

/** One of our own types. Drawing its schema takes a millisecond, so lists do without. */
export function showOurType(name: string): EventTypeDetail {
  const { data, examples } = ourType(name);
  const data_schema = z.toJSONSchema(data, { io: "output", unrepresentable: "any" });
  return { ...summaryOfOurType(name), data_schema, examples: { en: examples.en.data, he: examples.he.data } };
}

export function summaryOfOurType(name: string): EventTypeSummary {
  const { title, description, kind } = ourType(name);
  return {
    name,
    title,
    description,
    origin: "aftercall",
    status: "active",
    kind,
    created_at: null,
    updated_at: null,
    archived_at: null,
  };
}

function ourType(name: string): EventType {
  const type = eventTypeOf(name);
  if (!type) throw new Error(`${name} is not in the catalogue`);
  return type;
}

/** One of the tenant's. */
export function showOwnType(row: EventTypeRow): EventTypeDetail {
  return {
    name: row.name,
    title: row.title,
    description: row.description,
    origin: "tenant",
    status: row.archived_at === null ? "active" : "archived",
    kind: "ordinary",
    data_schema: row.schema,
    examples: row.examples,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    archived_at: row.archived_at?.toISOString() ?? null,
  };
}
