import type { Route } from "@aftercall/contract/api.ts";
import { idOf } from "@aftercall/contract/list.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { digest } from "#/kernel/secrets.ts";

import { createFakeClock } from "../../test/harness/clock.ts";
import { startHttp, type TestHttp } from "../../test/harness/http.ts";
import { registerApi } from "./api.ts";
import { createAuth } from "./auth.ts";
import { createCursors } from "./cursors.ts";

const routes = {
  getThing: {
    method: "GET",
    path: "/v1/things/:id",
    summary: "Get a thing",
    role: "viewer",
    params: z.object({ id: idOf("call") }),
    query: z.strictObject({ limit: z.coerce.number().int().max(10).default(5) }),
    output: z.object({ id: z.string(), limit: z.number() }),
  },
  makeThing: {
    method: "POST",
    path: "/v1/things",
    summary: "Make a thing",
    role: "member",
    body: z.strictObject({ name: z.string().min(2), setup: z.strictObject({ "a/b": z.number() }).optional() }),
    output: z.object({ name: z.string(), by: z.string(), tenant: z.string() }),
    status: 201,
  },
  dropThings: {
    method: "DELETE",
    path: "/v1/things",
    summary: "Drop all things",
    role: "owner",
    output: z.null(),
    status: 204,
  },
  brokenThing: {
    method: "GET",
    path: "/v1/broken",
    summary: "Get a broken thing",
    role: "viewer",
    output: z.object({ id: z.string() }),
  },
} as const satisfies Record<string, Route>;

let http: TestHttp;
beforeAll(async () => {
  const auth = createAuth({
    clock: createFakeClock(),
    jwtSecret: null,
    callerOfKey: async (wanted) => {
      const role = (["viewer", "member", "owner"] as const).find((one) => wanted.equals(digest(`ac_dev_${one}`)));
      return role ? { tenant: "t1", actor: { kind: "api_key", id: `key_${role}`, role } } : null;
    },
    membershipsOf: async () => [],
  });
  http = await startHttp((app) =>
    registerApi(app, {
      routes,
      auth,
      cursors: createCursors(Buffer.alloc(32)),
      handlers: {
        getThing: async ({ params, query }) => ({ id: params.id, limit: query.limit, secret: "hush" }),
        makeThing: async ({ body, actor, tenant }) => ({ name: body.name, by: actor.id, tenant }),
        dropThings: async () => null,
        brokenThing: async () => ({}) as { id: string },
      },
    }),
  );
});
afterAll(() => http.close());

async function ask(
  method: string,
  path: string,
  { role = "member", body, type = "application/json" }: { role?: string | null; body?: string; type?: string } = {},
) {
  const answer = await fetch(http.url + path, {
    method,
    headers: {
      ...(role && { authorization: `Bearer ac_dev_${role}` }),
      ...(body !== undefined && { "content-type": type }),
    },
    ...(body !== undefined && { body }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, json: text === "" ? null : JSON.parse(text) };
}

const uuid = "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";

test("200: the output is what the schema names, nothing more", async () => {
  const answer = await ask("GET", `/v1/things/${uuid}?limit=7`);
  expect([answer.status, answer.json]).toEqual([200, { id: uuid, limit: 7 }]);
  expect(answer.headers.get("cache-control")).toBe("no-store");
});

test("201: the handler is told who asks, from the credential alone", async () => {
  const answer = await ask("POST", "/v1/things", { body: '{"name":"door"}' });
  expect([answer.status, answer.json]).toEqual([201, { name: "door", by: "key_member", tenant: "t1" }]);
});

test("204: has no body", async () => {
  const answer = await ask("DELETE", "/v1/things", { role: "owner" });
  expect([answer.status, answer.json, answer.headers.get("content-type")]).toEqual([204, null, null]);
});

test("401: no credential, and the answer says which scheme", async () => {
  const answer = await ask("GET", `/v1/things/${uuid}`, { role: null });
  expect([answer.status, answer.json.code, answer.headers.get("www-authenticate")]).toEqual([
    401,
    "unauthorized",
    "Bearer",
  ]);
});

test("401: comes before anything about the body or the path", async () => {
  expect((await ask("POST", "/v1/things", { role: null, body: "{" })).status).toBe(401);
  expect((await ask("GET", "/v1/things/what", { role: null })).status).toBe(401);
});

test("403: the role is too low, and the answer says which is needed", async () => {
  const answer = await ask("POST", "/v1/things", { role: "viewer", body: '{"name":"door"}' });
  expect([answer.status, answer.json.code]).toEqual([403, "forbidden"]);
  expect(answer.json.detail).toContain("member");
});

test.each(["/v1/things/not-an-id", "/v1/things/abc%00def", "/v1/things/src_00000000000000000000000000"])(
  "404: %s names nothing",
  async (path) => {
    expect((await ask("GET", path)).json.code).toBe("not_found");
  },
);

test("405: the path exists", async () => {
  const answer = await ask("PUT", "/v1/things", { body: "{}" });
  expect([answer.status, answer.json.code, answer.headers.get("allow")]).toEqual([
    405,
    "method_not_allowed",
    "DELETE, POST",
  ]);
});

test.each([
  ["broken", "{"],
  ["an array", "[]"],
  ["a number", "7"],
  ["null", "null"],
  ["empty", ""],
  ["with one key twice", '{"name":"aa","name":"bb"}'],
  ["with __proto__", '{"name":"aa","__proto__":{"x":1}}'],
])("400: a body that is %s", async (_name, body) => {
  expect((await ask("POST", "/v1/things", { body })).status).toBe(400);
});

test("415: a form is no JSON", async () => {
  expect(
    (await ask("POST", "/v1/things", { body: "name=door", type: "application/x-www-form-urlencoded" })).status,
  ).toBe(415);
});

test("422: every refused field is named by a pointer", async () => {
  const answer = await ask("POST", "/v1/things", { body: '{"name":"a","setup":{"a/b":"x"},"nmae":1}' });
  expect(answer.status).toBe(422);
  expect(answer.json.errors.map((error: { pointer: string }) => error.pointer).toSorted()).toEqual([
    "/name",
    "/nmae",
    "/setup/a~1b",
  ]);
});

test("422: a query value is named with a question mark, an unknown one too", async () => {
  const answer = await ask("GET", `/v1/things/${uuid}?limit=99&limmit=1`);
  expect(answer.json.errors.map((error: { pointer: string }) => error.pointer).toSorted()).toEqual([
    "?limit",
    "?limmit",
  ]);
});

test("500: an answer that breaks its own schema is our bug, and is not sent", async () => {
  expect((await ask("GET", "/v1/broken")).json.code).toBe("internal");
});
