import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import type { Route } from "@aftercall/contract/api.ts";
import { openApiOf } from "@aftercall/contract/openapi.ts";
import { routes } from "@aftercall/contract/routes.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";

import { registerApi } from "#/http/api.ts";
import { createCursors } from "#/http/cursors.ts";
import { digest } from "#/kernel/secrets.ts";
import { insertKey } from "#/tenants/store.ts";

import { makeKey } from "../harness/api.ts";
import { startTestApp, type TestApp } from "../harness/app.ts";
import { randomToken } from "../harness/customer.ts";
import { startHttp, type TestHttp } from "../harness/http.ts";
import { startReceiver, type Receiver } from "../harness/receiver.ts";
import { makeTenant } from "../harness/tenant.ts";
import { expectAudited } from "./audit.ts";
import { conflictsFor } from "./conflicts.ts";
import { key, type Requests, requestsFor } from "./requests.ts";
import { bodyFor, bodyOf, send, strange } from "./send.ts";
import { type Others, startOthers, storiesOf } from "./stories.ts";
import { type Ways, waysOf } from "./ways.ts";

/*
 * Every route × every status that the OpenAPI document says it can answer with, each by a request that gets it; and what
 * changes something leaves its entry in the audit log.
 */

let app: TestApp;
let limited: TestApp;
let broken: TestHttp;
let ways: Ways;
let receiver: Receiver;
let requests: Requests;
let conflicts: Requests;
let others: Others;
let dataDir: string;
let tenant: string;

beforeAll(async () => {
  receiver = await startReceiver();
  others = await startOthers();
  dataDir = await mkdtemp(path.join(tmpdir(), "statuses-"));
  app = await startTestApp({
    AFTERCALL_READS_PER_MINUTE: "0",
    AFTERCALL_WRITES_PER_MINUTE: "0",
    AFTERCALL_DATA_DIR: dataDir,
  });
  limited = await startTestApp({ AFTERCALL_READS_PER_MINUTE: "1", AFTERCALL_WRITES_PER_MINUTE: "1" });
  const { json } = await app.ask(key, "GET", "/v1/whoami");
  const [row] = await app.db.inTransaction([], (tx) =>
    tx.rows<{ id: string }>("select lookup_tenant($1) as id", [json.tenant.slug]),
  );
  tenant = row?.id ?? "";
  const stories = storiesOf(app, others, { tenantId: tenant, key });
  requests = requestsFor(app, receiver, stories);
  conflicts = conflictsFor(requests, app, stories);
  const stranger = await makeKey(app.db, await makeTenant(app.db), "owner");
  const scoped = randomToken("ac_dev_scoped");
  await app.db.inTransaction([tenant], (tx) =>
    insertKey(tx, {
      tenant_id: tenant,
      id: randomUUID(),
      digest: digest(scoped),
      prefix: "ac_dev",
      name: "scoped",
      role: "owner",
      scopes: ["nothing:read"],
      expires_at: null,
    }),
  );
  const failing = Object.fromEntries(
    Object.keys(routes).map((name) => [name, () => Promise.reject(new Error("a bug"))]),
  ) as never;
  const owner = { tenant: "t", actor: { kind: "api_key", id: "k", role: "owner" } } as const;
  broken = await startHttp((server) =>
    registerApi(server, {
      routes,
      handlers: failing,
      auth: { caller: async () => owner },
      cursors: createCursors(Buffer.alloc(32)),
    }),
  );
  ways = waysOf({ app, limited, broken, tenant, requests, stranger, scoped });
}, 120_000);
afterAll(async () => {
  await broken.close();
  await limited.stop();
  await app.stop();
  await receiver.close();
  await others.close();
  await rm(dataDir, { recursive: true });
});

async function succeed(name: string, route: Route, status: number): Promise<void> {
  const wanted = (await requests[name]?.()) ?? { path: route.path };
  const requestId = `status-${randomUUID()}`;
  const answer = await send(app.url, route, wanted.path, { ...bodyOf(wanted), headers: { "x-request-id": requestId } });
  expect(answer.status).toBe(status);
  if (route.method === "GET") return;
  await expectAudited(app.db, tenant, {
    ...{ name, method: route.method, requestId },
    ...{ sent: wanted.body, answered: answer.text },
  });
}

const document = openApiOf({ version: "test" }) as unknown as {
  paths: Record<string, Record<string, { operationId: string; responses: Record<string, unknown> }>>;
};
const documented = new Map(
  Object.values(document.paths).flatMap((methods) =>
    Object.values(methods).map(
      ({ operationId, responses }) => [operationId, Object.keys(responses).map(Number)] as const,
    ),
  ),
);
const table = Object.entries<Route>(routes).flatMap(([name, route]) =>
  (documented.get(name) ?? []).map((status) => ({ name, route, status })),
);

/** What is got without a request that succeeds. */
const needsNone = new Set([400, 401, 403, 413, 415, 429, 503]);

function isProved({ name, route, status }: (typeof table)[number]): boolean {
  if (needsNone.has(status) || (status === 422 && (route.body || route.query))) return true;
  if (isOfState({ route, status })) return name in conflictNames;
  return name in requestNames || (!route.path.includes(":") && !route.body);
}
const nobody = { url: "" } as never;
const requestNames = requestsFor(nobody, nobody, storiesOf(nobody, nobody, nobody));
const conflictNames = conflictsFor(requestNames, nobody, nobody);

/** A 409 that no Idempotency-Key gets: the state of the thing forbids it. */
function isOfState({ route, status }: Pick<(typeof table)[number], "route" | "status">): boolean {
  return status === 409 && route.method !== "POST";
}

const proved = table.filter((row) => isProved(row) && row.status !== 503 && !isOfState(row));
describe.each(Object.entries(Object.groupBy(proved, ({ status }) => status)))("%s", (_status, rows = []) => {
  test.each(rows.map((row) => [`${row.status}: ${row.name}`, row] as const))(
    "%s",
    async (_name, { name, route, status }) => {
      expect.hasAssertions();
      if (status === (route.status ?? 200)) return succeed(name, route, status);
      await ways[status]?.(name, route);
    },
  );
});

describe("503", () => {
  const rows = table.filter(({ status }) => status === 503);
  test("503: every route, while the database cannot be reached; and none of them when it is back", async () => {
    app.database.cut();
    const answers = await Promise.all(
      rows.map(async ({ name, route }) => [
        name,
        (await send(app.url, route, strange(route), { ...bodyFor(route), key: randomToken("k") })).status,
      ]),
    );
    app.database.restore();
    expect(answers.filter(([, status]) => status !== 503)).toEqual([]);
  });
});

test("nothing that is documented is left out", () => {
  expect(table.filter((row) => !isProved(row)).map(({ name, status }) => `${status}: ${name}`)).toEqual([]);
});

test.each(Object.keys(conflictNames))("409: %s, when the state of the thing forbids it", async (name) => {
  const route = (routes as Record<string, Route>)[name];
  const wanted = await conflicts[name]?.();
  if (!route || !wanted) throw new Error(`${name} is no route`);
  const { status, code } = await send(app.url, route, wanted.path, bodyOf(wanted));
  expect([status, code]).toEqual([409, conflictCodes[name] ?? "conflict"]);
});

const conflictCodes: Readonly<Record<string, string>> = {
  publishMessage: "duplicate_message",
  updateCall: "call_erased",
};

/** Lists of /v1, by what they answer with. */
const lists = Object.entries<Route>(routes).filter(
  ([, { query }]) => query instanceof z.ZodObject && "include" in query.shape,
);

test.each(lists)("200: %s says how many there are when it is asked, and only then", async (name, route) => {
  const { path } = (await requests[name]?.()) ?? { path: route.path };
  const ask = async (query: string) => JSON.parse((await send(app.url, route, `${path}?${query}`)).text);
  expect(await ask("limit=1")).not.toHaveProperty("total_estimate");
  const { total_estimate: total, data } = await ask("limit=1&include=total_estimate");
  expect(total).toEqual({ value: expect.any(Number), is_exact: expect.any(Boolean) });
  expect(total.value).toBeGreaterThanOrEqual(data.length);
});
