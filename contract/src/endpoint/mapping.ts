import { z } from "zod";

import { oneId } from "../body-id.ts";
import { BaseFormat, EndpointPayload } from "./words.ts";

/** Bounds of a mapping: it is applied in every attempt. */
export const mappingLimits = {
  stepsMax: 20,
  /** Paths of one step. */
  pathsMax: 100,
  pathCharactersMax: 500,
  /** Names in a path: `data.call.from` has three. */
  segmentsMax: 10,
  /** Characters at the end of a masked text that may stay. */
  keepLastMax: 8,
  /** The whole mapping, as JSON. */
  charactersMax: 16_384,
} as const;

/** Into objects by name and into lists by number; a name at a list stands for that name in each of its elements. */
const Path = z
  .string()
  .max(mappingLimits.pathCharactersMax)
  .refine(
    (path) => path.split(".").length <= mappingLimits.segmentsMax && path.split(".").every(isName),
    `A path is 1 to ${mappingLimits.segmentsMax} names with dots between them`,
  );
const Paths = z.array(Path).min(1, "Name at least one field").max(mappingLimits.pathsMax);

/** Any JSON value. */
export const Json = z.json();

/**
 * One change of a body. `pick`: only these fields stay. `drop`: these do not. `mask`: what stands there, or anywhere below, is
 * made unreadable; of a text that is long enough the last characters may stay. `rename`: what stands at one place goes to
 * another. `constant`: these values are written.
 */
export const MappingStep = z.discriminatedUnion("op", [
  z.strictObject({ op: z.literal("pick"), paths: Paths }),
  z.strictObject({ op: z.literal("drop"), paths: Paths }),
  z.strictObject({
    op: z.literal("mask"),
    paths: Paths,
    keep_last: z.number().int().min(0).max(mappingLimits.keepLastMax).default(0),
  }),
  z.strictObject({ op: z.literal("rename"), names: fieldsOf(Path) }),
  z.strictObject({ op: z.literal("constant"), values: fieldsOf(Json) }),
]);
export type MappingStep = z.output<typeof MappingStep>;

/** How an endpoint wants a body of another format changed: step by step, each applied to what the one before left. */
export const Mapping = z
  .strictObject({
    over: BaseFormat.default("standard"),
    steps: z.array(MappingStep).min(1).max(mappingLimits.stepsMax),
  })
  .refine(
    (mapping) => JSON.stringify(mapping).length <= mappingLimits.charactersMax,
    `A mapping has at most ${mappingLimits.charactersMax} characters`,
  );
export type Mapping = z.output<typeof Mapping>;

/** What a mapping is tried on: a message that was sent, else an example of an event type. */
export const PreviewMapping = z
  .strictObject({
    mapping: Mapping,
    payload: EndpointPayload.default("full"),
    message_id: oneId("message").optional(),
    type: z.string().min(1).max(100).default("call.completed"),
    language: z.enum(["en", "he"]).default("en"),
  })
  .meta({ description: "Without `message_id` an example of `type` is mapped." });

/** What would be sent. */
export const PreviewedMapping = z.object({
  content_type: z.string(),
  body: z.string(),
  bytes: z.number().int(),
  /** Paths at which there was nothing, as `2.paths.0`: step and place in it. */
  unmatched: z.array(z.string()),
});

/** A name that JavaScript takes for something else is nobody's field. */
function isName(name: string): boolean {
  return name !== "" && name !== "__proto__";
}

function fieldsOf<Value extends z.ZodType>(value: Value) {
  return z
    .record(Path, value)
    .refine((fields) => Object.keys(fields).length > 0, "Name at least one field")
    .refine(
      (fields) => Object.keys(fields).length <= mappingLimits.pathsMax,
      `At most ${mappingLimits.pathsMax} fields in a step`,
    );
}
