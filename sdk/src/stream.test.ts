import type { ServerResponse } from "node:http";

import { afterAll, beforeAll, expect, test } from "vitest";

import { createClient } from "./client.ts";
import { openStream, type StreamItem, type StreamOptions, type StreamStatus } from "./stream.ts";
import { type Arrived, startTestServer, type TestServer } from "./test-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const item = (id: string, name = "call") => `id: ${id}\nevent: ${name}\ndata: {"id":"${id}"}\n\n`;

/** Sends this and stays open, or ends. */
const streamed = (text: string, { ends = true } = {}) => {
  return (_request: Arrived, response: ServerResponse) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    if (ends) response.end(text);
    else response.write(text);
  };
};

async function collect(count: number, options: Partial<StreamOptions> = {}) {
  const slept: number[] = [];
  const statuses: StreamStatus[] = [];
  const sleep = async (ms: number) => void slept.push(ms);
  const { connection } = createClient({ baseUrl: server.url, token: "key", sleep });
  const items: StreamItem[] = [];
  const onStatus = (status: StreamStatus) => void statuses.push(status);
  for await (const one of openStream(connection, { topics: ["calls"], onStatus, ...options })) {
    items.push(one);
    if (items.length === count) break;
  }
  return { ids: items.map(({ data }) => ("id" in data ? data.id : data)), items, slept, statuses };
}

test("items come as they happen, with the token and the topics, and leaving closes the connection", async () => {
  const closed = new Promise<void>((resolve) => {
    server.answer((request, response) => {
      response.on("close", resolve);
      streamed(`retry: 2000\nid: 0\n\n${item("1")}`, { ends: false })(request, response);
    });
  });
  const { ids, items, statuses } = await collect(1, { topics: ["call:CA 1/2", "campaign:cmp_1"] });
  await closed;
  expect([ids, items[0]?.event, statuses]).toEqual([["1"], "call", ["connecting", "live"]]);
  expect(server.arrived[0]?.url).toBe("/v1/stream?topics=call%3ACA%201%2F2,campaign%3Acmp_1");
  expect(server.arrived[0]?.headers).toMatchObject({ authorization: "Bearer key", accept: "text/event-stream" });
});

test("a stream that is cut goes on after the last item it had, and after a heartbeat", async () => {
  server.answer(
    streamed(`${item("1")}${item("2")}id: 3\nevent: ca`),
    (_request, response) => response.destroy(),
    streamed("id: 7\n: still here\n\n"),
    streamed(item("8")),
  );
  const { ids, statuses, slept } = await collect(3);
  expect(ids).toEqual(["1", "2", "8"]);
  expect(server.arrived.map(({ headers }) => headers["last-event-id"])).toEqual([undefined, "2", "2", "7"]);
  expect(statuses.filter((status) => status === "reconnecting")).toHaveLength(3);
  expect(slept).toHaveLength(3);
});

test("an earlier cursor is gone on from, and a new one is told only when its item has been handled", async () => {
  const cursors: string[] = [];
  server.answer(streamed(`${item("5")}${item("6")}${item("7")}`, { ends: false }));
  const { ids } = await collect(3, { lastEventId: "4", onCursor: (cursor) => void cursors.push(cursor) });
  expect(server.arrived[0]?.headers["last-event-id"]).toBe("4");
  expect([ids, cursors]).toEqual([
    ["5", "6", "7"],
    ["5", "6"],
  ]);
});

test("an end that the server tells is followed by a new connection, as soon as the server wants", async () => {
  server.answer(
    streamed('retry: 3000\n\nevent: end\ndata: {"reason":"stopping"}\n\n', { ends: false }),
    streamed(item("1")),
  );
  const { ids, slept } = await collect(1);
  expect(ids).toEqual(["1"]);
  expect(slept[0]).toBeGreaterThanOrEqual(1_500);
  expect(slept[0]).toBeLessThanOrEqual(3_000);
});

test("a reset is handed on, and what nobody knows is left out", async () => {
  server.answer(streamed(item("1", "weather") + 'id: 2\nevent: reset\ndata: {"reason":"too_old"}\n\n'));
  const { items } = await collect(1);
  expect(items).toEqual([{ event: "reset", data: { reason: "too_old" } }]);
});

test("503: it waits as long as the server asks, longer each time when it does not, and never more than 30 s", async () => {
  const away = { status: 503, body: "away" };
  server.answer(
    { ...away, headers: { "retry-after": "9" } },
    ...Array.from({ length: 8 }, () => away),
    streamed(item("1")),
  );
  const { slept } = await collect(1);
  expect(slept[0]).toBe(9_000);
  expect(slept[1]).toBeLessThanOrEqual(2_000);
  expect(slept[8]).toBeGreaterThanOrEqual(15_000);
  expect(Math.max(...slept)).toBeLessThanOrEqual(30_000);
});

test("401: a refusal ends it", async () => {
  server.answer({ status: 401, body: { code: "unauthorized", detail: "No", request_id: "r" } });
  await expect(collect(1)).rejects.toMatchObject({ status: 401, code: "unauthorized" });
  expect(server.arrived).toHaveLength(1);
});

test("an aborted signal ends it without an error", async () => {
  const leaving = new AbortController();
  server.answer((request, response) => {
    streamed(item("1"), { ends: false })(request, response);
    setTimeout(() => leaving.abort(), 5);
  });
  expect((await collect(2, { signal: leaving.signal })).ids).toEqual(["1"]);
});
