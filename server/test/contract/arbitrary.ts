import * as fc from "fast-check";

/** JSON Schema, as far as our OpenAPI document uses it. */
export type Schema = { readonly [keyword: string]: unknown };

/** What a schema is read with. */
export type Reading = {
  /** The document's components, by name. */
  readonly names: Readonly<Record<string, Schema>>;
  /** Among how many values there is one that nobody asked for: what is refused must be refused well. Infinity: none. */
  readonly oddOneIn: number;
};

/** Values that a schema takes, mostly. */
export function valuesOf(schema: Schema, reading: Reading, depth = 0): fc.Arbitrary<unknown> {
  const good = goodValuesOf(schema, reading, depth);
  if (reading.oddOneIn === Infinity) return good;
  return fc.oneof({ weight: reading.oddOneIn - 1, arbitrary: good }, { weight: 1, arbitrary: anything });
}

/** What nobody asked for. */
export const anything: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(null, "", 0, -1, 1e308, true, [], {}, "\u0000", "x".repeat(2_000), "__proto__", "שלום", "\ud800"),
);

function goodValuesOf(schema: Schema, reading: Reading, depth: number): fc.Arbitrary<unknown> {
  const reference = /^#\/components\/schemas\/(.+)$/.exec(text(schema["$ref"]))?.[1];
  if (reference !== undefined) return valuesOf(reading.names[reference] ?? {}, reading, depth + 1);
  if (depth > 6) return fc.constant(null);
  if (schema["const"] !== undefined) return fc.constant(schema["const"]);
  if (Array.isArray(schema["enum"])) return fc.constantFrom(...(schema["enum"] as unknown[]));
  const alternatives = schema["anyOf"] ?? schema["oneOf"];
  if (Array.isArray(alternatives) && alternatives.length > 0) {
    return fc.oneof(...alternatives.map((one) => valuesOf(one as Schema, reading, depth + 1)));
  }
  if (Array.isArray(schema["examples"]) && schema["examples"].length > 0) {
    return fc.constantFrom(...(schema["examples"] as unknown[]));
  }
  const { type } = schema;
  if (Array.isArray(type))
    return fc.oneof(...type.map((one) => goodValuesOf({ ...schema, type: one }, reading, depth)));
  switch (type) {
    case "object":
      return objectsOf(schema, reading, depth);
    case "array":
      return fc.array(valuesOf((schema["items"] as Schema | undefined) ?? {}, reading, depth + 1), {
        minLength: Math.min(number(schema["minItems"], 0), 3),
        maxLength: 3,
      });
    case "string":
      return textsOf(schema, reading);
    case "integer":
      return fc.integer({
        min: number(schema["minimum"], -5),
        max: Math.min(number(schema["maximum"], 2 ** 31), 2 ** 40),
      });
    case "number":
      return fc.double({ noNaN: true, min: number(schema["minimum"], -1e6), max: number(schema["maximum"], 1e6) });
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    default:
      return anything;
  }
}

function objectsOf(schema: Schema, reading: Reading, depth: number): fc.Arbitrary<unknown> {
  const properties = Object.entries((schema["properties"] ?? {}) as Record<string, Schema>);
  const required = new Set(Array.isArray(schema["required"]) ? (schema["required"] as string[]) : []);
  const known = fc.record(
    Object.fromEntries(
      properties.map(([name, field]) => [
        name,
        isAddress(name, field) ? addresses : valuesOf(field, reading, depth + 1),
      ]),
    ),
    { requiredKeys: properties.map(([name]) => name).filter((name) => required.has(name)) },
  );
  const free = schema["additionalProperties"];
  if (typeof free !== "object" || free === null) return known;
  return fc
    .tuple(
      known,
      fc.dictionary(fc.string({ maxLength: 8 }), valuesOf(free as Schema, reading, depth + 1), { maxKeys: 3 }),
    )
    .map(([mine, more]) => ({ ...more, ...mine }));
}

function isAddress(name: string, field: Schema): boolean {
  return field["type"] === "string" && /(?:^|_)(?:url|issuer)$/.test(name);
}
const addresses = fc.nat(9).map((number) => `https://somebody.example.com/${number}`);

function textsOf(schema: Schema, { oddOneIn }: Reading): fc.Arbitrary<string> {
  const form = text(schema["format"]);
  if (form === "date-time") {
    const instant = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date("2100-01-01") });
    return instant.map((date) => date.toISOString());
  }
  if (form === "date") return fc.constantFrom("2026-11-01", "2026-02-30", "2026-11-21");
  if (form === "uuid") return fc.uuid();
  const pattern = schema["pattern"];
  const maxLength = Math.min(number(schema["maxLength"], 40), 60);
  if (typeof pattern === "string" && pattern.length < 120) {
    const matching = fc.stringMatching(new RegExp(pattern));
    return oddOneIn === Infinity ? matching : fc.oneof(matching, fc.string({ maxLength }));
  }
  const fitting = fc.string({ minLength: Math.min(number(schema["minLength"], 0), 40), maxLength });
  return oddOneIn === Infinity ? fitting : fc.oneof(fc.string({ maxLength, unit: "binary" }), fitting);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function number(value: unknown, otherwise: number): number {
  return typeof value === "number" && Number.isFinite(value) ? value : otherwise;
}
