import { openApiOf } from "@aftercall/contract/openapi.ts";

import { escapeHtml, htmlOfMarkdown } from "./markdown.ts";

/** The API reference as a page that runs no script: every route, message and schema of `/openapi.json`. */
export function plainReference(version: string): string {
  const document = openApiOf({ version }) as unknown as Document;
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const groups = Map.groupBy(operations, ({ operation }) => operation.tags?.[0] ?? "Other");
  const sections = [...groups].map(
    ([tag, all]) => `<h2 id="${idOf(tag)}">${escapeHtml(tag)}</h2>${all.map(operationHtml).join("\n")}`,
  );
  const schemas = Object.entries(document.components.schemas).map(([name, schema]) => schemaHtml(name, schema));
  return [
    htmlOfMarkdown(document.info.description),
    `<ul>${[...groups.keys()].map((tag) => `<li><a href="#${idOf(tag)}">${escapeHtml(tag)}</a></li>`).join("\n")}</ul>`,
    ...sections,
    "<h2>Schemas</h2>",
    ...schemas,
  ].join("\n");
}

type Schema = { readonly [keyword: string]: unknown };
type Operation = {
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly Schema[];
  readonly requestBody?: { readonly content?: Content };
  readonly responses?: Readonly<Record<string, Schema & { readonly content?: Content }>>;
};
type Content = Readonly<Record<string, { readonly schema?: Schema }>>;
type Document = {
  readonly info: { readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};

function operationHtml({ path, method, operation }: { path: string; method: string; operation: Operation }): string {
  const parameters = (operation.parameters ?? []).filter(({ name }) => typeof name === "string");
  return [
    `<h3><code>${method} ${escapeHtml(path)}</code></h3>`,
    `<p>${escapeHtml(operation.summary ?? "")} ${escapeHtml(operation.description ?? "")}</p>`,
    parameters.length === 0 ? "" : table(["in", "name", "type", ""], parameters.map(parameterRow)),
    ...Object.entries(operation.requestBody?.content ?? {}).map(
      ([media, { schema = {} }]) => `<p>Body, ${escapeHtml(media)}: ${typeOf(schema)}</p>${inlineFields(schema)}`,
    ),
    `<ul>${Object.entries(operation.responses ?? {})
      .map(responseItem)
      .join("")}</ul>`,
  ].join("\n");
}

function parameterRow({ name, in: place, schema, required, description }: Schema): string[] {
  const isRequired = required === true ? "required. " : "";
  return [
    textOf(place),
    `<code>${textOf(name)}</code>`,
    typeOf((schema as Schema | undefined) ?? {}),
    isRequired + textOf(description),
  ];
}

function responseItem([status, response]: [string, Schema & { readonly content?: Content }]): string {
  const shared = /^#\/components\/responses\/(\w+)$/.exec(String(response["$ref"] ?? ""))?.[1];
  const said = shared ?? textOf(response["description"]);
  const bodies = Object.values(response.content ?? {}).map(({ schema = {} }) => typeOf(schema));
  return `<li><code>${status}</code> ${said}${bodies.length > 0 ? `: ${bodies.join(", ")}` : ""}</li>`;
}

function schemaHtml(name: string, schema: Schema): string {
  const description = textOf(schema["description"]);
  return `<h3 id="schema-${idOf(name)}">${escapeHtml(name)}</h3><p>${description} ${typeOf(schema)}</p>${inlineFields(schema)}`;
}

function inlineFields(schema: Schema): string {
  const properties = schema["properties"] as Readonly<Record<string, Schema>> | undefined;
  if (!properties) return "";
  const required = new Set(Array.isArray(schema["required"]) ? schema["required"] : []);
  return table(
    ["field", "type", ""],
    Object.entries(properties).map(([name, field]) => [
      `<code>${escapeHtml(name)}</code>`,
      typeOf(field),
      (required.has(name) ? "" : "optional. ") + textOf(field["description"]),
    ]),
  );
}

/** A schema in a few words, with a link where it has a name. */
function typeOf(schema: Schema): string {
  const name = /^#\/components\/schemas\/(.+)$/.exec(String(schema["$ref"] ?? ""))?.[1];
  if (name) return `<a href="#schema-${idOf(name)}">${escapeHtml(name)}</a>`;
  const { anyOf, oneOf, allOf, type, enum: values, const: only, items, format } = schema;
  const alternatives = anyOf ?? oneOf ?? allOf;
  if (Array.isArray(alternatives)) return alternatives.map((one) => typeOf(one as Schema)).join(" or ");
  if (Array.isArray(values)) return values.map((value) => `<code>${textOf(String(value))}</code>`).join(" ");
  if (only !== undefined) return `<code>${textOf(String(only))}</code>`;
  if (type === "array") return `array of ${typeOf((items as Schema | undefined) ?? {})}`;
  const kind = Array.isArray(type) ? type.join(" or ") : textOf(type) || "any";
  return format === undefined ? kind : `${kind} (${textOf(format)})`;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = heads.map((text) => `<th>${text}</th>`).join("");
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join("")}</tr>`).join("\n");
  return `<table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? escapeHtml(value) : "";
}

function idOf(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9]+/g, "-");
}
