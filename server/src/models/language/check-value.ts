import type { JsonSchema } from "./schema.ts";

/**
 * What is wrong with a value by a schema, in words that a model and a person understand; empty when nothing is. Knows the keywords
 * that our schemas for models are made of, and reads them as they stand: compiling a plan's schema, as general validators do,
 * took a second for twenty fields and criteria.
 */
export function problemsOf(schema: JsonSchema, value: unknown): string[] {
  const problems: string[] = [];
  check(schema, value, "", problems);
  return problems.slice(0, problemsMax);
}

/** Enough to mend an answer by. */
const problemsMax = 20;

function check(schema: JsonSchema, value: unknown, at: string, problems: string[]): void {
  if (problems.length >= problemsMax) return;
  const { anyOf, type, enum: values } = schema;
  if (Array.isArray(anyOf)) {
    if (!anyOf.some((one: JsonSchema) => problemsOf(one, value).length === 0)) {
      problems.push(`${at} must be ${anyOf.map(nameOf).join(" or ")}`);
    }
    return;
  }
  const types = (Array.isArray(type) ? type : [type]).filter((one) => typeof one === "string");
  if (types.length > 0 && !types.some((one) => isOf(one, value))) {
    problems.push(`${at === "" ? "/" : at} must be ${types.join(" or ")}`);
  } else if (Array.isArray(values) && !values.includes(value)) {
    problems.push(`${at} must be one of ${JSON.stringify(values)}`);
  } else if (Array.isArray(value)) {
    const { items } = schema;
    if (isObject(items)) for (const [i, item] of value.entries()) check(items, item, `${at}/${i}`, problems);
  } else if (isObject(value)) checkObject(schema, value, at, problems);
}

function checkObject(schema: JsonSchema, value: JsonSchema, at: string, problems: string[]): void {
  const { properties, required, additionalProperties } = schema;
  const parts = new Map(Object.entries(isObject(properties) ? properties : {}));
  for (const name of Array.isArray(required) ? required : []) {
    if (!Object.hasOwn(value, String(name))) problems.push(`${at === "" ? "/" : at} must have ${String(name)}`);
  }
  for (const [name, part] of Object.entries(value)) {
    const known = parts.get(name);
    if (isObject(known)) check(known, part, `${at}/${name}`, problems);
    else if (additionalProperties === false)
      problems.push(`${at === "" ? "/" : at} must not have ${name.slice(0, 100)}`);
  }
}

function isOf(type: string, value: unknown): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    case "integer":
      return Number.isInteger(value);
    case "number":
      return typeof value === "number" && Number.isFinite(value);
    default:
      return typeof value === type;
  }
}

function nameOf({ type, enum: values }: JsonSchema): string {
  return Array.isArray(values) ? `one of ${JSON.stringify(values)}` : String(type);
}

function isObject(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
