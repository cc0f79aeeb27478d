import { Ajv, type ValidateFunction } from "ajv";

import { compilePattern } from "./pattern/compile.ts";
import { search } from "./pattern/search.ts";

/** What is wrong with a value by its JSON Schema, as a sentence; null when nothing is. */
export function faultOfValue(schema: JsonSchema, value: unknown): string | null {
  if (isSimple(schema)) return simpleFault(schema, value);
  const validate = validatorOf(schema);
  if (!validate) return "The JSON Schema of the field cannot be used.";
  if (validate(value)) return null;
  const [error] = validate.errors ?? [];
  return `The value ${error?.instancePath ? `${error.instancePath} ` : ""}${error?.message ?? "is refused by the schema"}.`;
}

export type JsonSchema = Readonly<Record<string, unknown>>;

/** The keywords of nearly every field; making a validator for them would take longer than the rest of an analysis. */
const simpleKeywords: ReadonlySet<string> = new Set(["type", "title", "description", "default", "examples"]);

function isSimple(schema: JsonSchema): boolean {
  const { type } = schema;
  return (
    Object.keys(schema).every((key) => simpleKeywords.has(key)) && (type === undefined || typeof type === "string")
  );
}

function simpleFault({ type }: JsonSchema, value: unknown): string | null {
  const fits = type === undefined || (type === "integer" ? Number.isInteger(value) : typeOf(value) === type);
  return fits ? null : `The value must be ${String(type)}.`;
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
    return new Ajv({ strict: false, validateFormats: false, logger: false, code: { regExp } }).compile(schema);
  } catch {
    return "unusable";
  }
}

const stepsMax = 200_000;

/** A `pattern` of a schema is the tenant's too, so it is matched in bounded time like every other. */
const regExp = Object.assign(
  (source: string) => {
    const program = compilePattern(source);
    return {
      test: (text: string) => {
        const found = search(program, text, 0, { steps: stepsMax });
        return found !== null && found !== "exhausted";
      },
    };
  },
  { code: "" },
);
