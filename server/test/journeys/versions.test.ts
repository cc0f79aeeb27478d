import { apiVersion, apiVersions } from "@aftercall/contract/version.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer } from "../harness/customer.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const ask = (path: string, headers: Readonly<Record<string, string>> = {}) => fetch(app.url + path, { headers });

test("every answer under /v1 says its version, refusals too, and nothing else does", async () => {
  const { key } = await makeCustomer(app);
  const authorization = `Bearer ${key}`;
  const versionOf = async (path: string, headers = {}) => (await ask(path, headers)).headers.get("aftercall-version");
  expect(await versionOf("/v1/calls", { authorization })).toBe(apiVersion);
  expect(await versionOf("/v1/calls")).toBe(apiVersion);
  expect(await versionOf("/v1/nothing", { authorization })).toBe(apiVersion);
  expect(await versionOf("/v1/calls?limit=0", { authorization })).toBe(apiVersion);
  expect(await versionOf("/healthz")).toBeNull();
});

test.each(apiVersions)("200: version %s is answered when it is asked for", async (version) => {
  const { key } = await makeCustomer(app);
  const answer = await ask("/v1/calls", { authorization: `Bearer ${key}`, "aftercall-version": version });
  expect([answer.status, answer.headers.get("aftercall-version")]).toEqual([200, version]);
});

test.each(["2000-01-01", "v1", "", `${apiVersion}, ${apiVersion}`])(
  "400: version %j is refused, and those that are spoken are named",
  async (version) => {
    const { key } = await makeCustomer(app);
    const answer = await ask("/v1/calls", { authorization: `Bearer ${key}`, "aftercall-version": version });
    const problem = (await answer.json()) as { code: string; detail: string; errors: { pointer: string }[] };
    expect([answer.status, problem.code]).toEqual([400, "unknown_version"]);
    expect(problem.detail).toContain(apiVersion);
    expect(problem.errors).toMatchObject([{ pointer: "Aftercall-Version" }]);
  },
);

test("keys and endpoints show the version they were made with, and keep it: also the key that is made in place of one", async () => {
  const customer = await makeCustomer(app);
  const key = await customer.post("/v1/api-keys", { name: "old" });
  const endpoint = await customer.post("/v1/endpoints", { url: "https://hooks.example.com/" });
  expect([key.api_version, endpoint.api_version]).toEqual([apiVersion, apiVersion]);
  // As if both had been made long ago.
  await app.db.inTransaction([customer.tenantId], async (tx) => {
    await tx.run("update api_keys set api_version = '2020-02-02' where name = 'old'");
    await tx.run("update endpoints set api_version = '2020-02-02'");
  });
  expect((await customer.post(`/v1/api-keys/${key.id}/rotate`, {})).api_version).toBe("2020-02-02");
  const changed = await customer.ask("PATCH", `/v1/endpoints/${endpoint.id}`, { description: "changed" });
  expect(changed.json.api_version).toBe("2020-02-02");
  // A shape that is spoken no more cannot be answered: the answer says which one it has.
  const answer = await ask("/v1/whoami", { authorization: `Bearer ${key.key}` });
  expect([answer.status, answer.headers.get("aftercall-version")]).toEqual([200, apiVersion]);
});
