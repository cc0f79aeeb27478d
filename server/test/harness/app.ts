import { tmpdir } from "node:os";

import { startApp } from "#/app.ts";
import { openAppPool } from "#/db/connect.ts";
import type { Db } from "#/db/transaction.ts";
import { createDb } from "#/db/transaction.ts";
import { createWake } from "#/db/wake.ts";
import { type Clock, systemClock } from "#/kernel/clock.ts";
import { loadConfig } from "#/kernel/config.ts";
import { silentLog } from "#/kernel/log.ts";
import { systemRandom as random } from "#/kernel/random.ts";

import type { Answered } from "./api.ts";
import { checkAnswer } from "./contract-check.ts";
import { startDatabaseProxy, type DatabaseProxy } from "./database-proxy.ts";
import { discardDatabase, ownDatabase, type TestDatabase } from "./database.ts";
import { ownConnection } from "./http.ts";

/** What the default sources of a test's server hold, and the operator's key. */
export const known = {
  publicUrl: "https://calls.example.com",
  apiKey: "key-of-the-operator-of-this-test",
  jwtSecret: "secret-of-the-tokens-of-this-test",
} as const;

/** The environment of a test's server; every secret is known, so nothing is made up or written to disk. */
export function environment(): Record<string, string> {
  return {
    PORT: "0",
    PUBLIC_URL: known.publicUrl,
    AFTERCALL_SECRET: "root-key-of-this-test-0123456789abcdef",
    AFTERCALL_API_KEY: known.apiKey,
    JWT_SECRET: known.jwtSecret,
    AFTERCALL_PRIVATE_TARGETS: "127.0.0.0/8",
    AFTERCALL_LOG_LEVEL: "silent",
    // All tests come from one address, and many with wrong keys.
    AFTERCALL_AUTH_FAILURES_PER_MINUTE: "0",
    VAPI_WEBHOOK_SECRET: "default-vapi-secret",
    LIVEKIT_WEBHOOK_SECRET: "default-livekit-secret",
    LIVEKIT_API_KEY: "APIdefault",
    LIVEKIT_API_SECRET: "default-livekit-api-secret",
    ELEVENLABS_WEBHOOK_SECRET: "wsec_default-elevenlabs-secret",
    TWILIO_AUTH_TOKEN: "default-twilio-token",
    WONDERFUL_WEBHOOK_SECRET: "default-wonderful-secret",
  };
}

export type Answer = {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  /** Status and body together, for comparing an answer byte for byte. */
  readonly said: readonly [number, string];
};

/** What somebody sends: a POST with this text. */
export type Sent = { readonly headers: Readonly<Record<string, string>>; readonly body: string };

/** A server under test, wherever it runs. */
export type Running = {
  readonly url: string;
  readonly db: Db;
  /** Posts to a path of the server, as a provider does. */
  post(path: string, sent: Sent): Promise<Answer>;
  /** Asks /v1 with a key. A Blob is sent as it is, anything else as JSON. */
  ask(key: string, method: string, path: string, body?: unknown): Promise<Answered>;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
};

export type TestApp = Running & {
  /** Stands between the server and its database. */
  readonly database: DatabaseProxy;
  stop(): Promise<void>;
};

export type TestAppOptions = {
  /** Default: that of this machine. */
  readonly clock?: Clock;
  /** A database that others use as well, and that is not dropped with this server. */
  readonly shared?: TestDatabase;
};

/** The whole server over real HTTP, on a database of its own. Tests inside one file share it, each with its own tenant. */
export async function startTestApp(
  env: Record<string, string> = {},
  { clock = systemClock, shared }: TestAppOptions = {},
): Promise<TestApp> {
  const own = shared ?? (await ownDatabase());
  const proxy = await startDatabaseProxy(own.connection);
  const { connection } = proxy;
  const log = silentLog();
  const appPool = openAppPool({ connection, name: "test", log, mayExit: true });
  const wake = createWake({ connection, log, clock });
  const database = { connection, appPool, db: createDb(appPool), wake, close: async () => {} };
  const loaded = loadConfig({ env: { ...environment(), ...env }, cwd: tmpdir() });
  const app = await startApp({ loaded, database, log, clock, random });

  return {
    ...running(app.url, own.db),
    database: proxy,
    async stop() {
      proxy.restore();
      await app.stop();
      await wake.stop();
      await appPool.end();
      await proxy.close();
      if (!shared) await discardDatabase(own);
    },
  };
}

/** How tests speak to the server at `url`. */
export function running(url: string, db: Db): Running {
  return {
    url,
    db,
    post: async (path, { headers, body }) =>
      answerOf(
        "POST",
        path,
        await fetch(url + path, { method: "POST", headers: { ...headers, ...ownConnection }, body }),
      ),
    get: async (path, headers = {}) =>
      answerOf("GET", path, await fetch(url + path, { headers: { ...headers, ...ownConnection } })),
    async ask(key, method, path, body) {
      const type = body instanceof Blob ? body.type : "application/json";
      const answer = await fetch(url + path, {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          ...ownConnection,
          ...(body !== undefined && { "content-type": type }),
        },
        ...(body !== undefined && { body: body instanceof Blob ? body : JSON.stringify(body) }),
      });
      const text = await answer.text();
      checkAnswer(method, path, { status: answer.status, type: answer.headers.get("content-type") ?? "", text });
      return { status: answer.status, headers: answer.headers, json: readBody(text, answer.headers) };
    },
  };
}

/** What is no JSON is the text itself. */
function readBody(text: string, headers: Headers): Answered["json"] {
  if (text === "") return null;
  return /\bjson\b/.test(headers.get("content-type") ?? "") ? JSON.parse(text) : text;
}

async function answerOf(method: string, path: string, answer: Response): Promise<Answer> {
  const { status, headers } = answer;
  const text = await answer.text();
  checkAnswer(method, path, { status, type: headers.get("content-type") ?? "", text });
  return { status, text, headers, said: [status, text] };
}
