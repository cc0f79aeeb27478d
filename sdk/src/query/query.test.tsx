import { QueryClient, QueryClientProvider, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { afterAll, beforeAll, expect, test } from "vitest";

import { createClient } from "../client.ts";
import type { Call, Campaign } from "../contract.ts";
import { openPage } from "../react/test-page.ts";
import type { StreamItem } from "../stream.ts";
import { startTestServer, type TestServer } from "../test-server.ts";
import { callQueries, campaignQueries, patchCache } from "./index.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const made = () => createClient({ baseUrl: server.url });
const call = (id: string, version = 1, status = "in_progress") =>
  ({ id, version, status, campaign_id: "cmp_1" }) as Call;
const item = (id: string, version: number, status: string, types = ["call.ended"]): StreamItem =>
  ({ event: "call", data: { types, at: "", call: call(id, version, status) } }) as StreamItem;

test("a call and a list of calls are read by useQuery and useInfiniteQuery", async () => {
  const page = await openPage();
  const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const calls = callQueries(made());
  function Page() {
    const { data } = useQuery(calls.detail("call_1"));
    const list = useInfiniteQuery(calls.list({ status: ["ended"] }));
    const ids = list.data?.pages.flatMap((one) => one.data.map(({ id }) => id)) ?? [];
    return <button onClick={() => void list.fetchNextPage()}>{`${data?.status} ${ids.join(",")}`}</button>;
  }
  server.answer(({ url }, response) => {
    const first = { data: [call("a")], next_cursor: "c1", has_more: true };
    const second = { data: [call("b")], next_cursor: null, has_more: false };
    const body = url.startsWith("/v1/calls/") ? call("call_1", 1, "ended") : url.includes("cursor=c1") ? second : first;
    response.setHeader("content-type", "application/json").end(JSON.stringify(body));
  });
  await page.show(
    <QueryClientProvider client={queryClient}>
      <Page />
    </QueryClientProvider>,
  );
  await page.until(() => page.text() === "ended a");
  await page.press("ended a");
  await page.until(() => page.text() === "ended a,b");
  expect(server.arrived.map(({ url }) => url).toSorted()).toEqual([
    "/v1/calls/call_1",
    "/v1/calls?status=ended",
    "/v1/calls?status=ended&cursor=c1",
  ]);
  await page.close();
  queryClient.clear();
});

test("an item changes the call and its row at once, and only to what is newer", () => {
  const queryClient = new QueryClient();
  const calls = callQueries(made());
  const detail = calls.detail("call_1").queryKey;
  const list = calls.list().queryKey;
  queryClient.setQueryData(detail, call("call_1", 2));
  queryClient.setQueryData(list, {
    pages: [{ data: [call("call_2"), call("call_1", 2)], next_cursor: null, has_more: false }],
    pageParams: [null],
  });
  patchCache(queryClient, item("call_1", 1, "ringing"));
  expect(queryClient.getQueryData(detail)?.status).toBe("in_progress");
  patchCache(queryClient, item("call_1", 3, "ended"));
  expect(queryClient.getQueryData(detail)).toMatchObject({ version: 3, status: "ended" });
  expect(queryClient.getQueryData(list)?.pages[0]?.data.map(({ status }) => status)).toEqual(["in_progress", "ended"]);
  expect(queryClient.getQueryState(detail)?.isInvalidated).toBe(true);
  expect(queryClient.getQueryState(list)?.isInvalidated).toBe(false);
  patchCache(queryClient, item("call_3", 1, "ringing", ["call.started"]));
  expect(queryClient.getQueryState(list)?.isInvalidated).toBe(true);
  queryClient.clear();
});

test("a campaign takes what the item says, a call of it makes it stale, and a reset makes everything so", () => {
  const queryClient = new QueryClient();
  const { queryKey } = campaignQueries(made()).detail("cmp_1");
  const campaign = { id: "cmp_1", status: "completed" } as Campaign;
  patchCache(queryClient, { event: "campaign", data: { types: ["campaign.completed"], at: "", campaign } });
  expect(queryClient.getQueryData(queryKey)).toEqual(campaign);
  expect(queryClient.getQueryState(queryKey)?.isInvalidated).toBe(false);
  patchCache(queryClient, item("call_1", 3, "ended"));
  expect(queryClient.getQueryState(queryKey)?.isInvalidated).toBe(true);
  queryClient.setQueryData(queryKey, campaign);
  patchCache(queryClient, { event: "reset", data: { reason: "too_old" } });
  expect(queryClient.getQueryState(queryKey)?.isInvalidated).toBe(true);
  queryClient.clear();
});
