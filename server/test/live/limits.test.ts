import { connect } from "node:net";

import { afterAll, beforeAll, expect, test } from "vitest";

import { notify } from "#/db/wake.ts";
import { systemClock } from "#/kernel/clock.ts";
import { createIds } from "#/kernel/ids.ts";
import { liveLimits } from "#/live/limits.ts";
import { sweepChanges } from "#/live/sweep.ts";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newUuid, type Customer } from "../harness/customer.ts";
import { createFollower, follow, openSocket } from "./clients.ts";

let app: TestApp;
beforeAll(async () => {
  // What intake alone tells; the pipeline of a call tells more, later.
  app = await startTestApp({ AFTERCALL_ANALYSIS: "off" });
});
afterAll(() => app.stop());

const ids = createIds(systemClock);

/** Tells listeners of many turns of 4 kB without the webhooks that would bring them. */
async function speak(customer: Customer, count: number): Promise<void> {
  await app.db.inTransaction([customer.tenantId], async (tx) => {
    await notify(tx, "changes");
    await tx.run(
      `insert into changes (tenant_id, kind, call_id, payload)
       select $1, 'transcription', $2, $3::json from generate_series(1, $4)`,
      [
        customer.tenantId,
        ids.next(),
        JSON.stringify({
          at: 1_772_460_000_000,
          turn: { role: "agent", text: "x".repeat(4_000), start_ms: null, is_final: true },
          aliases: [["generic", "loud"]],
        }),
        count,
      ],
    );
  });
}

type Raw = {
  /** The server has begun to answer. */
  readonly opened: Promise<void>;
  /** Reads on, and gives everything that came until the server had closed the connection. */
  read(): Promise<string>;
};

/** A client that sends bytes, hears the beginning of the answer, and then reads nothing until it is told to. */
function connectRaw(lines: readonly string[], body = ""): Raw {
  const { hostname, port } = new URL(app.url);
  const chunks: Buffer[] = [];
  const socket = connect({ host: hostname, port: Number(port) }, () => {
    socket.write(Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body}`, "latin1"));
  });
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const opened = new Promise<void>((resolve) => {
    socket.once("data", (chunk) => {
      socket.pause();
      chunks.push(chunk);
      resolve();
    });
  });
  return {
    opened,
    async read() {
      await opened;
      socket.on("data", (chunk) => chunks.push(chunk));
      socket.resume();
      await closed;
      return Buffer.concat(chunks).toString("latin1");
    },
  };
}

const turnsIn = (text: string) => text.split('"is_final"').length - 1;

const upgrade = (key: string) => [
  "GET /v1/ws HTTP/1.1",
  "Host: x",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  `Sec-WebSocket-Protocol: aftercall.v1, bearer.${key}`,
];

test("a stream that does not read is dropped, and the others hear everything", async () => {
  const customer = await makeCustomer(app);
  const other = await follow(app.url, customer.key, { topics: "call:loud" });
  const slow = connectRaw([
    "GET /v1/stream?topics=call:loud HTTP/1.1",
    "Host: x",
    `Authorization: Bearer ${customer.key}`,
  ]);
  await slow.opened;
  for (let round = 0; round < 10; round++) {
    await speak(customer, 300);
    await other.until(() => other.items.length === (round + 1) * 300);
  }
  expect(turnsIn(await slow.read())).toBeLessThan(3_000);
  expect(other.items).toHaveLength(3_000);
  other.cut();
});

test("a socket that does not read is dropped, and the others hear everything", async () => {
  const customer = await makeCustomer(app);
  const other = await openSocket(app.url, customer.key);
  await other.subscribe("loud");
  const frame = Buffer.from(JSON.stringify({ action: "subscribe", identifier: "loud" }));
  const masked = Buffer.concat([Buffer.from([0x81, 0x80 | frame.length, 0, 0, 0, 0]), frame]);
  const slow = connectRaw(upgrade(customer.key), masked.toString("latin1"));
  await slow.opened;
  await other.subscribe("*");
  for (let round = 0; round < 10; round++) {
    const before = other.frames.length;
    await speak(customer, 300);
    await other.until(before + 300);
  }
  expect(turnsIn(await slow.read())).toBeLessThan(3_000);
  other.close();
});

test("whoever missed more than may wait for a client is given all of it, and is not taken for a slow one", async () => {
  const customer = await makeCustomer(app);
  const stream = await follow(app.url, customer.key, { topics: "call:loud" });
  const socket = createFollower(customer.key, ["loud"]);
  await socket.listen(app.url, (client) => client.until(1));
  stream.cut();
  await stream.ended;
  // 6 MB, more than a page, and more than memory gives.
  const count = 1_500;
  await speak(customer, count);
  const again = await follow(app.url, customer.key, { topics: "call:loud", lastEventId: stream.lastEventId() });
  await again.until(() => again.items.length === count);
  await socket.listen(app.url, (client) => client.until(({ type }) => type === "resumed"));
  expect(socket.turns).toHaveLength(count);
  again.cut();
});

test("a connection has so many subscriptions and no more; the ones it has go on", async () => {
  const customer = await makeCustomer(app);
  const client = await openSocket(app.url, customer.key);
  for (let n = 0; n < liveLimits.subscriptionsMax; n += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, m) => client.subscribe(`name-${n + m}`)));
  }
  client.send({ action: "subscribe", identifier: "one-more" });
  await client.until(({ type }) => type === "error");
  expect(client.frames.at(-1)).toMatchObject({ type: "error", code: "too_many_subscriptions" });
  client.send({ action: "unsubscribe", identifier: "name-0" });
  expect(await client.subscribe("one-more")).toMatchObject({ type: "subscribed" });
  client.close();
});

test("a client that floods the server with frames is closed", async () => {
  const customer = await makeCustomer(app);
  const client = await openSocket(app.url, customer.key);
  for (let n = 0; n < 1_000; n++) client.send({ action: "subscribe", identifier: `n-${n}` });
  expect((await client.closed).code).toBe(1008);
});

test("a page of another origin opens no socket", async () => {
  const customer = await makeCustomer(app);
  const refused = connectRaw([...upgrade(customer.key), "Origin: https://evil.example"]);
  expect(await refused.read()).toMatch(/^HTTP\/1\.1 403/);
});

test("400: somebody who comes without an upgrade is told what this is", async () => {
  const { status, text } = await app.get("/v1/ws");
  expect([status, JSON.parse(text).code]).toEqual([400, "bad_request"]);
});

test("an offer to upgrade to HTTP/2 loses no webhook: it is answered as any other", async () => {
  const customer = await makeCustomer(app);
  const line = await customer.connect("vapi");
  const { headers, body } = line.sign({ message: { type: "hang", timestamp: Date.now(), call: { id: newUuid() } } });
  const named = Object.entries({ ...headers, "content-length": String(Buffer.byteLength(body)) });
  const client = connectRaw(
    [
      `POST /webhooks/${line.source.slug} HTTP/1.1`,
      "Host: x",
      "Connection: Upgrade, HTTP2-Settings, close",
      "Upgrade: h2c",
      "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
      ...named.map(([name, value]) => `${name}: ${value}`),
    ],
    body,
  );
  expect(await client.read()).toMatch(/^HTTP\/1\.1 200/);
  expect(await customer.events()).toHaveLength(1);
});

test("a change that cannot be read keeps nobody from hearing the next one, and no webhook from its answer", async () => {
  const customer = await makeCustomer(app);
  const line = await customer.connect("vapi");
  const client = await follow(app.url, customer.key);
  await app.db.inTransaction([customer.tenantId], (tx) =>
    tx.run("insert into changes (tenant_id, kind, payload) values ($1, 'call', '[]')", [customer.tenantId]),
  );
  const { status } = await line.own({
    message: { type: "end-of-call-report", timestamp: 1, call: { id: newUuid() }, endedReason: "customer-ended-call" },
  });
  expect(status).toBe(200);
  expect(await client.until(({ event }) => event === "call")).toHaveLength(1);
  client.cut();
});

test("old changes are removed tenant by tenant, young ones stay", async () => {
  const [customer, neighbour] = [await makeCustomer(app), await makeCustomer(app)];
  for (const { tenantId } of [customer, neighbour]) {
    await app.db.inTransaction([tenantId], (tx) =>
      tx.run(
        `insert into changes (tenant_id, kind, payload, created_at)
         select $1, 'call', '{}', now() - interval '50 hours' from generate_series(1, 40)`,
        [tenantId],
      ),
    );
    await app.db.inTransaction([tenantId], (tx) =>
      tx.run("insert into changes (tenant_id, kind, payload) values ($1, 'call', '{}')", [tenantId]),
    );
  }
  expect(await sweepChanges(app.db)).toBeGreaterThanOrEqual(80);
  for (const { tenantId } of [customer, neighbour]) {
    const [row] = await app.db.inTransaction([tenantId], (tx) =>
      tx.rows<{ count: number }>("select count(*)::int as count from changes where tenant_id = $1", [tenantId]),
    );
    expect(row?.count).toBe(1);
  }
});

test("a commit writes one row for each call, whatever happened to it", async () => {
  const customer = await makeCustomer(app);
  const line = await customer.connect("vapi");
  await line.own({
    message: { type: "end-of-call-report", timestamp: 1, call: { id: newUuid() }, endedReason: "customer-ended-call" },
  });
  const rows = await app.db.inTransaction([customer.tenantId], (tx) =>
    tx.rows<{ kind: string; types: string }>(
      "select kind, payload->>'types' as types from changes where tenant_id = $1",
      [customer.tenantId],
    ),
  );
  expect(rows).toEqual([{ kind: "call", types: '["call.started","call.ended","call.completed"]' }]);
});
