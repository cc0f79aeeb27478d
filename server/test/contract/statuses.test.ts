import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { request as ask } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";

import type { Route } from "@aftercall/contract/api.ts";
import { openApiOf } from "@aftercall/contract/openapi.ts";
import { routes } from "@aftercall/contract/routes.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { registerApi } from "#/http/api.ts";
import { createCursors } from "#/http/cursors.ts";
import { fingerprintOf } from "#/http/idempotency.ts";
import { digest } from "#/kernel/secrets.ts";
import { insertKey } from "#/tenants/store.ts";

import { makeKey } from "../harness/api.ts";
import { startTestApp, type TestApp } from "../harness/app.ts";
import { checkAnswer } from "../harness/contract-check.ts";
import { randomToken } from "../harness/customer.ts";
import { startHttp, type TestHttp } from "../harness/http.ts";
import { startReceiver, type Receiver } from "../harness/receiver.ts";
import { makeTenant } from "../harness/tenant.ts";
import { expectAudited } from "./audit.ts";
import { conflictsFor } from "./conflicts.ts";
import { key, type Request, type Requests, requestsFor } from "./requests.ts";
import { type Others, startOthers, storiesOf } from "./stories.ts";

/*
 * Every route × every status that the OpenAPI document says it can answer with, each by a request that gets it; and what
 * changes something leaves its entry in the audit log.
 */

let app: TestApp;
let limited: TestApp;
let broken: TestHttp;
let receiver: Receiver;
let requests: Requests;
let conflicts: Requests;
let others: Others;
let dataDir: string;
let tenant: string;
/** A key of another tenant. */
let stranger: string;
/** A key whose scopes leave everything out. */
const scoped = randomToken("ac_dev_scoped");

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
  stranger = await makeKey(app.db, await makeTenant(app.db), "owner");
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
}, 120_000);
afterAll(async () => {
  await broken.close();
  await limited.stop();
  await app.stop();
  await receiver.close();
  await others.close();
  await rm(dataDir, { recursive: true });
});

type Sending = {
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly file?: string;
  readonly url?: string;
  readonly key?: string | null;
};

/** Sends bytes as they are; the answer is held against its schema. */
async function send(
  route: Route,
  path: string,
  { headers = {}, url = app.url, key: used = key, ...sent }: Sending = {},
) {
  const { body = sent.file } = sent;
  const type = sent.file === undefined ? "application/json" : "application/x-ndjson";
  const answer = await fetch(url + path, {
    method: route.method,
    headers: {
      ...(used !== null && { authorization: `Bearer ${used}` }),
      ...(body !== undefined && { "content-type": type }),
      ...headers,
    },
    ...(body !== undefined && { body }),
  });
  const text = await answer.text();
  const media = answer.headers.get("content-type") ?? "";
  checkAnswer(route.method, path, { status: answer.status, type: media, text });
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    code: /\+json/.test(media) ? JSON.parse(text).code : null,
  };
}

/** The path with ids of nothing. */
function strange(route: Route): string {
  return route.path.replaceAll(/:\w+/g, () => "not.an-id");
}
/** The path with ids that have the form of one. */
function random(route: Route): string {
  return route.path.replaceAll(/:\w+/g, (name) => (name === ":step" ? "score" : randomUUID()));
}
const bodyFor = (route: Route): Sending => (route.body ? { body: "{}" } : route.bodyLines ? { file: "{}\n" } : {});

async function valid(name: string, route: Route): Promise<Request> {
  const made = requests[name];
  return made ? made() : { path: route.path };
}
function bodyOf({ body, file }: Request): Sending {
  if (file !== undefined) return { file };
  return body === undefined ? {} : { body: JSON.stringify(body) };
}

/** The status that a request gets for what it says of its body, before a byte of it. */
function statusFor(route: Route, path: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const given = { authorization: `Bearer ${key}`, ...headers };
    const asking = ask(app.url + path, { method: route.method, headers: given }, (answer) => {
      resolve(answer.statusCode);
      asking.destroy();
    });
    asking.on("error", reject).flushHeaders();
  });
}

/** How each status is got, for any route. */
const ways: Readonly<Record<number, (name: string, route: Route) => Promise<void>>> = {
  304: async (name, route) => {
    const { path } = await valid(name, route);
    const etag = (await send(route, path)).headers.get("etag") ?? "";
    // What counts as it goes may change in between; what has not changed is not sent again.
    let status = 0;
    for (let i = 0, known = etag; i < 20 && status !== 304; i++) {
      const again = await send(route, path, { headers: { "if-none-match": known } });
      status = again.status;
      known = again.headers.get("etag") ?? "";
    }
    expect(status).toBe(304);
  },
  400: async (_name, route) => {
    const spoilt = route.body ? { body: "{" } : { headers: { "idempotency-key": "k".repeat(300) } };
    expect((await send(route, random(route), spoilt)).status).toBe(400);
  },
  401: async (_name, route) => {
    expect((await send(route, strange(route), { ...bodyFor(route), key: null })).status).toBe(401);
  },
  403: async (_name, route) => {
    expect((await send(route, strange(route), { ...bodyFor(route), key: scoped })).status).toBe(403);
  },
  404: async (name, route) => {
    expect((await send(route, strange(route), bodyFor(route))).status).toBe(404);
    const wanted = await valid(name, route);
    const unknown = wanted.path.replaceAll(/(?<=\/)(?:[a-z]+_[0-9a-z]{26}|lead\.q\w+)/g, () => randomUUID());
    expect(unknown).not.toBe(wanted.path);
    expect((await send(route, unknown, bodyOf(wanted))).status).toBe(404);
    // What is of another tenant is not there either; whole tenants are the operator's alone.
    const foreign = await send(route, wanted.path, { ...bodyOf(wanted), key: stranger });
    expect(foreign.status).toBe(route.path.startsWith("/v1/tenants/") ? 403 : 404);
  },
  409: async (name, route) => {
    // The request was done once, and the process that did it died before it could keep its answer.
    const wanted = await valid(name, route);
    const used = randomUUID();
    const body = wanted.body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(wanted.body));
    const { json } = await app.ask(key, "GET", "/v1/whoami");
    await app.db.inTransaction([tenant], (tx) =>
      tx.run(
        `insert into idempotency_keys (tenant_id, actor, key, fingerprint, holder_id, locked_until, effected_at, expires_at)
         values ($1, $2, $3, $4, $5, now() - interval '1 minute', now(), now() + interval '1 hour')`,
        [tenant, json.actor.id, used, fingerprintOf(route.method, wanted.path, body), randomUUID()],
      ),
    );
    const { status, code } = await send(route, wanted.path, {
      ...bodyOf(wanted),
      headers: { "idempotency-key": used },
    });
    expect([status, code]).toEqual([409, "idempotency_key_in_use"]);
  },
  412: async (name, route) => {
    const wanted = await valid(name, route);
    const answer = await send(route, wanted.path, { ...bodyOf(wanted), headers: { "if-match": '"of another"' } });
    expect(answer.status).toBe(412);
  },
  413: async (_name, route) => {
    if (route.bodyLines) {
      const headers = {
        "content-type": "application/x-ndjson",
        "content-length": String((route.bodyBytesMax ?? 0) + 1),
      };
      return expect(await statusFor(route, random(route), headers)).toBe(413);
    }
    const body = JSON.stringify({ x: "x".repeat(route.bodyBytesMax ?? 1_000_000) });
    expect((await send(route, strange(route), { body })).status).toBe(413);
  },
  415: async (_name, route) => {
    const spoilt = { body: "x", headers: { "content-type": "text/plain" } };
    expect((await send(route, strange(route), spoilt)).status).toBe(415);
  },
  422: async (name, route) => {
    const path = random(route);
    if (route.query) return expect((await send(route, `${path}?unknown=1`)).status).toBe(422);
    if (route.body) return expect((await send(route, path, { body: '{"unknown":1}' })).status).toBe(422);
    const used = randomUUID();
    const headers = { "idempotency-key": used, "content-type": "application/json" };
    const first = await fetch(`${app.url}/v1/campaigns`, {
      method: "POST",
      headers: { ...headers, authorization: `Bearer ${key}` },
      body: '{"name":"first"}',
    });
    expect(first.status).toBe(201);
    const wanted = await valid(name, route);
    expect((await send(route, wanted.path, { headers: { "idempotency-key": used } })).code).toBe(
      "idempotency_key_reused",
    );
  },
  429: async (_name, route) => {
    const url = limited.url;
    const statuses = [];
    for (let i = 0; i < 2; i++) statuses.push((await send(route, strange(route), { ...bodyFor(route), url })).status);
    expect(statuses.at(-1)).toBe(429);
  },
  500: async (name, route) => {
    const wanted = await valid(name, route);
    const { status, code } = await send(route, wanted.path, { ...bodyOf(wanted), url: broken.url });
    expect([status, code]).toEqual([500, "internal"]);
  },
};

async function succeed(name: string, route: Route, status: number): Promise<void> {
  const wanted = await valid(name, route);
  const requestId = `status-${randomUUID()}`;
  const answer = await send(route, wanted.path, { ...bodyOf(wanted), headers: { "x-request-id": requestId } });
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
        (await send(route, strange(route), { ...bodyFor(route), key: randomToken("k") })).status,
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
  const { status, code } = await send(route, wanted.path, bodyOf(wanted));
  expect([status, code]).toEqual([409, name === "publishMessage" ? "duplicate_message" : "conflict"]);
});
