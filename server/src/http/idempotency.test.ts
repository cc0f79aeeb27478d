import { randomUUID } from "node:crypto";

import type { Route } from "@aftercall/contract/api.ts";
import { idempotencyKeyOf } from "@aftercall/contract/idempotency.ts";
import * as fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { z } from "zod";

import { systemClock } from "#/kernel/clock.ts";
import { Conflict } from "#/kernel/errors.ts";
import { createIds } from "#/kernel/ids.ts";
import { silentLog } from "#/kernel/log.ts";
import { createSecretBox } from "#/kernel/secrets.ts";
import { createCredentials } from "#/tenants/keys.ts";

import { makeKey } from "../../test/harness/api.ts";
import { testDatabase } from "../../test/harness/database.ts";
import { startHttp } from "../../test/harness/http.ts";
import { makeTenant } from "../../test/harness/tenant.ts";
import { registerApi } from "./api.ts";
import { createAuth } from "./auth.ts";
import { createCursors } from "./cursors.ts";
import { createIdempotency, sweepIdempotencyKeys } from "./idempotency.ts";

const { db } = await testDatabase();
const ids = createIds(systemClock);

const makeThing = {
  method: "POST",
  path: "/v1/things",
  summary: "Make a thing",
  role: "member",
  body: z.strictObject({ name: z.string(), fate: z.enum(["refuse", "break"]).optional() }),
  output: z.object({ id: z.string(), name: z.string() }),
  status: 201,
} as const satisfies Route;
const routes = {
  makeThing,
  makeOther: { ...makeThing, path: "/v1/others" },
  listThings: {
    method: "GET",
    path: "/v1/things",
    summary: "List things",
    role: "viewer",
    output: z.object({ at: z.string() }),
  },
} as const satisfies Record<string, Route>;

/** What a test holds up: a request that reached the place waits until it is let go. */
const gates = new Map<string, { reached: () => void; open: Promise<void> }>();
async function pass(name: string, place: "before" | "after"): Promise<void> {
  const gate = gates.get(`${name} ${place}`);
  gates.delete(`${name} ${place}`);
  gate?.reached();
  await gate?.open;
}
function holdAt(name: string, place: "before" | "after") {
  const reached = Promise.withResolvers<void>();
  const open = Promise.withResolvers<void>();
  gates.set(`${name} ${place}`, { reached: reached.resolve, open: open.promise });
  return { reached: reached.promise, letGo: open.resolve };
}

/** A clock on which waiting takes no time. */
function hastyClock() {
  let passed = 0;
  const sleep = async (ms: number) => {
    passed += ms;
    await systemClock.sleep(1);
  };
  return { now: () => systemClock.now(), monotonic: () => passed, sleep };
}

/** A process: what it knows is its own, the database is everybody's. */
async function startNode(clock = systemClock) {
  const box = createSecretBox("the same root secret in every process");
  const idempotency = createIdempotency({ db, box, ids, clock, log: silentLog() });
  const auth = createAuth({ clock, jwtSecret: null, ...createCredentials({ db, clock }) });
  const make = async ({ tenant, body }: { tenant: string; body: z.output<typeof makeThing.body> }) => {
    await pass(body.name, "before");
    const id = await idempotency.db.inTransaction([tenant], async (tx) => {
      if (body.fate === "refuse") throw new Conflict("Not now");
      const made = ids.next();
      await tx.run("insert into users (tenant_id, id, external_id) values ($1, $2, $3)", [tenant, made, made]);
      return made;
    });
    await pass(body.name, "after");
    if (body.fate === "break") throw new Error("a bug after the effect");
    return { id, name: body.name };
  };
  const handlers = { makeThing: make, makeOther: make, listThings: async () => ({ at: ids.next() }) };
  return startHttp((app) =>
    registerApi(app, { routes, auth, handlers, idempotency, cursors: createCursors(Buffer.alloc(32)) }),
  );
}

const [one, other, hasty] = await Promise.all([startNode(), startNode(), startNode(hastyClock())]);
afterAll(() => Promise.all([one.close(), other.close(), hasty.close()]));

async function makeCustomer() {
  const tenant = await makeTenant(db);
  const apiKey = await makeKey(db, tenant, "member");
  return {
    tenant,
    post: (key: string | null, body: unknown, { at = one, path = "/v1/things", as = apiKey } = {}) =>
      send(at.url + path, as, "POST", key, JSON.stringify(body)),
    get: (key: string) => send(`${one.url}/v1/things`, apiKey, "GET", key),
    effects: async () => (await db.inTransaction([tenant], (tx) => tx.rows("select from users"))).length,
    keys: () =>
      db.inTransaction([tenant], (tx) =>
        tx.rows<{ key: string; sealed_answer: Buffer | null }>("select key, sealed_answer from idempotency_keys"),
      ),
    /** As if the time of its keys were over: their lease, or the day they are kept. */
    lapse: (column: "locked_until" | "expires_at") =>
      db.inTransaction([tenant], (tx) => tx.run(`update idempotency_keys set ${column} = now() - interval '1 second'`)),
  };
}

async function send(url: string, apiKey: string, method: string, key: string | null, body?: string) {
  const headers = {
    authorization: `Bearer ${apiKey}`,
    ...(key !== null && { "idempotency-key": key }),
    ...(body !== undefined && { "content-type": "application/json" }),
  };
  const answer = await fetch(url, { method, headers, ...(body !== undefined && { body }) });
  return {
    status: answer.status,
    isReplay: answer.headers.get("idempotency-replayed") === "true",
    retryAfter: answer.headers.get("retry-after"),
    text: await answer.clone().text(),
    json: await answer.json(),
  };
}

test("201: the same request again gives the same answer, from any process, and is not done again", async () => {
  const { post, effects } = await makeCustomer();
  const first = await post("k-1", { name: "door" });
  const again = await post("k-1", { name: "door" }, { at: other });
  const quoted = await post('"k-1"', { name: "door" });
  expect([first.status, first.isReplay]).toEqual([201, false]);
  for (const repeat of [again, quoted]) {
    expect([repeat.status, repeat.isReplay, repeat.text]).toEqual([201, true, first.text]);
  }
  expect(await effects()).toBe(1);
});

test("201: it is not done again by a process that starts later", async () => {
  const { post, effects } = await makeCustomer();
  const first = await post("k-1", { name: "door" });
  const restarted = await startNode();
  const again = await post("k-1", { name: "door" }, { at: restarted });
  await restarted.close();
  expect([again.isReplay, again.text, await effects()]).toEqual([true, first.text, 1]);
});

test("201: of twenty at once in two processes one is done, and all get its answer", async () => {
  const { post, effects } = await makeCustomer();
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => post("k-1", { name: "door" }, { at: i % 2 ? one : other })),
  );
  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  expect(answers.filter(({ isReplay }) => !isReplay)).toHaveLength(1);
  expect(await effects()).toBe(1);
});

test("201: without a key, and with another, it is a new request", async () => {
  const { post, effects } = await makeCustomer();
  for (const key of [null, null, "k-1", "k-2"]) expect((await post(key, { name: "door" })).status).toBe(201);
  expect(await effects()).toBe(4);
});

test("201: two credentials do not meet in one key", async () => {
  const { tenant, post, effects } = await makeCustomer();
  const second = await makeKey(db, tenant, "member");
  await post("k-1", { name: "door" });
  expect(await post("k-1", { name: "window" }, { as: second })).toMatchObject({ status: 201, isReplay: false });
  expect(await effects()).toBe(2);
});

test("200: a GET does not know the header, whatever it says", async () => {
  const { get, keys } = await makeCustomer();
  const [first, again] = [await get("k-1"), await get("k-1")];
  expect([first.status, again.status, first.text === again.text]).toEqual([200, 200, false]);
  expect((await get("x".repeat(256))).status).toBe(200);
  expect(await keys()).toEqual([]);
});

test.each(["", "x".repeat(256), '"open', '"in"side"', "ключ"])("400: %j is no key", async (key) => {
  const { post, effects } = await makeCustomer();
  // A header travels as bytes; fetch takes those of Latin-1 only.
  const answer = await post(Buffer.from(key, "utf8").toString("latin1"), { name: "door" });
  expect([answer.status, answer.json.code]).toEqual([400, "idempotency_key_invalid"]);
  expect(await effects()).toBe(0);
});

test("422: a key is bound to the body and the path of its first request", async () => {
  const { post, effects } = await makeCustomer();
  await post("k-1", { name: "door" });
  const otherBody = await post("k-1", { name: "window" }, { at: other });
  const otherPath = await post("k-1", { name: "door" }, { path: "/v1/others" });
  const otherQuery = await post("k-1", { name: "door" }, { path: "/v1/things?dry=1" });
  for (const answer of [otherBody, otherPath, otherQuery]) {
    expect([answer.status, answer.json.code]).toEqual([422, "idempotency_key_reused"]);
  }
  expect(await effects()).toBe(1);
});

test("409: a refusal is not kept, so the key is free again", async () => {
  const { post, effects, keys } = await makeCustomer();
  expect((await post("k-1", { name: "door", fate: "refuse" })).status).toBe(409);
  expect((await post("k-1", { name: 5 })).status).toBe(422);
  expect(await keys()).toEqual([]);
  expect(await post("k-1", { name: "door" })).toMatchObject({ status: 201, isReplay: false });
  expect(await effects()).toBe(1);
});

test("409: while the first request goes on, a repeat waits only so long", async () => {
  const { post, effects } = await makeCustomer();
  const gate = holdAt("slow", "before");
  const first = post("k-1", { name: "slow" });
  await gate.reached;
  const repeat = await post("k-1", { name: "slow" }, { at: hasty });
  expect([repeat.status, repeat.json.code, repeat.retryAfter]).toEqual([409, "idempotency_key_in_use", "1"]);
  gate.letGo();
  expect((await first).status).toBe(201);
  expect(await effects()).toBe(1);
});

test("201: what died before it had an effect is done by the repeat, and comes to nothing if it wakes up", async () => {
  const { post, effects, lapse } = await makeCustomer();
  const gate = holdAt("paused", "before");
  const paused = post("k-1", { name: "paused" });
  await gate.reached;
  await lapse("locked_until");
  const repeat = await post("k-1", { name: "paused" }, { at: other });
  expect([repeat.status, repeat.isReplay]).toEqual([201, false]);
  gate.letGo();
  expect(await paused).toMatchObject({ status: 409, json: { code: "idempotency_key_in_use" } });
  expect(await post("k-1", { name: "paused" })).toMatchObject({ isReplay: true, text: repeat.text });
  expect(await effects()).toBe(1);
});

test("409: what died between its effect and its answer is never done again", async () => {
  const { post, effects, lapse } = await makeCustomer();
  const gate = holdAt("dying", "after");
  const dying = post("k-1", { name: "dying" });
  await gate.reached;
  await lapse("locked_until");
  const repeat = await post("k-1", { name: "dying" }, { at: other });
  expect([repeat.status, repeat.json.code]).toEqual([409, "idempotency_key_in_use"]);
  expect(repeat.json.detail).toContain("answer was lost");
  gate.letGo();
  await dying;
  expect(await effects()).toBe(1);
});

test("500: a failure of ours after the effect is not answered again, and not done again", async () => {
  const { post, effects } = await makeCustomer();
  expect((await post("k-1", { name: "door", fate: "break" })).status).toBe(500);
  const repeat = await post("k-1", { name: "door", fate: "break" });
  expect([repeat.status, repeat.json.code]).toEqual([409, "idempotency_key_in_use"]);
  expect(await effects()).toBe(1);
});

test("a kept answer cannot be read in the database: it may hold a new API key", async () => {
  const { post, keys } = await makeCustomer();
  const name = randomUUID();
  await post("k-1", { name });
  const [row] = await keys();
  expect(row?.sealed_answer?.includes(name)).toBe(false);
});

test("a key is forgotten after its time, and swept away", async () => {
  const { post, effects, keys, lapse } = await makeCustomer();
  await post("k-1", { name: "door" });
  await lapse("expires_at");
  expect(await post("k-1", { name: "window" })).toMatchObject({ status: 201, isReplay: false });
  await post("k-2", { name: "door" });
  await sweepIdempotencyKeys(db);
  expect(await keys()).toHaveLength(2);
  await lapse("expires_at");
  await sweepIdempotencyKeys(db);
  expect(await keys()).toEqual([]);
  expect(await effects()).toBe(3);
});

const printable = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 255 });

test("every printable text of 1 to 255 characters is a key in quotes", () => {
  fc.assert(
    fc.property(printable, (text) => {
      expect(idempotencyKeyOf(`"${text.replace(/["\\]/g, "\\$&")}"`)).toBe(text);
    }),
  );
});

test("and without quotes, if it does not begin with one and a header can hold its ends", () => {
  const bare = printable.filter((text) => text === text.trim() && !text.startsWith('"'));
  fc.assert(
    fc.property(bare, (text) => {
      expect(idempotencyKeyOf(text)).toBe(text);
    }),
  );
});
