import { randomUUID } from "node:crypto";
import { request } from "node:http";

import type { Route } from "@aftercall/contract/api.ts";
import { expect } from "vitest";

import { fingerprintOf } from "#/http/idempotency.ts";

import type { TestApp } from "../harness/app.ts";
import { key, type Request, type Requests } from "./requests.ts";
import { bodyFor, bodyOf, random, send, type Sending, strange } from "./send.ts";

/** Servers and keys that a status may need. */
type World = {
  readonly app: TestApp;
  /** One that answers a single request in a minute. */
  readonly limited: { readonly url: string };
  /** One whose handlers all fail. */
  readonly broken: { readonly url: string };
  readonly tenant: string;
  readonly requests: Requests;
  /** A key of another tenant. */
  readonly stranger: string;
  /** A key whose scopes leave everything out. */
  readonly scoped: string;
};
export type Ways = Readonly<Record<number, (name: string, route: Route) => Promise<void>>>;

/** How each status is got, for any route. */
export function waysOf({ app, limited, broken, tenant, requests, stranger, scoped }: World): Ways {
  const ask = (route: Route, path: string, sending?: Sending) => send(app.url, route, path, sending);
  const valid = async (name: string, route: Route): Promise<Request> =>
    (await requests[name]?.()) ?? { path: route.path };
  return {
    304: async (name, route) => {
      const { path } = await valid(name, route);
      const etag = (await ask(route, path)).headers.get("etag") ?? "";
      // What counts as it goes may change in between; what has not changed is not sent again.
      let status = 0;
      for (let i = 0, known = etag; i < 20 && status !== 304; i++) {
        const again = await ask(route, path, { headers: { "if-none-match": known } });
        status = again.status;
        known = again.headers.get("etag") ?? "";
      }
      expect(status).toBe(304);
    },
    400: async (_name, route) => {
      const spoilt = route.body ? { body: "{" } : { headers: { "idempotency-key": "k".repeat(300) } };
      if (route.body || route.method === "POST") expect((await ask(route, random(route), spoilt)).status).toBe(400);
      const { status, code } = await ask(route, strange(route), { headers: { "aftercall-version": "2000-01-01" } });
      expect([status, code]).toEqual([400, "unknown_version"]);
    },
    401: async (_name, route) => {
      expect((await ask(route, strange(route), { ...bodyFor(route), key: null })).status).toBe(401);
    },
    403: async (_name, route) => {
      expect((await ask(route, strange(route), { ...bodyFor(route), key: scoped })).status).toBe(403);
    },
    404: async (name, route) => {
      expect((await ask(route, strange(route), bodyFor(route))).status).toBe(404);
      const wanted = await valid(name, route);
      const unknown = wanted.path.replaceAll(/(?<=\/)(?:[a-z]+_[0-9a-z]{26}|lead\.q\w+)/g, () => randomUUID());
      expect(unknown).not.toBe(wanted.path);
      expect((await ask(route, unknown, bodyOf(wanted))).status).toBe(404);
      // What is of another tenant is not there either; whole tenants are the operator's alone.
      const foreign = await ask(route, wanted.path, { ...bodyOf(wanted), key: stranger });
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
      const { status, code } = await ask(route, wanted.path, {
        ...bodyOf(wanted),
        headers: { "idempotency-key": used },
      });
      expect([status, code]).toEqual([409, "idempotency_key_in_use"]);
    },
    412: async (name, route) => {
      const wanted = await valid(name, route);
      const answer = await ask(route, wanted.path, { ...bodyOf(wanted), headers: { "if-match": '"of another"' } });
      expect(answer.status).toBe(412);
    },
    413: async (_name, route) => {
      if (route.bodyLines) {
        const headers = {
          "content-type": "application/x-ndjson",
          "content-length": String((route.bodyBytesMax ?? 0) + 1),
        };
        return expect(await statusFor(app.url + random(route), route.method, headers)).toBe(413);
      }
      const body = JSON.stringify({ x: "x".repeat(route.bodyBytesMax ?? 1_000_000) });
      expect((await ask(route, strange(route), { body })).status).toBe(413);
    },
    415: async (_name, route) => {
      const spoilt = { body: "x", headers: { "content-type": "text/plain" } };
      expect((await ask(route, strange(route), spoilt)).status).toBe(415);
    },
    422: async (name, route) => {
      const path = random(route);
      if (route.query) return expect((await ask(route, `${path}?unknown=1`)).status).toBe(422);
      if (route.body) return expect((await ask(route, path, { body: '{"unknown":1}' })).status).toBe(422);
      const used = randomUUID();
      const headers = { "idempotency-key": used, "content-type": "application/json" };
      const first = await fetch(`${app.url}/v1/campaigns`, {
        method: "POST",
        headers: { ...headers, authorization: `Bearer ${key}` },
        body: '{"name":"first"}',
      });
      expect(first.status).toBe(201);
      const wanted = await valid(name, route);
      expect((await ask(route, wanted.path, { headers: { "idempotency-key": used } })).code).toBe(
        "idempotency_key_reused",
      );
    },
    429: async (_name, route) => {
      const statuses = [];
      for (let i = 0; i < 2; i++)
        statuses.push((await send(limited.url, route, strange(route), bodyFor(route))).status);
      expect(statuses.at(-1)).toBe(429);
    },
    500: async (name, route) => {
      const wanted = await valid(name, route);
      const { status, code } = await send(broken.url, route, wanted.path, bodyOf(wanted));
      expect([status, code]).toEqual([500, "internal"]);
    },
  };
}

/** The status that a request gets for what it says of its body, before a byte of it. */
function statusFor(url: string, method: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const given = { authorization: `Bearer ${key}`, ...headers };
    const asking = request(url, { method, headers: given }, (answer) => {
      resolve(answer.statusCode);
      asking.destroy();
    });
    asking.on("error", reject).flushHeaders();
  });
}
