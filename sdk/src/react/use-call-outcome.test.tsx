import type { ServerResponse } from "node:http";

import { StrictMode } from "react";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import { createClient } from "../client.ts";
import { type Arrived, startTestServer, type TestServer } from "../test-server.ts";
import { AftercallProvider, type CallOutcomeState, useCallOutcome } from "./index.ts";
import { openPage, type TestPage } from "./test-page.ts";

let server: TestServer;
let page: TestPage;
let seen: CallOutcomeState[];
beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(async () => {
  page = await openPage();
  seen = [];
});
afterEach(() => page.close());
afterAll(() => server.close());

// The component of the Call Outcomes API's reference.
function CallOutcomeDisplay({ callId, userId }: { callId: string; userId: string }) {
  const { outcome, loading, error, refresh } = useCallOutcome(callId, userId);
  seen.push({ outcome, loading, error, refresh });

  if (loading) return <div>Loading...</div>;
  if (error) return <div>Error: {error}</div>;
  if (!outcome) return <div>Call not found</div>;

  return (
    <div>
      <h2>Call Outcome: {outcome.outcome}</h2>
      <p>Duration: {outcome.duration} seconds</p>
      <p>Phone: {outcome.phoneNumber}</p>
      {outcome.recordingUrl && <audio controls src={outcome.recordingUrl} />}
      <button onClick={refresh}>Refresh</button>
    </div>
  );
}

const call = { outcome: "completed", duration: 45, phoneNumber: "+17678189426", recordingUrl: null };
const client = () => createClient({ baseUrl: server.url, token: "jwt" });
const shown = (callId: string, userId = "user_1", one = client()) => (
  <StrictMode>
    <AftercallProvider client={one}>
      <CallOutcomeDisplay callId={callId} userId={userId} />
    </AftercallProvider>
  </StrictMode>
);
const isLoaded = () => !page.text().includes("Loading");

test("it begins with loading and then shows the call, with a player when there is a recording", async () => {
  server.answer({ body: { ...call, recordingUrl: "https://cdn.example.com/recording.mp3" } });
  await page.show(shown("call_log_abc123"));
  await page.until(isLoaded);
  expect(seen[0]).toMatchObject({ outcome: null, loading: true, error: null });
  expect(page.text()).toBe("Call Outcome: completedDuration: 45 secondsPhone: +17678189426Refresh");
  expect(page.element.querySelector("audio")?.src).toBe("https://cdn.example.com/recording.mp3");
  expect(server.arrived.at(-1)?.url).toBe("/api/calls/call_log_abc123/outcome?user_id=user_1");
  expect(server.arrived.at(-1)?.headers.authorization).toBe("Bearer jwt");
});

test("a refusal is told in the words of the given system, and refresh clears it", async () => {
  server.answer({ status: 404, body: { error: "Call not found" } });
  await page.show(shown("call_1"));
  await page.until(isLoaded);
  expect(page.text()).toBe("Error: Failed to fetch call outcome");
  server.answer({ body: call });
  const before = seen.length;
  await page.does(() => seen.at(-1)?.refresh());
  await page.until(() => page.text().includes("completed"));
  expect(seen[before]).toMatchObject({ loading: true, error: null });
});

test("an error keeps its message; what is thrown and is no error is an unknown one", async () => {
  const failing = (thrown: unknown) => createClient({ baseUrl: server.url, token: () => Promise.reject(thrown) });
  await page.show(shown("call_1", "user_1", failing(new Error("Signed out"))));
  await page.until(isLoaded);
  expect(page.text()).toBe("Error: Signed out");
  await page.show(shown("call_1", "user_1", failing("no reason")));
  await page.until(() => page.text() === "Error: Unknown error");
});

test("refresh asks again and shows what is new", async () => {
  server.answer({ body: call });
  await page.show(shown("call_1"));
  await page.until(isLoaded);
  server.answer({ body: { ...call, outcome: "busy" } });
  await page.press("Refresh");
  await page.until(() => page.text().includes("busy"));
  expect(server.arrived).toHaveLength(1);
});

test("a changed argument asks again and never shows the call before, not for one frame", async () => {
  server.answer({ body: call });
  await page.show(shown("call_1", "user_1"));
  await page.until(isLoaded);
  for (const [callId, userId] of [
    ["call_2", "user_1"],
    ["call_2", "user_2"],
    ["call_1", "user_1"],
  ] as const) {
    server.answer({ body: { ...call, outcome: "busy" } });
    const before = seen.length;
    await page.show(shown(callId, userId));
    await page.until(isLoaded);
    expect(seen[before]).toMatchObject({ outcome: null, loading: true, error: null });
    expect(server.arrived.at(-1)?.url).toBe(`/api/calls/${callId}/outcome?user_id=${userId}`);
  }
});

test("an answer that comes after the arguments changed is dropped", async () => {
  const waiting: (() => void)[] = [];
  const slow = ({ url }: Arrived, response: ServerResponse) =>
    void waiting.push(() => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ ...call, outcome: url.includes("old") ? "failed" : "completed" }));
    });
  const one = client();
  server.answer(slow);
  await page.show(shown("old", "user_1", one));
  await page.until(() => waiting.length > 0);
  const [...late] = waiting.splice(0);
  await page.show(shown("new", "user_1", one));
  await page.until(() => waiting.length > 0);
  for (const answer of waiting) answer();
  await page.until(isLoaded);
  for (const answer of late) answer();
  await page.until(() => page.text().includes("completed"));
  expect(seen.some(({ outcome }) => outcome?.outcome === "failed")).toBe(false);
});

test("without a provider it asks where the page is from, with the token that the given system keeps", async () => {
  await page.close();
  page = await openPage(`${server.url}/calls/1`);
  localStorage.setItem("token", "kept");
  server.answer({ body: call });
  await page.show(<CallOutcomeDisplay callId="call_1" userId="user_1" />);
  await page.until(isLoaded);
  const [asked] = server.arrived;
  expect([asked?.url, asked?.headers.authorization]).toEqual([
    "/api/calls/call_1/outcome?user_id=user_1",
    "Bearer kept",
  ]);
});

test("after a page nothing of a browser is left for other tests", async () => {
  await page.close();
  expect([typeof globalThis.window, typeof globalThis.document, typeof globalThis.location]).toEqual(
    Array.from({ length: 3 }, () => "undefined"),
  );
  page = await openPage();
});
