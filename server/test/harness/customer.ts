import { randomBytes, randomUUID } from "node:crypto";

import type { Call } from "@aftercall/contract/call.ts";
import type { CreatedEndpoint as CreatedEndpointSchema } from "@aftercall/contract/endpoint.ts";
import type { Event, Quarantined } from "@aftercall/contract/event.ts";
import type { Source } from "@aftercall/contract/source.ts";
import type { z } from "zod";

import type { Db } from "#/db/transaction.ts";
import { systemClock } from "#/kernel/clock.ts";

import { makeKey, type Answered } from "./api.ts";
import { known, type Answer, type Running, type Sent } from "./app.ts";
import type { Receiver } from "./receiver.ts";
import { signElevenlabs, signLivekit, signLivekitToken, signTwilio, signVapi, signWonderful } from "./sign.ts";
import { makeTenant, openLoopback } from "./tenant.ts";

type CreatedEndpoint = z.infer<typeof CreatedEndpointSchema>;

/** A tenant of the server under test and what its people do. */
export type Customer = {
  readonly tenantId: string;
  readonly key: string;
  ask(method: string, path: string, body?: unknown): Promise<Answered>;
  /** The same, for a request that must succeed. */
  get(path: string): Promise<Answered["json"]>;
  post(path: string, body: unknown): Promise<Answered["json"]>;
  /** Sends a file of past calls. */
  import(file: string, path?: string): Promise<Answered>;
  /** Connects a provider: a source with secrets of its own, on the given routes and under a URL of its own. */
  connect(provider: ProviderName, changes?: Record<string, unknown>): Promise<Line>;
  /** All calls, newest first. */
  calls(): Promise<Call[]>;
  /** All events, oldest first. */
  events(query?: string): Promise<Event[]>;
  /** Resolves when every call that is over has been settled by its pipeline. */
  settled(): Promise<void>;
  quarantine(): Promise<Quarantined[]>;
  /** Subscribes a receiver to messages. */
  subscribe(receiver: Receiver, changes?: Record<string, unknown>): Promise<CreatedEndpoint>;
};

export type ProviderName = "vapi" | "twilio" | "elevenlabs" | "livekit" | "wonderful";

/** A provider that sends to one source. */
export type Line = {
  readonly source: Source;
  readonly secret: string;
  /** Name of the key, where the provider names it (LiveKit's API key, Twilio's account). */
  readonly keyId: string;
  /** Signs a body for a URL; `path` where the provider has several. */
  sign(body: string | object, path?: string): Sent;
  /** Sends to the path kept from the given system. */
  given(body: string | object, path?: string): Promise<Answer>;
  /** Sends to the source's own URL. */
  own(body: string | object): Promise<Answer>;
};

type Player = {
  readonly path: string;
  readonly secretSlot: string;
  readonly hasKeyId: boolean;
  sign(body: string, with_: { readonly secret: string; readonly keyId: string; readonly url: string }): Sent;
};

const players: Readonly<Record<ProviderName, Player>> = {
  vapi: {
    path: "/api/webhooks/vapi",
    secretSlot: "secret",
    hasKeyId: false,
    sign: (body, { secret }) => signVapi(secret, body),
  },
  twilio: {
    path: "/webhook/call_status",
    secretSlot: "auth_token",
    hasKeyId: true,
    sign: (body, { secret, url }) => signTwilio(secret, url, body),
  },
  elevenlabs: {
    path: "/webhooks/elevenlabs/post-call",
    secretSlot: "secret",
    hasKeyId: false,
    sign: (body, { secret }) => signElevenlabs(secret, body),
  },
  livekit: {
    path: "/api/webhooks/call_completed",
    secretSlot: "api_secret",
    hasKeyId: true,
    sign: (body, { secret, keyId }) => signLivekitToken({ key: keyId, secret }, body),
  },
  wonderful: {
    path: "/api/webhooks/wonderful/call-complete",
    secretSlot: "secret",
    hasKeyId: false,
    sign: (body, { secret }) => signWonderful(secret, body),
  },
};

/** A new customer with a key and nothing else. */
export async function makeCustomer(app: Running): Promise<Customer> {
  const tenantId = await makeTenant(app.db);
  await openLoopback(app.db, tenantId);
  return customerOf(app, { tenantId, key: await makeKey(app.db, tenantId, "admin") });
}

/** A customer that is there already. */
export function customerOf(app: Running, { tenantId, key }: Pick<Customer, "tenantId" | "key">): Customer {
  const customer: Customer = {
    tenantId,
    key,
    ask: (method, path, body) => app.ask(key, method, path, body),
    get: (path) => succeed("GET", path),
    post: (path, body) => succeed("POST", path, body),
    import: (file, path = "/v1/imports") =>
      app.ask(key, "POST", path, new Blob([file], { type: "application/x-ndjson" })),
    connect: (provider, changes = {}) => connect(app, customer, provider, changes),
    calls: () => everything<Call>("/v1/calls?limit=100"),
    async events(query = "order=oldest") {
      await logSettled(app.db);
      return everything<Event>(`/v1/events?limit=100&${query}`);
    },
    settled: () => allSettled(app.db, tenantId),
    quarantine: () => everything<Quarantined>("/v1/quarantine?limit=100"),
    subscribe: ({ url }, changes = {}) => succeed("POST", "/v1/endpoints", { url, ...changes }),
  };
  return customer;

  async function succeed(method: string, path: string, body?: unknown): Promise<Answered["json"]> {
    const { status, json } = await app.ask(key, method, path, body);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(json)}`);
    return json;
  }

  async function everything<Item>(path: string): Promise<Item[]> {
    const items: Item[] = [];
    for (let cursor = ""; ;) {
      const page = await succeed("GET", `${path}${cursor}`);
      items.push(...page.data);
      if (!page.has_more) return items;
      cursor = `&cursor=${page.next_cursor}`;
    }
  }
}

/**
 * The event log holds back what is younger than a transaction that is still open, anywhere on the database server, so a
 * neighbouring test can hide an event for a moment. Resolves when everything that is open now is over.
 */
async function logSettled(db: Db): Promise<void> {
  const ask = async (sql: string, values: unknown[] = []): Promise<string> => {
    const [row] = await db.inTransaction([], (tx) => tx.rows<{ answer: string }>(sql, values));
    return row?.answer ?? "";
  };
  const open = await ask("select pg_snapshot_xmax(pg_current_snapshot())::text as answer");
  const isOver = () => ask("select (pg_snapshot_xmin(pg_current_snapshot()) >= $1::xid8)::text as answer", [open]);
  while ((await isOver()) !== "true") await systemClock.sleep(2);
}

/** Every call that is over is settled, and no pipeline has anything to do now. */
async function allSettled(db: Db, tenantId: string): Promise<void> {
  const unsettled = `select 1 from calls where tenant_id = $1 and merged_into is null
                        and announced @> '{call.ended}' and not announced @> '{call.completed}'`;
  const busy = `select 1 from pgboss.job where name in ('pipeline.run', 'pipeline.ask') and state < 'completed'
                   and start_after <= now() and data->>'tenantId' = $1`;
  const isAnyLeft = () =>
    db.inTransaction([tenantId], async (tx) => {
      const left = [await tx.rows(unsettled, [tenantId]), await tx.rows(busy, [tenantId])];
      return left.some((rows) => rows.length > 0);
    });
  while (await isAnyLeft()) await systemClock.sleep(5);
}

async function connect(
  app: Running,
  customer: Customer,
  provider: ProviderName,
  changes: Record<string, unknown>,
): Promise<Line> {
  const player = players[provider];
  const secret = randomToken("secret");
  const keyId = provider === "twilio" ? `AC${randomBytes(16).toString("hex")}` : randomToken("API");
  const source: Source = await customer.post("/v1/sources", {
    slug: randomToken(provider),
    provider,
    on_given_routes: true,
    secrets: [{ slot: player.secretSlot, value: secret, ...(player.hasKeyId && { key_id: keyId }) }],
    ...changes,
  });
  const sign = (body: string | object, path = player.path) =>
    player.sign(textOf(body), { secret, keyId, url: known.publicUrl + path });
  const ownPath = `/webhooks/${source.slug}`;
  return {
    source,
    secret,
    keyId,
    sign,
    given: (body, path = player.path) => app.post(path, sign(body, path)),
    own: (body) => app.post(ownPath, sign(body, ownPath)),
  };
}

/** LiveKit as the Call Outcomes API signs: the body's HMAC in a header of its own. */
export async function connectLivekitHmac(app: Running, customer: Customer, changes: object = {}): Promise<Line> {
  const value = randomToken("secret");
  const line = await customer.connect("livekit", { secrets: [{ slot: "secret", value }], ...changes });
  const sign = (body: string | object) => signLivekit(value, textOf(body));
  return {
    ...line,
    secret: value,
    sign,
    given: (body) => app.post(players.livekit.path, sign(body)),
    own: (body) => app.post(`/webhooks/${line.source.slug}`, sign(body)),
  };
}

function textOf(body: string | object): string {
  return typeof body === "string" ? body : JSON.stringify(body);
}

/** `vapi-4f0c…`: lower case, a new one every time. */
export function randomToken(prefix: string): string {
  return `${prefix}-${randomBytes(9).toString("hex")}`;
}

export function newCallSid(): string {
  return `CA${randomBytes(16).toString("hex")}`;
}

export const newUuid = randomUUID;
