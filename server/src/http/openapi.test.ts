import { readFileSync } from "node:fs";

import { openApiOf } from "@aftercall/contract/openapi.ts";
import { compatibilityPaths } from "@aftercall/contract/openapi/compatibility.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { providers } from "#/providers/index.ts";

import { startHttp, type TestHttp } from "../../test/harness/http.ts";
import { registerOpenApi } from "./openapi.ts";

let http: TestHttp;
beforeAll(async () => {
  http = await startHttp((app) => registerOpenApi(app, { version: "1.2.3" }));
});
afterAll(() => http.close());

test("200: the document is drawn from this version's contract", async () => {
  const answer = await fetch(`${http.url}/openapi.json`);
  expect(answer.headers.get("content-type")).toBe("application/vnd.oai.openapi+json;version=3.1; charset=utf-8");
  expect(await answer.json()).toEqual(JSON.parse(JSON.stringify(openApiOf({ version: "1.2.3" }))));
});

test("304: who has it already does not get it again", async () => {
  const etag = (await fetch(`${http.url}/openapi.json`)).headers.get("etag") ?? "";
  expect(etag).toMatch(/^"[\w-]{22}"$/);
  const again = await fetch(`${http.url}/openapi.json`, { headers: { "if-none-match": etag } });
  expect([again.status, await again.text()]).toEqual([304, ""]);
});

test("the file in docs/reference is current: npm run docs", () => {
  const file = readFileSync(new URL("../../../docs/reference/openapi.json", import.meta.url), "utf8");
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  expect(file === `${JSON.stringify(openApiOf({ version }), null, 2)}\n`).toBe(true);
});

test("every route kept from a given system is described, and no other", () => {
  const given = providers.flatMap(({ givenRoutes }) => givenRoutes.map(({ method, path }) => `${method} ${path}`));
  const outcome = ["GET /api/calls/{callId}/outcome", "GET /api/webhooks/call_completed/health"];
  const described = Object.entries(compatibilityPaths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, operation]) =>
      (operation as { tags: string[] }).tags.includes("Compatibility") ? [`${method.toUpperCase()} ${path}`] : [],
    ),
  );
  expect(described.toSorted()).toEqual([...given, ...outcome].toSorted());
});
