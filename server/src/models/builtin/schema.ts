import { Ajv, type ValidateFunction } from "ajv";

import { boundedRegExp } from "./pattern/for-ajv.ts";

/** What is wrong with a value by its JSON Schema, as a sentence; null when nothing is. */
export function faultOfValue(schema: JsonSchema, value: unknown): string | null {
  if (isSimple(schema)) return simpleFault(schema, value);
  const validate = validatorOf(schema);
  if (!validate) return "The JSON Schema of the field cannot be used.";
  if (validate(value)) return null;
  const [error] = validate.errors ?? [];
  return `The value ${error?.instancePath ? `${error.instancePath} ` : ""}${error?.message ?? "is refused by the schema"}.`;
}

/** Why a JSON Schema cannot be used, for whoever wrote it; null when it can. */
export function faultOfSchema(schema: JsonSchema): string | null {
  try {
    ajv().compile(schema);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export type JsonSchema = Readonly<Record<string, unknown>>;

/** The keywords of nearly every field; making a validator for them would take longer than the rest of an analysis. */
const simpleKeywords: ReadonlySet<string> = new Set([
  "type",
  "enum",
  "minimum",
  "maximum",
  "title",
  "description",
  "default",
  "examples",
]);

function isSimple(schema: JsonSchema): boolean {
  const { type, enum: values, minimum, maximum } = schema;
  return (
    Object.keys(schema).every((key) => simpleKeywords.has(key)) &&
    (type === undefined || typeof type === "string") &&
    (values === undefined || (Array.isArray(values) && values.every((one) => typeof one !== "object"))) &&
    [minimum, maximum].every((limit) => limit === undefined || typeof limit === "number")
  );
}

function simpleFault({ type, enum: values, minimum, maximum }: JsonSchema, value: unknown): string | null {
  const fits = type === undefined || (type === "integer" ? Number.isInteger(value) : typeOf(value) === type);
  if (!fits) return `The value must be ${String(type)}.`;
  if (Array.isArray(values) && !values.includes(value)) return "The value must be equal to one of the allowed values.";
  if (typeof value !== "number") return null;
  if (typeof minimum === "number" && value < minimum) return `The value must be >= ${minimum}.`;
  return typeof maximum === "number" && value > maximum ? `The value must be <= ${maximum}.` : null;
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

/** Follows from the schema alone and goes with it. */
const validators = new WeakMap<JsonSchema, ValidateFunction | "unusable">();

function validatorOf(schema: JsonSchema): ValidateFunction | null {
  const kept = validators.get(schema) ?? compiled(schema);
  validators.set(schema, kept);
  return kept === "unusable" ? null : kept;
}

function compiled(schema: JsonSchema): ValidateFunction | "unusable" {
  try {
    return ajv().compile(schema);
  } catch {
    return "unusable";
  }
}

/** A new one each time: it keeps every schema that it has seen. */
function ajv(): Ajv {
  return new Ajv({ strict: false, validateFormats: false, logger: false, code: { regExp: boundedRegExp } });
}
