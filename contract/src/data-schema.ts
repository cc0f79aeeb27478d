import { z } from "zod";

/**
 * The JSON Schema (2020-12) of the data of a tenant's own event type. Keywords that are not here are refused by name, so none is
 * silently without effect. Not here on purpose: `pattern` and `patternProperties`, since a regular expression of a tenant's can
 * hold the server up for minutes.
 */
export type DataSchema = { readonly [Keyword in keyof Keywords]?: Keywords[Keyword] | undefined };

const JsonType = z.enum(["object", "array", "string", "number", "integer", "boolean", "null"]);
export const SchemaFormat = z.enum([
  "date-time",
  "date",
  "time",
  "duration",
  "email",
  "uri",
  "uuid",
  "hostname",
  "ipv4",
  "ipv6",
]);
export type SchemaFormat = z.infer<typeof SchemaFormat>;

const Count = z.number().int().min(0);
const FieldName = z.string().max(200);

/** One schema inside another, or the outermost one. */
export type SchemaNode = boolean | DataSchema;
type Keywords = z.infer<typeof leafKeywords> & {
  readonly $defs: Readonly<Record<string, SchemaNode>>;
  readonly properties: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties: SchemaNode;
  readonly items: SchemaNode;
  readonly prefixItems: readonly SchemaNode[];
  readonly contains: SchemaNode;
  readonly anyOf: readonly SchemaNode[];
  readonly oneOf: readonly SchemaNode[];
  readonly allOf: readonly SchemaNode[];
  readonly not: SchemaNode;
};

/** Keywords that hold no further schema. */
const leafKeywords = z.strictObject({
  $schema: z.literal("https://json-schema.org/draft/2020-12/schema").optional(),
  $ref: z
    .string()
    .regex(/^#(?:\/\$defs\/[A-Za-z0-9_.-]{1,100})?$/, "Only # and #/$defs/<name> can be referred to")
    .optional(),
  $comment: z.string().optional(),
  title: z.string().optional(),
  description: z.string().optional(),
  default: z.unknown().optional(),
  examples: z.array(z.unknown()).optional(),
  deprecated: z.boolean().optional(),
  type: z.union([JsonType, z.array(JsonType).min(1)]).optional(),
  enum: z.array(z.unknown()).min(1).max(1_000).optional(),
  const: z.unknown().optional(),
  required: z.array(FieldName).max(500).optional(),
  minProperties: Count.optional(),
  maxProperties: Count.optional(),
  minItems: Count.optional(),
  maxItems: Count.optional(),
  uniqueItems: z.boolean().optional(),
  minLength: Count.optional(),
  maxLength: Count.optional(),
  format: SchemaFormat.optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  exclusiveMaximum: z.number().optional(),
  multipleOf: z.number().positive().optional(),
});

// Not a union with the object: that would say "invalid input" where the object says which keyword.
const Node = z
  .custom<SchemaNode>()
  .superRefine((node, context) => {
    if (typeof node === "boolean") return;
    for (const issue of ObjectNode.safeParse(node).error?.issues ?? []) context.addIssue({ ...issue });
  })
  .meta({ description: "A JSON Schema of the same keywords, or a boolean." });
const Nodes = z.array(Node).min(1).max(100);
const ObjectNode: z.ZodType<DataSchema> = leafKeywords.extend({
  $defs: z.record(FieldName, Node).optional(),
  properties: z.record(FieldName, Node).optional(),
  additionalProperties: Node.optional(),
  items: Node.optional(),
  prefixItems: Nodes.optional(),
  contains: Node.optional(),
  anyOf: Nodes.optional(),
  oneOf: Nodes.optional(),
  allOf: Nodes.optional(),
  not: Node.optional(),
});

const charactersMax = 65_536;

export const DataSchema = ObjectNode.superRefine((schema, context) => {
  if (schema.type !== "object") {
    context.addIssue({
      code: "custom",
      path: ["type"],
      message: 'The data of a message is an object: type is "object"',
    });
  }
  if (JSON.stringify(schema).length > charactersMax) {
    context.addIssue({ code: "custom", message: `A schema has at most ${charactersMax} characters` });
  }
  for (const { path, name } of lostReferences(schema)) {
    context.addIssue({ code: "custom", path, message: `There is no ${name} in the $defs of the schema` });
  }
});

/** References that lead nowhere. Only places where a schema stands count: data may hold anything. */
function lostReferences(root: DataSchema): { path: (string | number)[]; name: string }[] {
  const lost: { path: (string | number)[]; name: string }[] = [];
  const visit = (node: SchemaNode | undefined, path: (string | number)[]): void => {
    if (typeof node !== "object") return;
    const name = node.$ref?.slice("#/$defs/".length);
    if (name && !Object.hasOwn(root.$defs ?? {}, name)) lost.push({ path: [...path, "$ref"], name });
    for (const key of ["$defs", "properties"] as const) {
      for (const [field, inner] of Object.entries(node[key] ?? {})) visit(inner, [...path, key, field]);
    }
    for (const key of ["prefixItems", "anyOf", "oneOf", "allOf"] as const) {
      node[key]?.forEach((inner, at) => visit(inner, [...path, key, at]));
    }
    for (const key of ["additionalProperties", "items", "contains", "not"] as const) visit(node[key], [...path, key]);
  };
  visit(root, []);
  return lost;
}
