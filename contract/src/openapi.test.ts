import { expect, test } from "vitest";
import { z } from "zod";

import type { Route } from "./api.ts";
import { eventTypeNames } from "./events.ts";
import { openApiOf } from "./openapi.ts";
import { routes } from "./routes.ts";

// As it travels: what JSON drops must not count.
const document = JSON.parse(JSON.stringify(openApiOf({ version: "1.2.3" }))) as ReturnType<typeof openApiOf>;

type Node = { readonly [key: string]: unknown };
type Operation = Node & {
  readonly operationId: string;
  readonly parameters?: readonly Node[];
  readonly tags: string[];
};

const methods = ["get", "post", "patch", "put", "delete"];
const operations = Object.entries({ ...document.paths, ...document.webhooks }).flatMap(([path, item]) =>
  Object.entries(item as Record<string, Operation>).map(([method, operation]) => ({ path, method, operation })),
);
const named = operations.map((one) => [one.operation.operationId, one] as const);

/** Every object in the document with the place it is at. */
function* nodesOf(node: unknown, place = "#"): Generator<[place: string, node: Node]> {
  if (typeof node !== "object" || node === null) return;
  if (!Array.isArray(node)) yield [place, node as Node];
  for (const [key, value] of Object.entries(node)) {
    yield* nodesOf(value, `${place}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`);
  }
}

function at(pointer: string): unknown {
  const keys = pointer.split("/").slice(1);
  return keys.reduce<unknown>(
    (node, key) => (node as Node | undefined)?.[key.replaceAll("~1", "/").replaceAll("~0", "~")],
    document,
  );
}

/** What the schema of the document finds wrong with a value. */
function faults(schema: unknown, value: unknown): unknown {
  const text = JSON.stringify({ ...(schema as Node), $defs: document.components.schemas });
  return z.fromJSONSchema(JSON.parse(text.replaceAll("#/components/schemas/", "#/$defs/"))).safeParse(value).error;
}

test("it is the same document every time", () => {
  expect(JSON.stringify(openApiOf({ version: "1.2.3" }))).toBe(JSON.stringify(openApiOf({ version: "1.2.3" })));
});

test("it says what OpenAPI 3.1 wants said", () => {
  expect(document.openapi).toMatch(/^3\.1\.\d+$/);
  expect(document.info).toMatchObject({ title: "aftercall", version: "1.2.3" });
  expect(operations.filter(({ method }) => !methods.includes(method))).toEqual([]);
  expect(operations.filter(({ operation }) => Object.keys(operation["responses"] as object).length === 0)).toEqual([]);
});

test("every reference leads to something", () => {
  const lost = [...nodesOf(document)].filter(([, { $ref }]) => typeof $ref === "string" && at($ref) === undefined);
  expect(lost).toEqual([]);
});

test("every response says what it is, and every component is used", () => {
  const responses = operations.flatMap(({ operation }) =>
    Object.values(operation["responses"] as Record<string, Node>),
  );
  const silent = [...responses, ...Object.values(document.components["responses"] as Record<string, Node>)].filter(
    ({ $ref, description }) => $ref === undefined && typeof description !== "string",
  );
  expect(silent).toEqual([]);
  const text = JSON.stringify(document);
  const places = ["schemas", "responses", "parameters", "headers"].flatMap((group) =>
    Object.keys(document.components[group] as object).map((name) => `#/components/${group}/${name}`),
  );
  expect(places.filter((place) => !text.includes(`"${place}"`))).toEqual([]);
});

test("every operation has a name of its own", () => {
  const names = operations.map(({ operation }) => operation.operationId);
  expect(names.toSorted()).toEqual([...new Set(names)].toSorted());
});

test("every tag in use is described, and every described one is used", () => {
  const used = new Set(operations.flatMap(({ operation }) => operation.tags));
  const described = (document["tags"] as { name: string }[]).map(({ name }) => name);
  expect([...used].toSorted()).toEqual(described.toSorted());
});

test.each(named)("%s declares every parameter of its path, and only these", (_name, { path, operation }) => {
  const inPath = path.startsWith("/") ? [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name) : [];
  const declared = (operation.parameters ?? []).filter((parameter) => parameter["in"] === "path");
  expect(declared.map(({ name }) => String(name)).toSorted()).toEqual(inPath.map(String).toSorted());
  expect(declared.every(({ required }) => required === true)).toBe(true);
});

test.each(named.filter(([, { path, method }]) => path.startsWith("/v1") && method === "post"))(
  "%s takes an Idempotency-Key",
  (_name, { operation }) => {
    expect(operation.parameters).toContainEqual({ $ref: "#/components/parameters/IdempotencyKey" });
  },
);

test("every route of the contract is there, and says how it refuses", () => {
  for (const [name, route] of Object.entries<Route>(routes)) {
    const found = operations.find(({ operation }) => operation.operationId === name);
    expect(found?.path).toBe(route.path.replace(/:([a-z_]+)/g, "{$1}"));
    // Whoever has a key may ask who they are.
    const refusals = name === "whoami" ? ["401", "500", "503"] : ["401", "403", "500", "503"];
    expect(Object.keys(found?.operation["responses"] as object)).toEqual(
      expect.arrayContaining([String(route.status ?? 200), ...refusals]),
    );
  }
});

test("every message is there, in English and in Hebrew", () => {
  expect(Object.keys(document.webhooks)).toEqual([...eventTypeNames]);
});

const bodies = [...nodesOf(document)].filter(([, node]) => node["schema"] && (node["examples"] ?? node["example"]));
const mediaExamples = bodies.flatMap(([place, node]) => {
  if ("example" in node) return [[place, node["schema"], node["example"]] as const];
  const examples = node["examples"] as Record<string, { value: unknown }>;
  return Object.entries(examples).map(([name, { value }]) => [`${place} ${name}`, node["schema"], value] as const);
});

test.each(mediaExamples)("the example at %s is what its schema says", (_place, schema, value) => {
  expect(faults(schema, value)).toBeUndefined();
});

const components = Object.entries(document.components.schemas).flatMap(([name, schema]) =>
  ((schema["examples"] as unknown[] | undefined) ?? []).map((value) => [name, value] as const),
);

test.each(components)("the example of %s is what its schema says", (name, value) => {
  expect(faults({ $ref: `#/components/schemas/${name}` }, value)).toBeUndefined();
});
