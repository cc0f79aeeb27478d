import { execFile } from "node:child_process";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";

import type { User } from "@aftercall/contract/tenant.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { known, startTestApp, type TestApp } from "../../server/test/harness/app.ts";
import {
  connectLivekitHmac,
  type Customer,
  makeCustomer,
  newUuid,
  randomToken,
} from "../../server/test/harness/customer.ts";
import { fixture } from "../../server/test/harness/fixture.ts";
import { providersFolder } from "../../server/test/harness/provider-files.ts";
import { startReceiver } from "../../server/test/harness/receiver.ts";
import { userToken } from "../../server/test/harness/sign.ts";
import { createClient } from "./client.ts";
import { AftercallError } from "./error.ts";
import { getCallOutcome } from "./outcome.ts";
import { paginate } from "./paginate.ts";
import { AftercallProvider, useCall, useCallOutcome } from "./react/index.ts";
import { openPage } from "./react/test-page.ts";
import { openStream } from "./stream.ts";
import { verify } from "./verify.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const clientOf = (customer: Customer) => createClient({ baseUrl: app.url, token: customer.key });
const register = () => ({ provider: "vapi", provider_call_id: newUuid() });

/** What LiveKit sends when somebody leaves the room: the very bytes of the reference's own example. */
const participantLeft = fixture("livekit", "given/participant_left.curl-test.json");

/** A customer with a user whose LiveKit calls are reported. */
async function withLivekit() {
  const customer = await makeCustomer(app);
  const sub = randomToken("user");
  const user: User = await customer.post("/v1/users", { external_id: sub });
  const livekit = await customer.connect("livekit", { user_id: user.id });
  return { customer, livekit, sub, jwt: userToken(known.jwtSecret, { sub }) };
}

test("what the client makes it reads back, page by page, and a refusal names the field", async () => {
  const aftercall = clientOf(await makeCustomer(app));
  const made = await Promise.all([1, 2, 3].map(() => aftercall.registerCall(register())));
  const seen: string[] = [];
  for await (const { id } of paginate(aftercall.listCalls, { limit: 2, provider: "vapi", status: ["queued"] }))
    seen.push(id);
  expect(seen.toSorted()).toEqual(made.map(({ id }) => id).toSorted());
  expect(await aftercall.getCall(seen[0] ?? "")).toMatchObject({ id: seen[0], status: "queued" });

  const refused = await aftercall.createEndpoint({ url: "nowhere" }).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(AftercallError);
  expect(refused).toMatchObject({ status: 422, code: "invalid", errors: [{ pointer: "/url" }] });
  await expect(aftercall.getCall("call_1")).rejects.toMatchObject({ status: 404, code: "not_found" });
});

test("a file goes in as text, Blob or stream, and everything comes out line by line and goes on after any of them", async () => {
  const aftercall = clientOf(await makeCustomer(app));
  const ids = [newUuid(), newUuid(), newUuid()];
  const [text = "", blob = "", stream = ""] = ids.map((id) => `${JSON.stringify({ id, status: "completed" })}\n`);
  expect(await aftercall.importCalls(text)).toMatchObject({ state: "done", applied_count: 1, is_delivered: false });
  const delivered = await aftercall.importCalls(new Blob([blob]), { deliver: true });
  expect(delivered).toMatchObject({ applied_count: 1, is_delivered: true });
  const { id } = await aftercall.importCalls(new Blob([stream]).stream());
  expect((await aftercall.getImport(id)).applied_count).toBe(1);
  await expect(aftercall.resumeImport(id, text)).rejects.toMatchObject({ status: 409, code: "conflict" });

  const lines: { kind: string; cursor: string }[] = [];
  for await (const line of aftercall.exportTenant()) lines.push(line);
  expect(lines.filter(({ kind }) => kind === "call")).toHaveLength(3);
  for await (const line of aftercall.exportTenant({ cursor: lines[2]?.cursor })) {
    expect(line.cursor).toBe(lines[3]?.cursor);
    break;
  }
  const stranger = createClient({ baseUrl: app.url, token: "ac_dev_nobody" });
  await expect(stranger.exportTenant().next()).rejects.toMatchObject({ status: 401 });
});

test("a POST that is sent again under its key is done once", async () => {
  const customer = await makeCustomer(app);
  const aftercall = clientOf(customer);
  const body = register();
  const idempotencyKey = randomToken("key");
  const [first, again] = [
    await aftercall.registerCall(body, { idempotencyKey }),
    await aftercall.registerCall(body, { idempotencyKey }),
  ];
  expect([again.id, (await customer.calls()).length]).toEqual([first.id, 1]);
});

test("a message that the server sends is verified with the secret that the client was given, and typed", async () => {
  const { customer, livekit } = await withLivekit();
  const receiver = await startReceiver();
  const endpoint = await clientOf(customer).createEndpoint({ url: receiver.url, types: ["call.ended"] });
  await livekit.given(participantLeft);
  const [got] = await receiver.waitFor(1);
  await receiver.close();
  if (!got) throw new Error("nothing came");
  const { id, event } = await verify(got.body, got.headers, endpoint.secret);
  expect(id).toMatch(/^msg_/);
  if (event.type !== "call.ended") throw new Error(event.type);
  expect(event.data.call.outcome).toBe("completed");
});

test("what happens to a call arrives live, and a page shows it without being loaded again", async () => {
  const { customer, livekit } = await withLivekit();
  const aftercall = clientOf(customer);
  const page = await openPage();
  const leaving = new AbortController();
  let isLive: (isLive: boolean) => void = () => {};
  const live = new Promise<boolean>((resolve) => {
    isLive = resolve;
  });
  const next = (async () => {
    const onStatus = (status: string) => void (status === "live" && isLive(true));
    for await (const item of openStream(aftercall.connection, {
      topics: ["calls"],
      signal: leaving.signal,
      onStatus,
    })) {
      if (item.event === "call") return item.data;
    }
    return null;
  })();
  await live;
  await livekit.given(participantLeft);
  const item = await next;
  leaving.abort();
  expect(item?.types).toContain("call.ended");

  const vapi = await customer.connect("vapi");
  const queued = await aftercall.registerCall(register());
  function Status() {
    const { call, loading } = useCall(queued.id, { live: true });
    return <p>{loading ? "Loading..." : call?.status}</p>;
  }
  await page.show(
    <AftercallProvider client={aftercall}>
      <Status />
    </AftercallProvider>,
  );
  await page.until(() => page.text() === "queued");
  const call = { id: queued.provider_call_id, type: "inboundPhoneCall" };
  const message = { type: "status-update", status: "in-progress", timestamp: Date.now(), call };
  await page.does(() => vapi.given({ message }));
  await page.until(() => page.text() === "in_progress");
  await page.close();
});

// The examples of the Call Outcomes API's reference.

/** A customer with a user, whose LiveKit calls are reported by a sender that signs as the reference says. */
async function withSender() {
  const customer = await makeCustomer(app);
  const { secret, source } = await connectLivekitHmac(app, customer);
  const sub = randomToken("user");
  const user: User = await customer.post("/v1/users", { external_id: sub });
  await clientOf(customer).updateSource(source.id, { user_id: user.id });
  return { secret, sub, jwt: userToken(known.jwtSecret, { sub }) };
}

/** What a shell prints for a script as a person types it. */
async function shell(script: string, env: Readonly<Record<string, string>> = {}) {
  const { stdout } = await promisify(execFile)("bash", ["-c", script], { env: { ...process.env, ...env } });
  return JSON.parse(stdout);
}

const processedAs = { status: "processed", message: "Event processed successfully. Outcome: completed" };

test("the reference's curl lines: health, its signed test event as it stands, its outcome", async () => {
  const { secret, sub, jwt } = await withSender();
  const signature = createHmac("sha256", secret).update(participantLeft).digest("hex");

  expect(await shell(`curl ${app.url}/api/webhooks/call_completed/health`)).toMatchObject({ status: "healthy" });
  const processed = await shell(
    `curl -X POST ${app.url}/api/webhooks/call_completed -H "Content-Type: application/json" -H "X-LiveKit-Signature: ${signature}" -d '${participantLeft}'`,
  );
  expect(processed).toMatchObject({ ...processedAs, event_id: "evt_test_123" });
  const outcome = await shell(
    `curl -X GET "${app.url}/api/calls/${processed.call_id}/outcome?user_id=${sub}" -H "Authorization: Bearer ${jwt}"`,
  );
  expect(outcome).toMatchObject({ id: processed.call_id, userId: sub, outcome: "completed", duration: 45 });
});

test("the curl line of the provider's page, as it is printed, signs and sends the test event", async () => {
  const { secret } = await withSender();
  const page = readFileSync(`${providersFolder}/livekit/README.md`, "utf8");
  const printed = /```sh\n([\s\S]*?curl[\s\S]*?)```/.exec(page)?.[1] ?? "";
  const script = printed.replace("http://localhost:4400", app.url);
  const event: unknown = JSON.parse(/^\s*body='(.*)'$/m.exec(printed)?.[1] ?? "");
  expect(event).toEqual(JSON.parse(participantLeft));
  expect(await shell(script, { LIVEKIT_WEBHOOK_SECRET: secret })).toMatchObject(processedAs);
});

test("the reference's TypeScript client", async () => {
  const { customer, livekit, sub, jwt } = await withLivekit();
  await livekit.given(participantLeft);
  const [call] = await customer.calls();
  const page = await openPage(app.url);
  localStorage.setItem("token", jwt);
  try {
    const outcome = await getCallOutcome(call?.id ?? "", sub);
    expect([outcome.outcome, outcome.duration, outcome.phoneNumber]).toEqual(["completed", 45, "+17678189426"]);
    await expect(getCallOutcome("call_log_abc123", sub)).rejects.toThrow("Call not found");
    localStorage.setItem("token", "expired");
    await expect(getCallOutcome(call?.id ?? "", sub)).rejects.toThrow("Unauthorized");
  } finally {
    await page.close();
  }
});

test("the reference's React hook", async () => {
  const { customer, livekit, sub, jwt } = await withLivekit();
  await livekit.given(participantLeft);
  const [call] = await customer.calls();
  function CallOutcomeDisplay({ callId, userId }: { callId: string; userId: string }) {
    const { outcome, loading, error, refresh } = useCallOutcome(callId, userId);

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
  const page = await openPage(app.url);
  localStorage.setItem("token", jwt);
  await page.show(<CallOutcomeDisplay callId={call?.id ?? ""} userId={sub} />);
  expect(page.text()).toBe("Loading...");
  await page.until(() => page.text() !== "Loading...");
  expect(page.text()).toBe("Call Outcome: completedDuration: 45 secondsPhone: +17678189426Refresh");
  await page.show(<CallOutcomeDisplay callId="call_log_abc123" userId={sub} />);
  await page.until(() => page.text() === "Error: Failed to fetch call outcome");
  await page.close();
});
