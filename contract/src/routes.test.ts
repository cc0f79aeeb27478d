import { expect, test } from "vitest";
import { z } from "zod";

import type { Route } from "./api.ts";
import { routes } from "./routes.ts";

const all = Object.entries<Route>(routes);

test("no two routes share a method and a path", () => {
  const places = all.map(([, route]) => `${route.method} ${route.path.replace(/:[a-z_]+/g, ":")}`);
  expect(places.toSorted()).toEqual([...new Set(places)].toSorted());
});

test.each(all)("%s refuses fields it does not know", (_name, route) => {
  for (const schema of [route.body, route.query]) {
    if (!schema) continue;
    expect(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" })).toMatchObject({
      additionalProperties: false,
    });
  }
});

test.each(all)("%s reads every parameter of its path, and only these", (_name, route) => {
  const inPath = [...route.path.matchAll(/:([a-z_]+)/g)].map(([, name = ""]) => name);
  const read = route.params instanceof z.ZodObject ? Object.keys(route.params.shape) : [];
  expect(read.toSorted()).toEqual(inPath.toSorted());
});

test.each(all)("%s is under /v1", (_name, route) => {
  expect(route.path).toMatch(/^\/v1\/[a-z0-9/_:-]+$/);
  expect([200, 201, 202, 204]).toContain(route.status ?? 200);
});

test.each(all.filter(([, route]) => route.method === "GET"))("%s has no body, as every GET", (_name, route) => {
  expect(route.body).toBeUndefined();
});

test.each(all.filter(([, route]) => route.status === 204))("%s has no output, as every 204", (_name, route) => {
  expect(route.output).toBeInstanceOf(z.ZodNull);
});
