import type { Route } from "@aftercall/contract/api.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";

import { createFakeClock } from "../../test/harness/clock.ts";
import { startHttp, type TestHttp } from "../../test/harness/http.ts";
import { registerApi } from "./api.ts";
import { createCursors } from "./cursors.ts";
import { createRates } from "./rates.ts";

const Thing = z.object({ name: z.string() });
const route = { path: "/v1/thing", role: "viewer", output: Thing } as const;
const routes = {
  getThing: { ...route, method: "GET", summary: "Get it" },
  changeThing: { ...route, method: "PATCH", summary: "Change it", body: z.strictObject({ name: z.string() }) },
  forgetfulThing: { ...route, path: "/v1/forgetful", method: "PATCH", summary: "Change it, whatever it is" },
} as const satisfies Record<string, Route>;

const clock = createFakeClock();
let http: TestHttp;
let thing: z.infer<typeof Thing>;
beforeAll(async () => {
  const caller = async ([key = ""]: readonly string[]) => {
    return { tenant: "t1", actor: { kind: "api_key", id: key, role: "owner" } } as const;
  };
  http = await startHttp((app) =>
    registerApi(app, {
      routes,
      auth: { caller },
      cursors: createCursors(Buffer.alloc(32)),
      rates: createRates({ readsPerMinute: 4, writesPerMinute: 2 }, clock),
      handlers: {
        getThing: async () => thing,
        async changeThing({ body, ifMatch }) {
          ifMatch?.(thing);
          return (thing = body);
        },
        forgetfulThing: async () => thing,
      },
    }),
  );
});
afterAll(() => http.close());

let count = 0;
/** A key that nobody has used yet, so that no limit is in the way. */
const newKey = () => `key-${++count}`;

async function ask(method: string, headers: Record<string, string>, path = "/v1/thing", name = "changed") {
  const body = method === "PATCH" && path === "/v1/thing" ? JSON.stringify({ name }) : undefined;
  const answer = await fetch(http.url + path, {
    method,
    headers: { authorization: newKey(), ...(body && { "content-type": "application/json" }), ...headers },
    ...(body && { body }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, json: text === "" ? null : JSON.parse(text) };
}

describe("an ETag", () => {
  test("304: nothing changed", async () => {
    thing = { name: "first" };
    const etag = (await ask("GET", {})).headers.get("etag") ?? "";
    expect(etag).toMatch(/^"[A-Za-z0-9_-]{22}"$/);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const answer = await ask("GET", { "if-none-match": known });
      expect([answer.status, answer.json, answer.headers.get("etag")]).toEqual([304, null, etag]);
    }
  });

  test("200: something did", async () => {
    thing = { name: "first" };
    const etag = (await ask("GET", {})).headers.get("etag") ?? "";
    thing = { name: "second" };
    const answer = await ask("GET", { "if-none-match": etag });
    expect([answer.status, answer.json]).toEqual([200, { name: "second" }]);
  });

  test("412: If-Match, and somebody was faster; nothing is changed then", async () => {
    thing = { name: "first" };
    const etag = (await ask("GET", {})).headers.get("etag") ?? "";
    const first = await ask("PATCH", { "if-match": etag }, "/v1/thing", "mine");
    const second = await ask("PATCH", { "if-match": etag }, "/v1/thing", "theirs");
    expect([first.status, second.status, second.json.code]).toEqual([200, 412, "precondition_failed"]);
    expect(thing).toEqual({ name: "mine" });
    const next = await ask("PATCH", { "if-match": first.headers.get("etag") ?? "" }, "/v1/thing", "again");
    expect(next.status).toBe(200);
  });

  test("412: a weak ETag is no guard against overwriting", async () => {
    const etag = (await ask("GET", {})).headers.get("etag") ?? "";
    expect((await ask("PATCH", { "if-match": `W/${etag}` })).status).toBe(412);
  });

  test("200: without If-Match, or with *, the last one wins", async () => {
    expect((await ask("PATCH", {})).status).toBe(200);
    expect((await ask("PATCH", { "if-match": "*" })).status).toBe(200);
  });

  test("500: a PATCH that never asked about it is a bug", async () => {
    expect((await ask("PATCH", { "if-match": "*" }, "/v1/forgetful")).status).toBe(500);
  });
});

describe("the limits per key", () => {
  test("429: reads and writes apart, each key for itself, with what is left in every answer", async () => {
    thing = { name: "first" };
    const key = { authorization: newKey() };
    const told = [];
    for (let i = 0; i < 5; i++) {
      const { status, headers } = await ask("GET", key);
      told.push([status, headers.get("ratelimit-policy"), headers.get("ratelimit"), headers.get("retry-after")]);
    }
    const policy = '"reads";q=4;w=60';
    expect(told).toEqual([
      [200, policy, '"reads";r=3;t=15', null],
      [200, policy, '"reads";r=2;t=30', null],
      [200, policy, '"reads";r=1;t=45', null],
      [200, policy, '"reads";r=0;t=60', null],
      [429, policy, '"reads";r=0;t=60', "15"],
    ]);
    const write = await ask("PATCH", key);
    expect([write.status, write.headers.get("ratelimit")]).toEqual([200, '"writes";r=1;t=30']);
    expect((await ask("GET", {})).status).toBe(200);

    await clock.advance(15_000);
    expect((await ask("GET", key)).status).toBe(200);
    const refused = await ask("GET", key);
    expect(refused.json).toMatchObject({
      status: 429,
      code: "too_many_requests",
      type: "https://calls.example.com/docs/problems/too_many_requests",
    });
  });
});
