import { z } from "zod";

import * as audit from "../audit.ts";
import * as callTranscript from "../call-transcript.ts";
import * as call from "../call.ts";
import * as campaign from "../campaign.ts";
import * as delivery from "../delivery.ts";
import * as endpoint from "../endpoint.ts";
import * as eventData from "../event-data.ts";
import * as eventType from "../event-type.ts";
import * as event from "../event.ts";
import * as events from "../events.ts";
import * as identity from "../identity.ts";
import * as imports from "../import.ts";
import * as message from "../message.ts";
import * as problem from "../problem.ts";
import * as publish from "../publish.ts";
import { RegisterCall, UpdateCall } from "../routes/calls.ts";
import * as source from "../source.ts";
import * as tenant from "../tenant.ts";
import * as timeline from "../timeline.ts";
import * as training from "../training.ts";
import * as typeName from "../type-name.ts";
import * as usage from "../usage.ts";
import { schemaExamples } from "./examples.ts";

/** JSON Schema 2020-12, which OpenAPI 3.1 takes as it is. */
export type JsonSchema = { readonly [keyword: string]: unknown };

export type Schemas = {
  /** What a caller sends. */
  input(schema: z.ZodType): JsonSchema;
  /** What we send: fields may be added to it, so nothing says that there are no others. */
  output(schema: z.ZodType): JsonSchema;
  /** Every named schema that was asked for, by name. */
  named(): Record<string, JsonSchema>;
};

/** Draws JSON Schema from the contract. A schema that a module exports is a component of that name, wherever it is used. */
export function createSchemas(): Schemas {
  const registry = namedSchemas();
  const components = new Map<string, JsonSchema>();
  return {
    input: (schema) => draw(schema, "input"),
    output: (schema) => draw(schema, "output"),
    named: () => Object.fromEntries([...components].toSorted(([a], [b]) => (a < b ? -1 : 1))),
  };

  function draw(schema: z.ZodType, io: "input" | "output"): JsonSchema {
    const drawn: JsonSchema = z.toJSONSchema(schema, {
      io,
      metadata: registry,
      unrepresentable: "any",
      override: ({ zodSchema, jsonSchema }) => {
        Object.assign(jsonSchema, z.globalRegistry.get(zodSchema));
        if (io === "output" && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      },
    });
    const { $schema: _dialect, $defs = {}, ...own } = drawn;
    const definitions = $defs as Record<string, JsonSchema>;
    for (const [name, definition] of Object.entries(definitions)) keep(name, definition);
    return moved(own);
  }

  /** A schema that is sent and received has one form or two names. */
  function keep(name: string, definition: JsonSchema): void {
    const drawn = moved(definition);
    const examples = schemaExamples[name];
    const component = examples ? { ...drawn, examples } : drawn;
    const known = components.get(name);
    if (known && JSON.stringify(known) !== JSON.stringify(component)) {
      throw new Error(`${name} is not the same for what we send and what we take: give one of the two a name`);
    }
    components.set(name, component);
  }
}

/** Names of the exports, in the order of the modules. */
function namedSchemas() {
  const registry = z.registry<{ id: string }>();
  const delivered = [delivery, endpoint, eventData, events, eventType, message, publish, typeName];
  const modules = [
    call,
    callTranscript,
    campaign,
    ...delivered,
    event,
    problem,
    source,
    tenant,
    identity,
    imports,
    audit,
    timeline,
    training,
    usage,
  ];
  const exported = [
    ...modules.flatMap((module) => Object.entries(module)),
    ["RegisterCall", RegisterCall] as const,
    ["UpdateCall", UpdateCall] as const,
  ];
  for (const [id, value] of exported)
    if (value instanceof z.ZodType && !registry.has(value)) registry.add(value, { id });
  return registry;
}

/** `#/$defs/Call` → `#/components/schemas/Call`, all the way down. */
function moved(schema: JsonSchema): JsonSchema {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')) as JsonSchema;
}
