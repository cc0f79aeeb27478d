import { afterAll, beforeAll, expect, test } from "vitest";

import { known, startTestApp, type TestApp } from "../harness/app.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ AFTERCALL_HTTPS_ONLY: "true" });
});
afterAll(() => app.stop());

const ask = (method: string, path: string, body?: unknown) => app.ask(known.apiKey, method, path, body);
const url = "https://hooks.example.com/calls";
const pointersOf = (json: { errors?: { pointer: string }[] }) => json.errors?.map(({ pointer }) => pointer);

test("201: an endpoint with every kind of setting is made, read and changed over HTTP", async () => {
  const created = await ask("POST", "/v1/endpoints", {
    url,
    uid: "crm",
    filter: { "data.call.direction": "inbound" },
    format: "cloudevents",
    signature: { profile: "svix", with_standard: false },
    headers: { "X-Team": "blue", "X-Token": "t-1" },
    auth: { type: "bearer", token: "b-1" },
    rate: { limit: 10, per_seconds: 60 },
    order: { mode: "strict" },
    signing: "ed25519",
  });
  expect(created).toMatchObject({
    status: 201,
    json: {
      signature: { profile: "svix", with_standard: false, has_replay_protection: true },
      headers: { "X-Team": "blue", "X-Token": "********" },
      auth: { type: "bearer" },
      rate: { limit: 10, per_seconds: 60, burst: 10 },
      secret: expect.stringMatching(/^whsk_/) as string,
    },
  });
  const path = `/v1/endpoints/${created.json.id}`;
  const changed = await ask("PATCH", path, { headers: { "X-Team": null }, auth: null, filter: null });
  expect(changed).toMatchObject({
    status: 200,
    json: { headers: { "X-Token": "********" }, auth: null, filter: null },
  });
  const keys = await ask("GET", `${path}/public-keys`);
  expect(keys.json.public_keys[0].public_key).toMatch(/^whpk_/);
  expect((await ask("GET", path)).json).not.toHaveProperty("secret");
});

test.each<[string, object, string[]]>([
  ["an http URL where only https is accepted", { url: "http://hooks.example.com/" }, ["/url"]],
  ["a token URL over http", { url, auth: oauth2("http://token.example.com/") }, ["/auth/token_url"]],
  ["an operator that does not exist", { url, filter: { a: { $near: 1 } } }, ["/filter/a/$near"]],
  ["a path with a slash, escaped as RFC 6901 says", { url, filter: { "a/b": [] } }, ["/filter/a~1b"]],
  ["a header of the HTTP client", { url, headers: { Host: "x" } }, ["/headers/Host"]],
  ["a setting that does not exist", { url, colour: "blue" }, ["/colour"]],
  ["several fields at once", { url, timeout_ms: 1, rate: { limit: 0 } }, ["/timeout_ms", "/rate/limit"]],
])("422: %s is refused by its field", async (_name, body, pointers) => {
  const { status, json } = await ask("POST", "/v1/endpoints", body);
  expect({ status, pointers: pointersOf(json) }).toEqual({ status: 422, pointers });
});

function oauth2(token_url: string) {
  return { type: "oauth2", token_url, client_id: "id", client_secret: "secret" };
}

test("422: what cannot be changed names itself", async () => {
  const { json } = await ask("POST", "/v1/endpoints", { url });
  const changed = await ask("PATCH", `/v1/endpoints/${json.id}`, { kind: "operational", id: "ep_1" });
  expect(changed.status).toBe(422);
  expect(pointersOf(changed.json)?.toSorted()).toEqual(["/id", "/kind"]);
});

test("422: a header that is not the tenant's to set says who sets it", async () => {
  const { status, json } = await ask("POST", "/v1/endpoints", { url, headers: { Host: "a" } });
  expect([status, json.errors]).toEqual([
    422,
    [{ pointer: "/headers/Host", detail: "This header is set by the HTTP client, the signature or a proxy" }],
  ]);
});
