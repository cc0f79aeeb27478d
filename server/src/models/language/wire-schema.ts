import type { JsonSchema } from "./schema.ts";

/**
 * A tenant's schema of a value in the subset that models with constrained output take: every property required, no others, no
 * keywords they refuse. The value is checked against the tenant's own schema afterwards.
 */
export function wireSchemaOf(schema: JsonSchema, depth = 0): JsonSchema {
  const { type, enum: values, properties, items, description } = schema;
  const said = typeof description === "string" ? { description } : {};
  if (depth > depthMax) return { type: "string", ...said };
  if (Array.isArray(values) && values.length > 0 && values.every(isSimple))
    return { ...typeOfValues(values), enum: values, ...said };
  const types = (Array.isArray(type) ? type : [type]).filter((one) => typeof one === "string");
  if (types.length > 1) return { anyOf: types.map((one) => wireSchemaOf({ ...schema, type: one }, depth + 1)) };
  switch (types[0]) {
    case "object": {
      const parts = Object.entries(isObject(properties) ? properties : {});
      const wire = Object.fromEntries(parts.map(([name, part]) => [name, optional(part, name, schema, depth)]));
      return { type: "object", properties: wire, required: Object.keys(wire), additionalProperties: false, ...said };
    }
    case "array":
      return { type: "array", items: isObject(items) ? wireSchemaOf(items, depth + 1) : { type: "string" }, ...said };
    case "number":
    case "integer":
    case "boolean":
    case "null":
      return { type: types[0], ...said };
    default:
      return { type: "string", ...said };
  }
}

const depthMax = 5;

/** What the tenant's schema does not require may be null on the wire. */
function optional(part: unknown, name: string, { required }: JsonSchema, depth: number): JsonSchema {
  const wire = wireSchemaOf(isObject(part) ? part : {}, depth + 1);
  const isRequired = Array.isArray(required) && required.includes(name);
  return isRequired ? wire : { anyOf: [wire, { type: "null" }] };
}

function typeOfValues(values: readonly unknown[]): JsonSchema {
  const types = [...new Set(values.map((value) => (value === null ? "null" : typeof value)))];
  return { type: types.length === 1 ? types[0] : types };
}

/** Models are not given objects to choose from. */
function isSimple(value: unknown): boolean {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

function isObject(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
