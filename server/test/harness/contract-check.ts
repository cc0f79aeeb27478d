import { openApiOf } from "@aftercall/contract/openapi.ts";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

/**
 * Holds real answers against the OpenAPI document: every answer that a test gets over the harness must have a documented
 * status, and a body that its own schema takes. @throws Error that says what is wrong
 */
export function checkAnswer(
  method: string,
  path: string,
  answer: { status: number; type: string; text: string },
): void {
  const found = operationFor(method, path);
  if (!found || beforeRouting.has(answer.status)) return;
  const place = `${method} ${found.path} → ${answer.status}`;
  const response =
    found.responses.get(String(answer.status)) ?? found.responses.get(`${Math.floor(answer.status / 100)}XX`);
  if (!response) throw new Error(`${place}: this status is not documented. ${answer.text.slice(0, 500)}`);
  if (response.size === 0) {
    // What a provider is told in its own words is not described; of our own routes everything is.
    if (answer.text !== "" && path.startsWith("/v1/")) throw new Error(`${place}: there must be no body`);
    return;
  }
  const media = answer.type.split(";")[0]?.trim() ?? "";
  const validate = response.get(media);
  if (!validate) throw new Error(`${place}: ${media || "no type"} is not documented`);
  if (!media.endsWith("json")) return;
  const documents = media === ndjson ? answer.text.split("\n").filter((line) => line !== "") : [answer.text];
  for (const text of documents) {
    if (validate(JSON.parse(text))) continue;
    throw new Error(`${place}: ${JSON.stringify(validate.errors?.slice(0, 3))} in ${text.slice(0, 800)}`);
  }
}

/** A text with a JSON object on each line, of which the document describes one. */
const ndjson = "application/x-ndjson";

/** What any request can be refused with before it belongs to a route: broken framing, headers too large, too slow. */
const beforeRouting = new Set([405, 408, 431]);

type Operation = {
  readonly path: string;
  /** By status (`404`, `4XX`), by media type. */
  readonly responses: ReadonlyMap<string, ReadonlyMap<string, ValidateFunction>>;
};
type Node = { readonly [key: string]: unknown };
type Drawn = { readonly method: string; readonly pattern: RegExp; readonly operation: () => Operation };

function operationFor(method: string, path: string): Operation | null {
  const plain = path.split("?")[0] ?? path;
  drawn.operations ??= draw();
  return drawn.operations.find((one) => one.method === method && one.pattern.test(plain))?.operation() ?? null;
}

// Drawn once for all test files of a worker.
const drawn: { operations?: readonly Drawn[] } = {};

function draw(): Drawn[] {
  const document = JSON.parse(JSON.stringify(openApiOf({ version: "test" }))) as {
    paths: Record<string, Record<string, Node>>;
    components: Node;
  };
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: false });
  ajv.addSchema({ $id: "https://api/", components: document.components });
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, node]) => {
      let known: Operation | undefined;
      return {
        method: method.toUpperCase(),
        pattern: new RegExp(`^${path.replace(/\{\w+\}/g, "[^/]+").replaceAll("/", "\\/")}$`),
        isExact: !path.includes("{"),
        operation: () => (known ??= { path, responses: responsesOf(node, document, ajv) }),
      };
    }),
  );
  // `/v1/events/replay` before `/v1/events/{id}`.
  return operations.toSorted((a, b) => Number(b.isExact) - Number(a.isExact));
}

function responsesOf(node: Node, document: { components: Node }, ajv: Ajv2020): Operation["responses"] {
  return new Map(
    Object.entries(node["responses"] as Record<string, Node>).map(([status, given]) => {
      const content = (resolved(given, document)["content"] ?? {}) as Record<string, { schema: Node }>;
      const byMedia = Object.entries(content).map(
        ([media, { schema }]) =>
          [media, ajv.compile(anchored(media === ndjson ? (schema["contentSchema"] as Node) : schema))] as const,
      );
      return [status, new Map(byMedia)];
    }),
  );
}

function resolved(node: Node, document: { components: Node }): Node {
  const name = /^#\/components\/responses\/(\w+)$/.exec(String(node["$ref"] ?? ""))?.[1];
  return name ? ((document.components["responses"] as Record<string, Node>)[name] ?? {}) : node;
}

/** References in a part of the document still lead into the whole. */
function anchored(schema: Node): Node {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"https://api/#/components/')) as Node;
}
