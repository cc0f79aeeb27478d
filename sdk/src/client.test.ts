import type { ServerResponse } from "node:http";

import type { Route } from "@aftercall/contract/api.ts";
import { routes as contractRoutes } from "@aftercall/contract/routes.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { createClient } from "./client.ts";
import type { ConnectionOptions } from "./connection.ts";
import { AftercallError } from "./error.ts";
import { paginate } from "./paginate.ts";
import { routes } from "./routes.ts";
import { startTestServer, type TestServer } from "./test-server.ts";

let server: TestServer;
let slept: number[] = [];
beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(() => {
  slept = [];
});
afterAll(() => server.close());

const sleep = async (ms: number) => void slept.push(ms);
const client = (options: ConnectionOptions = {}) =>
  createClient({ baseUrl: server.url, token: "key", sleep, ...options });
const problem = (status: number, code: string, headers: Record<string, string> = {}) => ({
  status,
  headers: { "content-type": "application/problem+json", ...headers },
  body: {
    type: `https://example.com/problems/${code}`,
    title: code,
    status,
    detail: `Detail of ${code}`,
    instance: "/v1/calls",
    code,
    request_id: "req_1",
  },
});
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable("it has to fail"),
    (error: unknown) => (error instanceof AftercallError ? error : expect.unreachable(String(error))),
  );

test("lines come as they are sent; given up it throws the signal's reason, and broken off an error that says so", async () => {
  const line = (cursor: string) => `${JSON.stringify({ kind: "call", cursor, data: {} })}\n`;
  const aftercall = createClient({ baseUrl: server.url });
  const half = (end: (response: ServerResponse) => void) => (_request: unknown, response: ServerResponse) => {
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    response.write(line("a") + line("b").slice(0, 10), () => end(response));
  };
  const read = async (signal?: AbortSignal, seen = () => {}) => {
    for await (const { cursor } of aftercall.exportTenant({}, { signal })) {
      expect(cursor).toBe("a");
      seen();
    }
  };
  server.answer(half((response) => setImmediate(() => response.destroy())));
  expect(await failureOf(read())).toMatchObject({ status: 200, code: "network", detail: "The answer broke off" });
  server.answer(half(() => {}));
  const leaving = new AbortController();
  await expect(read(leaving.signal, () => leaving.abort(new Error("enough")))).rejects.toThrow("enough");
});

test("the table is the contract's, route by route; `npm run docs` writes it anew", () => {
  const rows = Object.entries<Route>(contractRoutes).map(([name, { method, path, query, body, bodyLines, media }]) => {
    const ids = path.replace(/^\/v1/, "").replaceAll(/:\w+/g, ":");
    const takes = [body && "!", bodyLines && "<", query && "?", media === "application/x-ndjson" && ">"];
    return [name, [method === "GET" ? "" : `${method} `, ids, ...takes].filter(Boolean).join("")];
  });
  expect(routes).toEqual(Object.fromEntries(rows));
});

describe("a request", () => {
  test("has its ids encoded into the path, its query as the server reads it, and the token", async () => {
    server.answer({ body: { data: [] } });
    await client().listCalls({ status: ["ended", "failed"], limit: 5, provider: undefined });
    await client().getCall("a/b?c#d é");
    await client().deleteSourceSecret("src_1", "sec_2");
    expect(server.arrived.map(({ method, url, body }) => [method, url, body])).toEqual([
      ["GET", "/v1/calls?status=ended%2Cfailed&limit=5", ""],
      ["GET", "/v1/calls/a%2Fb%3Fc%23d%20%C3%A9", ""],
      ["DELETE", "/v1/sources/src_1/secrets/sec_2", ""],
    ]);
    expect(server.arrived[0]?.headers).toMatchObject({ authorization: "Bearer key", host: new URL(server.url).host });
  });

  test("has its body as JSON, an empty one where everything in it is optional", async () => {
    server.answer({});
    await client().createEndpoint({ url: "https://example.com/hooks" });
    await client().updateEndpoint("ep_1", { description: "ש" });
    await client().replayEvents();
    expect(server.arrived.map(({ method, url, body }) => [method, url, body])).toEqual([
      ["POST", "/v1/endpoints", '{"url":"https://example.com/hooks"}'],
      ["PATCH", "/v1/endpoints/ep_1", '{"description":"ש"}'],
      ["POST", "/v1/events/replay", "{}"],
    ]);
    expect(server.arrived[0]?.headers["content-type"]).toBe("application/json");
  });

  test.each(["", ".", ".."])("never goes out for the id '%s', which would name something else", async (id) => {
    server.answer({});
    await expect(client().deleteEndpoint(id)).rejects.toThrow(TypeError);
    expect(server.arrived).toEqual([]);
  });

  test("asks for the token each time, so one that was renewed counts at once", async () => {
    server.answer(problem(503, "unavailable"), {});
    const tokens = ["first", "second"];
    await client({ token: async () => tokens.shift() ?? null }).whoami();
    expect(server.arrived.map(({ headers }) => headers.authorization)).toEqual(["Bearer first", "Bearer second"]);
  });

  test("without a token has no Authorization", async () => {
    server.answer({});
    await client({ token: () => null }).whoami();
    expect(server.arrived[0]?.headers.authorization).toBeUndefined();
  });
});

describe("an answer", () => {
  test("that is no JSON is its text, and an empty one is null", async () => {
    server.answer(
      { body: "id,reason\n", headers: { "content-type": "text/csv; charset=utf-8" } },
      { status: 204, body: "" },
    );
    expect(await client().exportUndelivered()).toBe("id,reason\n");
    expect(await client().deleteSource("src_1")).toBeNull();
  });

  test("422: an error with the code, the words, the request's id and the fields", async () => {
    const errors = [{ pointer: "/url", detail: "Not a URL" }];
    const refusal = problem(422, "invalid");
    server.answer({ ...refusal, body: { ...refusal.body, errors } });
    const error = await failureOf(client().createEndpoint({ url: "nowhere" }));
    expect(error).toMatchObject({
      status: 422,
      code: "invalid",
      requestId: "req_1",
      errors,
      message: "Detail of invalid",
    });
  });

  test("502: of a proxy is an error as well, with the beginning of what it says", async () => {
    server.answer({ status: 502, body: "<html>Bad gateway</html>", headers: { "x-request-id": "r-9" } });
    expect(await failureOf(client().whoami())).toMatchObject({ status: 502, code: "not_a_problem", requestId: "r-9" });
    expect(slept).toEqual([]);
  });

  test("200: that is cut off is no success", async () => {
    server.answer({ body: '{"id":', headers: { "content-type": "application/json" } });
    expect(await failureOf(client().whoami())).toMatchObject({ code: "not_a_problem" });
  });
});

describe("a retry", () => {
  test("waits for as long as the server asks", async () => {
    server.answer(problem(429, "too_many_requests", { "retry-after": "7" }), problem(503, "unavailable"), {
      body: { id: "call_1" },
    });
    expect(await client().getCall("call_1")).toEqual({ id: "call_1" });
    expect(slept[0]).toBe(7_000);
    expect(slept[1]).toBeGreaterThanOrEqual(250);
    expect(slept[1]).toBeLessThanOrEqual(500);
  });

  test("waits for a date as well", async () => {
    const date = new Date(Date.now() + 5_000).toUTCString();
    server.answer(problem(503, "unavailable", { "retry-after": date }), {});
    await client().whoami();
    expect(slept[0]).toBeGreaterThan(3_000);
    expect(slept[0]).toBeLessThanOrEqual(5_000);
  });

  test("is not made when the server asks for more time than there is", async () => {
    server.answer(problem(429, "too_many_requests", { "retry-after": "31" }));
    expect(await failureOf(client().whoami())).toMatchObject({ status: 429, retryAfterSeconds: 31 });
    expect(server.arrived).toHaveLength(1);
  });

  test("is made twice at most", async () => {
    server.answer(problem(503, "unavailable", { "retry-after": "0" }));
    await failureOf(client().whoami());
    expect(server.arrived).toHaveLength(3);
  });

  test("of a POST keeps the Idempotency-Key, and another POST has another one", async () => {
    server.answer(problem(503, "unavailable", { "retry-after": "0" }), { status: 201 });
    await client().createEndpoint({ url: "https://example.com" });
    await client().createEndpoint({ url: "https://example.com" });
    const [first, again, other] = server.arrived.map(({ headers }) => headers["idempotency-key"]);
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  test("of a POST whose first try is still being answered gets its answer", async () => {
    server.answer(problem(409, "idempotency_key_in_use", { "retry-after": "1" }), {
      status: 201,
      body: { id: "ep_1" },
    });
    const made = await client().createEndpoint({ url: "https://example.com" }, { idempotencyKey: "mine" });
    expect([made.id, server.arrived.map(({ headers }) => headers["idempotency-key"])]).toEqual([
      "ep_1",
      ["mine", "mine"],
    ]);
  });

  test("is made when the connection is cut without an answer", async () => {
    server.answer((_request, response) => response.destroy(), {});
    await client().whoami();
    expect(server.arrived).toHaveLength(2);
  });

  test("is not made of a PATCH, nor of a refusal", async () => {
    server.answer(problem(503, "unavailable", { "retry-after": "0" }));
    await failureOf(client().updateEndpoint("ep_1", {}));
    expect(server.arrived).toHaveLength(1);
    server.answer(problem(404, "not_found"));
    await failureOf(client().getCall("call_1"));
    expect(server.arrived).toHaveLength(1);
  });
});

describe("giving up", () => {
  const never = () => {};

  test("a server that does not answer is an error after the timeout", async () => {
    server.answer(never);
    expect(await failureOf(client().whoami({ timeoutMs: 20 }))).toMatchObject({ status: 0, code: "timeout" });
    expect(server.arrived).toHaveLength(1);
  });

  test("a server that is not there is an error with its cause", async () => {
    const error = await failureOf(client({ baseUrl: "http://127.0.0.1:1", retriesMax: 0 }).whoami());
    expect(error).toMatchObject({ status: 0, code: "network", requestId: null });
    expect(error.cause).toBeInstanceOf(Error);
  });

  test("an aborted request throws the reason of its signal, and is not repeated", async () => {
    const leaving = new AbortController();
    server.answer(() => leaving.abort(new Error("left")));
    await expect(client().whoami({ signal: leaving.signal })).rejects.toThrow("left");
    expect(server.arrived).toHaveLength(1);
  });

  test("a wait ends with the signal", async () => {
    const leaving = new AbortController();
    server.answer((_request, response) => {
      response.writeHead(503, { "retry-after": "20" }).end("{}");
      setTimeout(() => leaving.abort(new Error("left")), 10);
    });
    const impatient = createClient({ baseUrl: server.url });
    await expect(impatient.whoami({ signal: leaving.signal })).rejects.toThrow("left");
  });
});

test("paginate gives every row once, with the query on every page, and only as many pages as are read", async () => {
  const page = (ids: string[], next: string | null) => ({
    body: { data: ids.map((id) => ({ id })), next_cursor: next, has_more: next !== null },
  });
  server.answer(page(["a", "b"], "c1"), page(["c"], "c2"), page(["d"], null));
  const ids: string[] = [];
  for await (const { id } of paginate(client().listCalls, { limit: 2 })) ids.push(id);
  expect(ids).toEqual(["a", "b", "c", "d"]);
  expect(server.arrived.map(({ url }) => url)).toEqual([
    "/v1/calls?limit=2",
    "/v1/calls?limit=2&cursor=c1",
    "/v1/calls?limit=2&cursor=c2",
  ]);
  server.answer(page(["a"], "c1"));
  for await (const { id } of paginate(client().listCalls)) if (id === "a") break;
  expect(server.arrived).toHaveLength(1);
});

test("a client that does not know where its server is says so when it is made", () => {
  expect(() => createClient({})).toThrow("Give a baseUrl");
  expect(() => createClient({ baseUrl: "calls.example.com" })).toThrow(TypeError);
  expect(createClient({ baseUrl: "https://example.com/calls/" }).connection.baseUrl).toBe("https://example.com/calls");
});
