import { afterAll, beforeAll, expect, test } from "vitest";

import { AftercallError } from "./error.ts";
import { getCallOutcome } from "./outcome.ts";
import { startTestServer, type TestServer } from "./test-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const options = () => ({ baseUrl: server.url, token: () => "jwt" });

test("it asks for the call of the user, with both encoded and the token", async () => {
  server.answer({ body: { id: "call_log_abc123", outcome: "completed" } });
  expect(await getCallOutcome("call/../log", "a&b=c é", options())).toMatchObject({ outcome: "completed" });
  const [asked] = server.arrived;
  expect(asked?.url).toBe("/api/calls/call%2F..%2Flog/outcome?user_id=a%26b%3Dc%20%C3%A9");
  expect(asked?.headers).toMatchObject({ authorization: "Bearer jwt", "content-type": "application/json" });
});

test.each([
  ["the server's error", '{"error":"Call not found","call_id":"x","status":404}', "Call not found"],
  ["the general text without one", "{}", "Failed to retrieve call outcome"],
  ["the general text for an empty one", '{"error":""}', "Failed to retrieve call outcome"],
  ["the general text for what is no text", '{"error":{"a":1}}', "Failed to retrieve call outcome"],
  ["the general text for a proxy's page", "<html>", "Failed to retrieve call outcome"],
])("a refusal throws %s", async (_name, body, message) => {
  server.answer({ status: 404, body });
  const error = await getCallOutcome("x", "y", options()).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(AftercallError);
  expect(error).toMatchObject({ status: 404, message });
});
