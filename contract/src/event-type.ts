import { z } from "zod";

import { DataSchema } from "./data-schema.ts";
import { isReservedType, TypeName } from "./type-name.ts";

/** `aftercall`: sent by this server. `tenant`: the tenant's own, sent with `POST /v1/messages`. */
export const EventTypeOrigin = z.enum(["aftercall", "tenant"]);

/** `archived`: no longer sent. */
export const EventTypeStatus = z.enum(["active", "archived"]);

/** A kind of message. */
export const EventTypeSummary = z.object({
  name: z.string(),
  title: z.string(),
  description: z.string(),
  origin: EventTypeOrigin,
  status: EventTypeStatus,
  kind: z.enum(["ordinary", "operational"]),
  created_at: z.string().nullable(),
  updated_at: z.string().nullable(),
  archived_at: z.string().nullable(),
});
export type EventTypeSummary = z.infer<typeof EventTypeSummary>;

export const EventTypeDetail = EventTypeSummary.extend({
  /** JSON Schema of `data`; null: any object. */
  data_schema: z.record(z.string(), z.unknown()).nullable(),
  /** Examples of `data` by name; ours are `en` and `he`. */
  examples: z.record(z.string(), z.unknown()),
});
export type EventTypeDetail = z.infer<typeof EventTypeDetail>;

const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => !value.includes("\0"), "No NUL characters");
const Title = text(200);
const Description = text(2_000);
const Examples = z
  .record(z.string().min(1).max(50), z.record(z.string(), z.unknown()))
  .refine((examples) => Object.keys(examples).length <= 10, "At most ten examples");

export const CreateEventType = z.strictObject({
  name: TypeName.refine((name) => !isReservedType(name), "Types that begin with this noun are aftercall's own"),
  title: Title.default(""),
  description: Description.default(""),
  data_schema: DataSchema.nullable().default(null),
  examples: Examples.default({}),
});
export type CreateEventType = z.output<typeof CreateEventType>;

/** What is absent stays; `data_schema: null` takes any object. A new schema counts for messages published from then on. */
export const UpdateEventType = z.strictObject({
  title: Title.optional(),
  description: Description.optional(),
  data_schema: DataSchema.nullable().optional(),
  examples: Examples.optional(),
  is_archived: z.boolean().optional(),
});
export type UpdateEventType = z.output<typeof UpdateEventType>;
