import { z } from "zod";

export type Printer = {
  /** The type of what is sent to the server. */
  input(schema: z.ZodType): string;
  /** The type of what it answers. */
  output(schema: z.ZodType): string;
  /** A query as a program has it: numbers, booleans and lists instead of their texts. */
  query(schema: z.ZodObject): string;
  /** A declaration for every named schema that was printed. */
  named(): string[];
};

type Side = "input" | "output";

/** Writes zod schemas as TypeScript. A schema with a name is written once and referred to. */
export function createPrinter(exported: readonly (readonly [name: string, value: unknown])[]): Printer {
  const names = new Map<z.core.$ZodType, string>();
  for (const [name, value] of exported) if (value instanceof z.ZodType && !names.has(value)) names.set(value, name);
  const declared = new Map<string, string>();
  /** What is being printed: a schema that speaks of itself names itself. */
  const open = new Set<string>();

  return {
    input: (schema) => print(schema, "input"),
    output: (schema) => print(schema, "output"),
    query: ({ shape }) =>
      object(Object.entries(shape).map(([name, field]) => property(name, field, queryField(field)))),
    named: () =>
      [...declared].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, type]) => `export type ${name} = ${type};`),
  };

  function print(schema: z.core.$ZodType, side: Side): string {
    const name = names.get(schema);
    if (name === undefined) return structure(schema, side);
    if (open.has(name)) return name;
    open.add(name);
    // What is sent and what is answered differ where a default fills something in.
    const isSame = structure(schema, "input") === structure(schema, "output");
    const own = isSame || side === "output" ? name : `${name}Input`;
    if (!declared.has(own)) declared.set(own, structure(schema, side));
    open.delete(name);
    return own;
  }

  function structure(schema: z.core.$ZodType, side: Side): string {
    const def = defOf(schema);
    switch (def.type) {
      case "string":
      case "number":
      case "boolean":
      case "null":
      case "undefined":
        return side === "input" && "coerce" in def && def.coerce ? "unknown" : def.type;
      case "unknown":
      case "any":
      // What a transform gives is seen by the server alone; what is checked by code alone has no form to write.
      case "transform":
      case "custom":
        return "unknown";
      case "literal":
        return def.values.map((value) => JSON.stringify(value)).join(" | ");
      case "enum":
        return Object.values(def.entries)
          .map((value) => JSON.stringify(value))
          .join(" | ");
      case "array":
        return `${grouped(print(def.element, side))}[]`;
      case "tuple":
        return `[${def.items.map((item) => print(item, side)).join(", ")}]`;
      case "record":
        return recordOf("partial" in def && def.partial, print(def.keyType, side), print(def.valueType, side));
      case "union":
        return [...new Set(def.options.map((option) => print(option, side)))].join(" | ");
      case "intersection":
        return `${grouped(print(def.left, side))} & ${grouped(print(def.right, side))}`;
      case "nullable":
        return `${print(def.innerType, side)} | null`;
      case "optional":
        return `${print(def.innerType, side)} | undefined`;
      case "default":
      case "prefault":
        return side === "input" ? `${print(def.innerType, side)} | undefined` : print(def.innerType, side);
      case "readonly":
      case "nonoptional":
        return print(def.innerType, side);
      case "pipe":
        if (side === "input") return print(def.in, side);
        return print(def.out, side);
      case "lazy":
        return print(def.getter(), side);
      case "object": {
        const fields = Object.entries(def.shape).map(([name, field]) =>
          property(name, field, print(field, side), side),
        );
        const isOpen = def.catchall !== undefined && defOf(def.catchall).type === "unknown";
        return object(isOpen ? [...fields, "[field: string]: unknown"] : fields);
      }
      default:
        throw new Error(`The SDK cannot write a ${def.type} of the contract as a type`);
    }
  }

  /** What `QueryField` in `sdk/src/contract.ts` says. */
  function queryField(field: z.core.$ZodType): string {
    const def = defOf(field);
    if (def.type === "optional" || def.type === "default") return `${queryField(def.innerType)} | undefined`;
    if (def.type !== "pipe") return print(field, "output");
    const out = defOf(def.out);
    if (out.type === "transform") return print(def.in, "input");
    return out.type === "array" ? `readonly ${print(def.out, "output")}` : print(def.out, "output");
  }
}

/** Of a partial record none of the keys must be there. */
function recordOf(isPartial: boolean, key: string, value: string): string {
  // Written out, a type may speak of itself in it.
  if (key === "string" && !isPartial) return `{ [name: string]: ${value} }`;
  return isPartial ? `Partial<Record<${key}, ${value}>>` : `Record<${key}, ${value}>`;
}

function property(name: string, schema: z.core.$ZodType, type: string, side: Side = "input"): string {
  const { _zod: internals } = schema;
  const isOptional = (side === "input" ? internals.optin : internals.optout) !== undefined;
  return `${/^\w+$/.test(name) ? name : JSON.stringify(name)}${isOptional ? "?" : ""}: ${type}`;
}

/** What a schema is made of. Every schema that can be made is one of zod's own kinds. */
function defOf(schema: z.core.$ZodType): z.core.$ZodTypes["_zod"]["def"] {
  const { _zod: internals } = schema as z.core.$ZodTypes;
  return internals.def;
}

function object(fields: readonly string[]): string {
  return fields.length === 0 ? "Record<string, never>" : `{ ${fields.join("; ")} }`;
}

function grouped(type: string): string {
  return /[|&]/.test(type) ? `(${type})` : type;
}
