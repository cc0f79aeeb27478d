import type { EventTypeDetail, EventTypeSummary } from "@aftercall/contract/event-type.ts";
import { eventTypeOf } from "@aftercall/contract/events.ts";
import { z } from "zod";

import type { EventTypeRow } from "./store.ts";

/** One of our own types. */
export function showOurType(name: string): EventTypeDetail {
  const type = eventTypeOf(name);
  if (!type) throw new Error(`${name} is not in the catalogue`);
  const { title, description, status, kind, data, examples } = type;
  return {
    name,
    title,
    description,
    origin: "aftercall",
    status: status === "sent" ? "active" : "planned",
    kind,
    data_schema: z.toJSONSchema(data, { io: "output", unrepresentable: "any" }),
    examples: { en: examples.en.data, he: examples.he.data },
    created_at: null,
    updated_at: null,
    archived_at: null,
  };
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

/** A type as lists show it: schemas and examples are long. */
export function summaryOf({
  data_schema: _schema,
  examples: _examples,
  ...summary
}: EventTypeDetail): EventTypeSummary {
  return summary;
}
