import type { Handlers, Route } from "@aftercall/contract/api.ts";

import type { Db } from "#/db/transaction.ts";
import { registerApi } from "#/http/api.ts";
import { createAuth } from "#/http/auth.ts";
import { createCursors } from "#/http/cursors.ts";
import { systemClock } from "#/kernel/clock.ts";
import { createIds } from "#/kernel/ids.ts";
import { systemRandom } from "#/kernel/random.ts";
import { digest } from "#/kernel/secrets.ts";
import { createCredentials, makeApiKey } from "#/tenants/keys.ts";
import { insertKey } from "#/tenants/store.ts";

import { checkAnswer } from "./contract-check.ts";
import { ownConnection, startHttp, type TestHttp } from "./http.ts";

export type Answered = {
  readonly status: number;
  readonly headers: Headers;
  readonly json: ReturnType<typeof JSON.parse>;
};

export type TestApi = TestHttp & {
  /** Asks a route of /v1 with a key, and reads the answer. */
  ask(key: string, method: string, path: string, body?: unknown): Promise<Answered>;
};

/** A part of /v1 over real HTTP with real keys, without the rest of the server. */
export async function startApi<Table extends Record<string, Route>>(
  db: Db,
  routes: Table,
  handlers: Handlers<Table>,
  options: { jwtSecret?: string; credentials?: ReturnType<typeof createCredentials> } = {},
): Promise<TestApi> {
  const credentials = options.credentials ?? createCredentials({ db, clock: systemClock });
  const auth = createAuth({ clock: systemClock, jwtSecret: options.jwtSecret ?? null, ...credentials });
  const cursors = createCursors(Buffer.from("the key of this test's cursors"));
  const http = await startHttp((app) => registerApi(app, { routes, handlers, auth, cursors }));
  return {
    ...http,
    async ask(key, method, path, body) {
      const answer = await fetch(http.url + path, {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          ...ownConnection,
          ...(body !== undefined && { "content-type": "application/json" }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      checkAnswer(method, path, { status: answer.status, type: answer.headers.get("content-type") ?? "", text });
      return { status: answer.status, headers: answer.headers, json: text === "" ? null : JSON.parse(text) };
    },
  };
}

/** A key of a tenant. */
export async function makeKey(db: Db, tenant: string, role: Route["role"] = "admin"): Promise<string> {
  const key = makeApiKey(systemRandom, "dev");
  const id = createIds(systemClock).next();
  await db.inTransaction([tenant], (tx) =>
    insertKey(tx, {
      tenant_id: tenant,
      id,
      digest: digest(key),
      prefix: key.slice(0, 13),
      name: "test",
      role,
      expires_at: null,
    }),
  );
  return key;
}
