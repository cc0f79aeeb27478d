import { isDeepStrictEqual } from "node:util";

import type { DataSchema, SchemaFormat, SchemaNode } from "@aftercall/contract/data-schema.ts";
import { z } from "zod";

import type { FieldError } from "#/kernel/errors.ts";

/**
 * What a JSON Schema (2020-12, the keywords of the contract) finds wrong with a value, by JSON pointer under `place`; empty when it
 * is right. The work is bounded: a schema that would take too long, or that refers to itself without end, finds that wrong.
 */
export function faultsOf(schema: DataSchema, value: unknown, place: string): FieldError[] {
  const run: Run = { root: schema, stepsLeft: stepsMax, depth: 0 };
  try {
    return check(schema, value, place, run);
  } catch (error) {
    if (error instanceof TooMuch)
      return [{ pointer: place, detail: "Checking this against the schema takes too long" }];
    throw error;
  }
}

type Run = { readonly root: DataSchema; stepsLeft: number; depth: number };
class TooMuch extends Error {}

/** About half a second; the plainest two megabytes of data take half of it. */
const stepsMax = 2_000_000;
/** Data is nested 64 deep at most, schemas some levels more for each; what is deeper goes in circles. */
const depthMax = 1_000;
const faultsShownMax = 20;

function check(schema: SchemaNode, value: unknown, place: string, run: Run): FieldError[] {
  if (--run.stepsLeft < 0 || run.depth > depthMax) throw new TooMuch();
  if (schema === true) return [];
  if (schema === false) return [{ pointer: place, detail: "Nothing is allowed here" }];
  run.depth++;
  const faults = ofType(schema, value, place);
  for (const found of [ofValue(schema, value, place, run), ofSchemas(schema, value, place, run)]) {
    if (found.length > 0) faults.push(...found.slice(0, faultsShownMax - faults.length));
  }
  run.depth--;
  return faults;
}

function ofValue(schema: DataSchema, value: unknown, place: string, run: Run): FieldError[] {
  if (typeof value === "number") return ofNumber(schema, value, place);
  if (typeof value === "string") return ofText(schema, value, place);
  if (Array.isArray(value)) return ofArray(schema, value, place, run);
  return isObject(value) ? ofObject(schema, value, place, run) : [];
}

function ofType({ type, enum: allowed, const: only }: DataSchema, value: unknown, place: string): FieldError[] {
  const types = type === undefined ? [] : [type].flat();
  if (types.length > 0 && !types.some((one) => isOf(one, value))) return fault(place, `Must be ${types.join(" or ")}`);
  if (allowed && !allowed.some((one) => isDeepStrictEqual(one, value))) {
    return fault(place, `Must be one of ${shown(allowed)}`);
  }
  if (only !== undefined && !isDeepStrictEqual(only, value)) return fault(place, `Must be ${shown([only])}`);
  return [];
}

function isOf(type: string, value: unknown): boolean {
  switch (type) {
    case "object":
      return isObject(value);
    case "array":
      return Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    case "null":
      return value === null;
    default:
      return typeof value === type;
  }
}

function ofNumber(schema: DataSchema, value: number, place: string): FieldError[] {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  if (minimum !== undefined && value < minimum) return fault(place, `Must be at least ${minimum}`);
  if (maximum !== undefined && value > maximum) return fault(place, `Must be at most ${maximum}`);
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum)
    return fault(place, `Must be above ${exclusiveMinimum}`);
  if (exclusiveMaximum !== undefined && value >= exclusiveMaximum)
    return fault(place, `Must be below ${exclusiveMaximum}`);
  if (multipleOf !== undefined && !isMultiple(value, multipleOf))
    return fault(place, `Must be a multiple of ${multipleOf}`);
  return [];
}

/** 0.3 is a multiple of 0.1, whatever binary floating point makes of the two. */
function isMultiple(value: number, of: number): boolean {
  const ratio = value / of;
  return Math.abs(ratio - Math.round(ratio)) <= Number.EPSILON * Math.max(1, Math.abs(ratio));
}

function ofText({ minLength, maxLength, format }: DataSchema, value: string, place: string): FieldError[] {
  if (minLength !== undefined || maxLength !== undefined) {
    const length = charactersOf(value);
    if (minLength !== undefined && length < minLength) return fault(place, `At least ${minLength} characters`);
    if (maxLength !== undefined && length > maxLength) return fault(place, `At most ${maxLength} characters`);
  }
  if (format !== undefined && (value.length > formattedMax || !formats[format].safeParse(value).success)) {
    return fault(place, `Not in the form of ${format}`);
  }
  return [];
}

/** Characters as JSON Schema counts them: code points. */
function charactersOf(text: string): number {
  return text.replace(/[\ud800-\udbff][\udc00-\udfff]/g, "_").length;
}

const formattedMax = 4_096;
const formats: Readonly<Record<SchemaFormat, z.ZodType>> = {
  "date-time": z.iso.datetime({ offset: true }),
  date: z.iso.date(),
  time: z.iso.time(),
  duration: z.iso.duration(),
  email: z.email(),
  uri: z.url(),
  uuid: z.uuid(),
  hostname: z.hostname(),
  ipv4: z.ipv4(),
  ipv6: z.ipv6(),
};

function ofArray(schema: DataSchema, value: readonly unknown[], place: string, run: Run): FieldError[] {
  const { minItems, maxItems, uniqueItems, prefixItems = [], items = true, contains } = schema;
  if (minItems !== undefined && value.length < minItems) return fault(place, `At least ${minItems} items`);
  if (maxItems !== undefined && value.length > maxItems) return fault(place, `At most ${maxItems} items`);
  if (uniqueItems && hasEqualItems(value)) return fault(place, "No item may be there twice");
  const faults = firstOf(value.entries(), ([at, item]) => check(prefixItems[at] ?? items, item, `${place}/${at}`, run));
  if (contains !== undefined && !value.some((item, at) => check(contains, item, `${place}/${at}`, run).length === 0)) {
    faults.push(...fault(place, "No item is of the kind that has to be there"));
  }
  return faults;
}

function hasEqualItems(items: readonly unknown[]): boolean {
  return new Set(items.map(canonical)).size < items.length;
}

/** The same text for values that are equal, whatever the order of their fields. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}

function ofObject(schema: DataSchema, value: Readonly<Record<string, unknown>>, place: string, run: Run): FieldError[] {
  const { properties = {}, required = [], additionalProperties = true, minProperties, maxProperties } = schema;
  const names = Object.keys(value);
  if (minProperties !== undefined && names.length < minProperties)
    return fault(place, `At least ${minProperties} fields`);
  if (maxProperties !== undefined && names.length > maxProperties)
    return fault(place, `At most ${maxProperties} fields`);
  const missing = required.filter((name) => !Object.hasOwn(value, name));
  return [
    ...missing.flatMap((name) => fault(within(place, name), "This field is missing")),
    ...firstOf(names, (name) => {
      const known = Object.hasOwn(properties, name) ? properties[name] : undefined;
      if (known === undefined && additionalProperties === false) {
        return fault(within(place, name), "This field does not exist here");
      }
      return check(known ?? additionalProperties, value[name], within(place, name), run);
    }),
  ];
}

function ofSchemas(schema: DataSchema, value: unknown, place: string, run: Run): FieldError[] {
  const { $ref, allOf = [], anyOf, oneOf, not } = schema;
  const fits = (inner: SchemaNode) => check(inner, value, place, run).length === 0;
  const faults = allOf.flatMap((inner) => check(inner, value, place, run));
  if ($ref !== undefined) faults.push(...check(referred($ref, run.root), value, place, run));
  if (anyOf && !anyOf.some(fits)) faults.push(...fault(place, "Fits none of the forms it may have"));
  if (oneOf && oneOf.filter(fits).length !== 1)
    faults.push(...fault(place, "Fits not exactly one of the forms it may have"));
  if (not !== undefined && fits(not)) faults.push(...fault(place, "Has a form it must not have"));
  return faults;
}

/** The contract has seen to it that the name is there. */
function referred($ref: string, root: DataSchema): SchemaNode {
  return $ref === "#" ? root : (root.$defs?.[$ref.slice("#/$defs/".length)] ?? false);
}

/** The faults of the first items that have any: nobody reads a hundred thousand. */
function firstOf<Item>(items: Iterable<Item>, faultsIn: (item: Item) => FieldError[]): FieldError[] {
  const faults: FieldError[] = [];
  for (const item of items) {
    faults.push(...faultsIn(item));
    if (faults.length >= faultsShownMax) break;
  }
  return faults;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** JSON pointer (RFC 6901). */
function within(place: string, name: string): string {
  return `${place}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

function fault(pointer: string, detail: string): FieldError[] {
  return [{ pointer, detail }];
}

function shown(values: readonly unknown[]): string {
  const text = values.map((value) => JSON.stringify(value)).join(", ");
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}
