import type { ServerResponse } from "node:http";

import type { LiveCall } from "@aftercall/contract/live.ts";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import { createClient } from "../client.ts";
import { type Arrived, startTestServer, type TestServer } from "../test-server.ts";
import {
  AftercallProvider,
  type CallsQuery,
  type LiveOption,
  useCall,
  useCalls,
  useCallStream,
  useCampaign,
} from "./index.ts";
import { openPage, type TestPage } from "./test-page.ts";

let server: TestServer;
let page: TestPage;
let streams: ServerResponse[];
/** What the server has, by path. */
let things: Record<string, { status?: number; body: object }>;
let asked: string[];
beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(async () => {
  page = await openPage();
  streams = [];
  things = {};
  asked = [];
  server.answer(serve);
});
afterEach(() => page.close());
afterAll(() => server.close());

function serve({ url }: Arrived, response: ServerResponse): void {
  if (url.startsWith("/v1/stream")) {
    streams.push(response.writeHead(200, { "content-type": "text/event-stream" }));
    response.write("retry: 1\nid: 0\n\n");
    return;
  }
  asked.push(url);
  const { status = 200, body } = things[url] ?? { status: 404, body: { code: "not_found", detail: "Not found" } };
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function tell(event: string, data: object, id = "1"): void {
  for (const stream of streams) stream.write(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

const within = (content: React.ReactNode) => (
  <AftercallProvider client={createClient({ baseUrl: server.url, sleep: async () => {} })}>{content}</AftercallProvider>
);
const call = (id: string, version = 1, more: object = {}) => ({
  id,
  version,
  status: "in_progress",
  provider: "vapi",
  ...more,
});
const liveCall = (id: string, version: number, more: Partial<LiveCall> = {}) => ({
  ...call(id, version),
  campaign_id: null,
  ...more,
});
const callItem = (data: object, types = ["call.updated"]) => ({ types, at: "2026-01-01T00:00:00.000Z", call: data });

function OneCall({ id, ...options }: { id: string } & LiveOption) {
  const { call, loading, error } = useCall(id, options);
  return (
    <p>{loading ? "loading" : error ? (error as Error).message : `${call?.id} ${call?.status} ${call?.summary}`}</p>
  );
}

test("useCall shows a call, or why it cannot", async () => {
  things["/v1/calls/call_1"] = { body: call("call_1", 1, { summary: "Sold" }) };
  await page.show(within(<OneCall id="call_1" />));
  expect(page.text()).toBe("loading");
  await page.until(() => page.text() === "call_1 in_progress Sold");
  await page.show(within(<OneCall id="call_2" />));
  await page.until(() => page.text() === "Not found");
  expect(streams).toEqual([]);
});

test("a live call changes at once with what the item has, then the whole record follows; older items change nothing", async () => {
  things["/v1/calls/call_1"] = { body: call("call_1", 2) };
  await page.show(within(<OneCall id="call_1" live />));
  await page.until(() => streams.length === 1 && page.text() === "call_1 in_progress undefined");
  expect(server.arrived.find(({ url }) => url.startsWith("/v1/stream"))?.url).toBe("/v1/stream?topics=call%3Acall_1");
  things["/v1/calls/call_1"] = { body: call("call_1", 3, { status: "ended", summary: "Sold" }) };
  tell("call", callItem(liveCall("call_1", 3, { status: "ended" })));
  await page.until(() => page.text() === "call_1 ended Sold");
  const before = asked.length;
  tell("call", callItem(liveCall("call_1", 1, { status: "ringing" })));
  await page.until(() => asked.length > before);
  expect(page.text()).toBe("call_1 ended Sold");
});

test("a reset is answered with the whole record", async () => {
  things["/v1/calls/call_1"] = { body: call("call_1") };
  await page.show(within(<OneCall id="call_1" live />));
  await page.until(() => streams.length === 1 && page.text() !== "loading");
  things["/v1/calls/call_1"] = { body: call("call_1", 9, { status: "failed" }) };
  tell("reset", { reason: "too_old" });
  await page.until(() => page.text() === "call_1 failed undefined");
  expect(new Set(asked)).toEqual(new Set(["/v1/calls/call_1"]));
});

test("what happened between the answer and the beginning of the stream is not missed", async () => {
  things["/v1/calls/call_1"] = { body: call("call_1", 1) };
  const waiting: (() => void)[] = [];
  server.answer((request, response) => {
    if (request.url.startsWith("/v1/stream")) waiting.push(() => serve(request, response));
    else serve(request, response);
  });
  await page.show(within(<OneCall id="call_1" live />));
  await page.until(() => waiting.length === 1 && page.text() === "call_1 in_progress undefined");
  things["/v1/calls/call_1"] = { body: call("call_1", 2, { status: "ended" }) };
  for (const begin of waiting) begin();
  await page.until(() => page.text() === "call_1 ended undefined");
  expect(asked).toHaveLength(2);
});

test("an answer that is older than what was heard meanwhile does not take it back", async () => {
  things["/v1/calls/call_1"] = { body: call("call_1", 1) };
  await page.show(within(<OneCall id="call_1" live />));
  await page.until(() => streams.length === 1 && asked.length === 2);
  const late: (() => void)[] = [];
  server.answer((request, response) => {
    response.setHeader("content-type", "application/json");
    late.push(() => response.end(JSON.stringify(call("call_1", 1, { summary: "Late" }))));
  });
  tell("call", callItem(liveCall("call_1", 2, { status: "ringing" })));
  await page.until(() => late.length === 1);
  tell("call", callItem(liveCall("call_1", 3, { status: "ended" })));
  await page.until(() => page.text() === "call_1 ended undefined");
  late[0]?.();
  await page.until(() => page.text() === "call_1 ended Late");
  expect(asked).toHaveLength(2);
});

test("leaving the page closes its stream", async () => {
  things["/v1/calls/call_1"] = { body: call("call_1") };
  await page.show(within(<OneCall id="call_1" live />));
  await page.until(() => streams.length === 1);
  await page.show(null);
  await page.until(() => streams[0]?.destroyed === true);
  expect(streams).toHaveLength(1);
});

function Calls({ query, live = false }: { query?: CallsQuery; live?: boolean }) {
  const { calls, newCount, hasMore, loadMore, loading, refresh } = useCalls(query, { live });
  return (
    <div>
      <p>{calls.map(({ id, status }) => `${id} ${status}`).join(", ")}</p>
      <i>{loading ? "loading" : `${newCount} new, ${hasMore ? "more" : "all"}`}</i>
      <button onClick={loadMore}>More</button>
      <button onClick={refresh}>Refresh</button>
    </div>
  );
}
const listed = () => page.element.querySelector("p")?.textContent;
const footer = () => page.element.querySelector("i")?.textContent;

test("useCalls shows page after page, and begins anew with another query", async () => {
  things["/v1/calls?status=ended"] = { body: { data: [call("a"), call("b")], next_cursor: "c1", has_more: true } };
  things["/v1/calls?status=ended&cursor=c1"] = { body: { data: [call("c")], next_cursor: null, has_more: false } };
  things["/v1/calls?status=failed"] = { body: { data: [], next_cursor: null, has_more: false } };
  await page.show(within(<Calls query={{ status: ["ended"] }} />));
  await page.until(() => footer() === "0 new, more");
  await page.press("More");
  await page.until(() => footer() === "0 new, all");
  expect(listed()).toBe("a in_progress, b in_progress, c in_progress");
  await page.show(within(<Calls query={{ status: ["failed"] }} />));
  await page.until(() => footer() === "0 new, all");
  expect(listed()).toBe("");
});

test("rows of a live list change where they stand, and new calls are only counted until they are asked for", async () => {
  things["/v1/calls?provider=vapi"] = { body: { data: [call("a"), call("b")], next_cursor: null, has_more: false } };
  await page.show(within(<Calls query={{ provider: "vapi" }} live />));
  await page.until(() => streams.length === 1 && footer() === "0 new, all");
  tell("call", callItem(liveCall("b", 2, { status: "ended" })));
  tell("call", callItem(liveCall("c", 1), ["call.started"]));
  tell("call", callItem(liveCall("c", 1), ["call.started"]));
  tell("call", callItem(liveCall("d", 1, { provider: "twilio" }), ["call.started"]));
  await page.until(() => footer() === "1 new, all");
  expect(listed()).toBe("a in_progress, b ended");
  things["/v1/calls?provider=vapi"] = { body: { data: [call("c"), call("a")], next_cursor: null, has_more: false } };
  await page.press("Refresh");
  await page.until(() => footer() === "0 new, all");
  expect(listed()).toBe("c in_progress, a in_progress");
});

function Progress({ id }: { id: string }) {
  const { campaign, loading } = useCampaign(id, { live: true });
  return <p>{loading ? "loading" : `${campaign?.status} ${campaign?.progress.total}`}</p>;
}

test("useCampaign counts along with at most one request at a time, however many calls end", async () => {
  const campaign = (status: string, total: number) => ({ id: "cmp_1", status, progress: { total } });
  things["/v1/campaigns/cmp_1"] = { body: campaign("running", 1) };
  await page.show(within(<Progress id="cmp_1" />));
  await page.until(() => streams.length === 1 && page.text() === "running 1");
  things["/v1/campaigns/cmp_1"] = { body: campaign("running", 40) };
  const before = asked.length;
  for (let i = 0; i < 40; i++) tell("call", callItem(liveCall(`call_${i}`, 1)), String(i));
  await page.until(() => page.text() === "running 40");
  expect(asked.length - before).toBeLessThan(10);
  tell("campaign", { types: ["campaign.completed"], at: "", campaign: campaign("completed", 41) });
  await page.until(() => page.text() === "completed 41");
});

test("useCallStream tells how the connection is, and hands everything on once, also after a cut", async () => {
  const told: string[] = [];
  function Stream() {
    const { status, error } = useCallStream(["calls"], (item) => {
      if (item.event === "call") told.push(item.data.call.id);
    });
    return <p>{`${status} ${error === null ? "" : (error as Error).message}`}</p>;
  }
  await page.show(within(<Stream />));
  await page.until(() => page.text() === "live ");
  tell("call", callItem(liveCall("a", 1)), "7");
  await page.until(() => told.length === 1);
  streams.shift()?.destroy();
  await page.until(() => streams.length === 1);
  tell("call", callItem(liveCall("b", 1)), "8");
  await page.until(() => told.length === 2);
  expect([told, server.arrived.at(-1)?.headers["last-event-id"]]).toEqual([["a", "b"], "7"]);
  server.answer({ status: 401, body: { code: "unauthorized", detail: "The token has ended" } });
  streams.shift()?.destroy();
  await page.until(() => page.text() === "failed The token has ended");
});

test("a hook without a provider says what is missing", async () => {
  const told: unknown[] = [];
  function Alone() {
    try {
      useCall("call_1");
    } catch (error) {
      told.push((error as Error).message);
    }
    return null;
  }
  await page.show(<Alone />);
  expect(told[0]).toContain("<AftercallProvider");
});
