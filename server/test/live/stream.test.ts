import { streamItems } from "@aftercall/contract/live.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { makeKey } from "../harness/api.ts";
import { makeCustomer, newUuid, type Customer } from "../harness/customer.ts";
import { follow, type StreamItem } from "./clients.ts";
import { startTwoServers, type LiveServer, type LiveServers } from "./servers.ts";

let live: LiveServers;
let one: LiveServer;
let other: LiveServer;
beforeAll(async () => {
  live = await startTwoServers();
  [one, other] = live.servers;
});
afterAll(() => live.stop());

/** Tells the first server of new calls, each of which ends at once. Gives their ids there. */
async function callsOf(customer: Customer) {
  const line = await customer.connect("vapi");
  // Vapi's events have no ids: two of one millisecond would be taken for one.
  let now = Date.now();
  return {
    async end(id: string = newUuid()): Promise<string> {
      const { status } = await line.own({
        message: {
          type: "end-of-call-report",
          timestamp: Date.now(),
          call: { id },
          endedReason: "customer-ended-call",
        },
      });
      expect(status).toBe(200);
      return id;
    },
    async say(id: string, transcript: string): Promise<void> {
      const said = { type: "transcript", transcriptType: "final", role: "assistant", transcript };
      await line.own({ message: { timestamp: now++, call: { id }, ...said } });
    },
  };
}

const isCall = (id: string | undefined) => (item: StreamItem) => item.event === "call" && item.data.call.id === id;

test("200: a change told to one server is an item on the other, in the shape of the contract", async () => {
  const customer = await makeCustomer(one);
  const { end } = await callsOf(customer);
  const client = await follow(other.url, customer.key);
  expect(client.status).toBe(200);
  expect(client.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  expect(client.headers.get("cache-control")).toBe("no-cache");
  expect(client.headers.get("x-accel-buffering")).toBe("no");
  // Opening it counts as a read, and it says so as every answer does.
  expect(client.headers.get("ratelimit-policy")).toMatch(/^"reads";q=\d+;w=60$/);
  expect(client.headers.get("ratelimit")).toMatch(/^"reads";r=\d+;t=\d+$/);
  await end();
  const [call] = await customer.calls();
  const [item] = await client.until(isCall(call?.id));
  expect(item?.data).toMatchObject({
    types: ["call.started", "call.ended", "call.completed"],
    call: { id: call?.id, version: 1, provider: "vapi", status: "ended", outcome: "completed" },
  });
  expect(streamItems.call.parse(item?.data)).toEqual(item?.data);
  expect(item?.id).toBe(client.lastEventId());
  client.cut();
});

test("200: a client that was cut off and comes back, to either server, has every change once", async () => {
  const customer = await makeCustomer(one);
  const { end } = await callsOf(customer);
  const heard: string[] = [];
  let cursor: string | undefined;
  let isTold = false;
  const telling = (async () => {
    for (let n = 0; n < 60; n += 6) await Promise.all(Array.from({ length: 6 }, () => end()));
    isTold = true;
  })();
  for (let round = 0; !isTold; round++) {
    const client = await follow(round % 2 === 0 ? other.url : one.url, customer.key, {
      topics: "calls",
      ...(cursor !== undefined && { lastEventId: cursor }),
    });
    await Promise.race([client.until(() => client.items.length >= 7), telling]);
    client.cut();
    await client.ended;
    cursor = client.lastEventId();
    heard.push(...client.items.map(({ data }) => data.call.id as string));
  }
  const last = await follow(one.url, customer.key, { topics: "calls", lastEventId: cursor ?? "" });
  const calls = (await customer.calls()).map(({ id }) => id);
  if (heard.length < calls.length) await last.until(() => heard.length + last.items.length >= calls.length);
  heard.push(...last.items.map(({ data }) => data.call.id as string));
  expect(heard.toSorted()).toEqual(calls.toSorted());
  last.cut();
});

test("200: the changes of one call come in the order in which they happened", async () => {
  const customer = await makeCustomer(one);
  const { end, say } = await callsOf(customer);
  const id = newUuid();
  const client = await follow(other.url, customer.key, { topics: `call:${id}` });
  await Promise.all(Array.from({ length: 20 }, (_, n) => say(id, `turn ${n}`)));
  await end(id);
  await client.until(({ event, data }) => event === "call" && data.types.includes("call.completed"));
  const versions = client.items.filter(({ event }) => event === "call").map(({ data }) => data.call.version as number);
  expect(versions).toEqual(versions.toSorted((a, b) => a - b));
  expect(client.items.filter(({ event }) => event === "transcription")).toHaveLength(20);
  client.cut();
});

test("200: each topic has its own items: a list no turns, a campaign its calls and its completion", async () => {
  const customer = await makeCustomer(one);
  const { end, say } = await callsOf(customer);
  const campaign = await customer.post("/v1/campaigns", { name: "Spring", planned_count: 1 });
  const [list, mine, both] = await Promise.all([
    follow(other.url, customer.key, { topics: "calls" }),
    follow(other.url, customer.key, { topics: `campaign:${campaign.id}` }),
    follow(one.url, customer.key, { topics: `calls,campaign:${campaign.id}` }),
  ]);
  const id = newUuid();
  await customer.post("/v1/calls", { provider: "vapi", provider_call_id: id, campaign: campaign.id });
  await say(id, "Hello");
  await end();
  await end(id);
  const isCampaign = ({ event }: StreamItem) => event === "campaign";
  const [completed] = (await mine.until(isCampaign)).filter(isCampaign);
  expect(streamItems.campaign.parse(completed?.data)).toMatchObject({
    campaign: { id: campaign.id, status: "completed" },
  });
  await both.until(isCampaign);
  const called = (items: readonly StreamItem[]) => items.filter(({ event }) => event === "call").length;
  expect([called(list.items), called(mine.items), called(both.items)]).toEqual([4, 3, 4]);
  expect(list.items.every(({ event }) => event === "call")).toBe(true);
  for (const client of [list, mine, both]) client.cut();
});

test("200: nothing of another tenant is ever in a stream, whichever topic it asks for", async () => {
  const [customer, stranger] = [await makeCustomer(one), await makeCustomer(one)];
  const [{ end, say }, theirs] = [await callsOf(customer), await callsOf(stranger)];
  const id = newUuid();
  await say(id, "secret");
  const [call] = await customer.calls();
  const topics = `calls,call:${id},call:${call?.id}`;
  const [spy, owner] = [
    await follow(one.url, stranger.key, { topics }),
    await follow(one.url, customer.key, { topics }),
  ];
  await end(id);
  await owner.until(isCall(call?.id));
  await theirs.end();
  const [own] = await stranger.calls();
  await spy.until(isCall(own?.id));
  expect(spy.items).toHaveLength(1);
  const resumed = await follow(one.url, stranger.key, { topics, lastEventId: owner.items[0]?.id ?? "" });
  await theirs.end();
  await resumed.until(() => resumed.items.length >= 2);
  expect(JSON.stringify(resumed.items)).not.toContain(call?.id);
  for (const client of [spy, owner, resumed]) client.cut();
});

test("200: a cursor that is too old or not ours is answered by a reset, and the stream goes on from now", async () => {
  const customer = await makeCustomer(one);
  const { end } = await callsOf(customer);
  const client = await follow(one.url, customer.key);
  await end();
  await client.until(({ event }) => event === "call");
  const cursor = client.lastEventId();
  const [version, cluster, at = "", ...rest] = cursor.split(".");
  const older = (Number.parseInt(at, 36) - 49 * 3_600_000).toString(36);
  const cursors = {
    [[version, cluster, older, ...rest].join(".")]: "too_old",
    [[version, "1", at, ...rest].join(".")]: "unknown_cursor",
    [[version, cluster, at, "9999999999:9999999999:"].join(".")]: "unknown_cursor",
    [[version, cluster, at, "5:4:"].join(".")]: "unknown_cursor",
    "'; drop table changes": "unknown_cursor",
    [`${cursor}.1`]: "unknown_cursor",
  };
  for (const [lastEventId, reason] of Object.entries(cursors)) {
    const back = await follow(other.url, customer.key, { lastEventId });
    await end();
    await back.until(({ event }) => event === "call");
    expect(back.items.map(({ event, data }) => [event, data.reason])).toEqual([
      ["reset", reason],
      ["call", undefined],
    ]);
    back.cut();
  }
  client.cut();
});

test("401, 403, 422: no credential, a page that nobody allowed, topics that do not exist", async () => {
  const customer = await makeCustomer(one);
  expect((await follow(one.url, "wrong")).status).toBe(401);
  const ask = async (query: string, headers: Record<string, string> = {}) => {
    return (await one.get(`/v1/stream${query}`, { authorization: `Bearer ${customer.key}`, ...headers })).status;
  };
  expect(await ask("", { origin: "https://evil.example" })).toBe(403);
  for (const query of [
    "?topics=",
    "?topics=news",
    "?topics=call:",
    "?topics=call:*",
    "?topics=campaign:x",
    "?topic=calls",
  ]) {
    expect(await ask(query)).toBe(422);
  }
  expect(await ask(`?topics=${Array(101).fill("calls").join(",")}`)).toBe(422);
  expect((await one.get("/v1/stream?topics=calls")).status).toBe(401);
});

test("a viewer may listen", async () => {
  const customer = await makeCustomer(one);
  const viewer = await makeKey(one.db, customer.tenantId, "viewer");
  const client = await follow(one.url, viewer);
  expect(client.status).toBe(200);
  client.cut();
});

// The last one: it stops one of the two.
test("a stopping server says so, and the client goes on with the other", async () => {
  const customer = await makeCustomer(other);
  const { end } = await callsOf(customer);
  const client = await follow(one.url, customer.key);
  await end();
  await client.until(({ event }) => event === "call");
  await one.stop();
  await client.ended;
  expect(client.items.at(-1)).toMatchObject({ event: "end", data: { reason: "stopping" } });
  await end();
  const again = await follow(other.url, customer.key, { lastEventId: client.lastEventId() });
  expect(await again.until(({ event }) => event === "call")).toHaveLength(1);
  again.cut();
});
