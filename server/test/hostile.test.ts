import type { Call, CallStatus } from "@aftercall/contract/call.ts";
import { fromPublicId } from "@aftercall/contract/id.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { makeKey } from "./harness/api.ts";
import { known, running, type Running } from "./harness/app.ts";
import { startDatabaseProxy, type DatabaseProxy } from "./harness/database-proxy.ts";
import { discardDatabase, ownDatabase, type TestDatabase } from "./harness/database.ts";
import { fixture } from "./harness/fixture.ts";
import { startReceiver, type Receiver } from "./harness/receiver.ts";
import { startServerProcess, type ServerProcess } from "./harness/server-process.ts";
import { signTwilio, signVapi } from "./harness/sign.ts";
import { makeTenant } from "./harness/tenant.ts";
import { suite, type HttpCase, type RawCase, type Variables } from "./hostile/cases.ts";
import { createRunner, type Runner } from "./hostile/run.ts";

let own: TestDatabase;
let proxy: DatabaseProxy;
let server: ServerProcess;
let runner: Runner;
let wonderful: Receiver;
const slow = new Map<string, Promise<string[]>>();
beforeAll(async () => {
  own = await ownDatabase();
  proxy = await startDatabaseProxy(own.connection);
  const { vars } = suite;
  wonderful = await startReceiver();
  wonderful.answer({ status: 200, body: fixture("wonderful", "real-ish/transcript-records.json") });
  server = await startServerProcess(proxy.url, {
    PUBLIC_URL: vars["PUBLIC_URL"],
    JWT_SECRET: vars["JWT_SECRET"],
    VAPI_WEBHOOK_SECRET: vars["VAPI_SECRET"],
    LIVEKIT_WEBHOOK_SECRET: vars["LIVEKIT_SECRET"],
    LIVEKIT_API_KEY: vars["LIVEKIT_KEY"],
    LIVEKIT_API_SECRET: vars["LIVEKIT_SECRET"],
    ELEVENLABS_WEBHOOK_SECRET: vars["ELEVEN_SECRET"],
    TWILIO_AUTH_TOKEN: vars["TWILIO_TOKEN"],
    WONDERFUL_WEBHOOK_SECRET: undefined,
    WONDERFUL_API_BASE_URL: wonderful.url,
    AFTERCALL_UNSIGNED_SOURCES: "wonderful",
    AFTERCALL_PRIVATE_TARGETS: undefined,
  });
  const app = running(server.url, own.db);
  const { json } = await app.ask(known.apiKey, "GET", "/v1/whoami");
  const tenantId = fromPublicId("tenant", json.tenant.id) ?? "";
  await prepare(app, tenantId, vars);
  const base = new URL(server.url);
  runner = createRunner({
    base,
    variables: { ...vars, HOST: base.host },
    pid: server.pid,
    statusOf: (id) => statusOf(app, id),
    countEvents: () => countEvents(tenantId),
  });
  for (const one of suite.cases.filter(isSlow)) slow.set(one.id, runner.run(one));
});
afterAll(async () => {
  await server.stop();
  await proxy.close();
  await discardDatabase(own);
  await wonderful.close();
});

/** What the cases speak of: two users of two tenants, a call of each, calls in several states, a training session. */
async function prepare(app: Running, mine: string, vars: Variables): Promise<void> {
  const variable = (name: string) => vars[name] ?? "";
  const theirs = await makeTenant(own.db);
  const theirKey = await makeKey(own.db, theirs, "admin");
  const post = async (path: string, body: object, key: string = known.apiKey) => {
    const { status, json } = await app.ask(key, "POST", path, body);
    expect([path, status, json]).toEqual([path, 201, json]);
  };
  const say = (type: string, id: string) =>
    app.post("/api/webhooks/vapi", signVapi(variable("VAPI_SECRET"), JSON.stringify({ type, call: { id } })));

  await post("/v1/members", { external_id: variable("USER_A"), role: "admin" });
  await post("/v1/users", { external_id: variable("USER_B") }, theirKey);
  const callOf = (name: string) => ({ provider: "vapi", provider_call_id: variable(name) });
  await post("/v1/calls", { ...callOf("CALL_A"), user_id: variable("USER_A") });
  await post("/v1/calls", { ...callOf("CALL_B"), user_id: variable("USER_B") }, theirKey);
  await useAsId(mine, variable("CALL_A"));
  await useAsId(theirs, variable("CALL_B"));
  await say("call.ended", variable("CALL_A"));
  for (const name of ["VAPI_CALL", "VAPI_CALL2"]) await post("/v1/calls", callOf(name));
  await say("call.answered", variable("VAPI_CALL2"));

  const callSid = `CA${"9".repeat(32)}`;
  await post("/v1/calls", { provider: "elevenlabs", provider_call_id: variable("EL_CONV"), call_sid: callSid });
  const path = "/webhook/call_status";
  const fields = new URLSearchParams({ CallSid: callSid, AccountSid: "AC1", CallStatus: "in-progress" }).toString();
  await app.post(path, signTwilio(variable("TWILIO_TOKEN"), variable("PUBLIC_URL") + path, fields));
  await post("/v1/training-sessions", { session_id: variable("SESSION") });
}

/** The cases name calls by ids of their own, which no route gives out: a new call takes it before anything points at it. */
async function useAsId(tenantId: string, id: string): Promise<void> {
  await own.db.inTransaction([tenantId], async (tx) => {
    await tx.run("update calls set id = $1::uuid where provider_call_id = $2", [id, id]);
    await tx.run("update call_aliases set call_id = $1::uuid where value = $2", [id, id]);
  });
}

const words: Readonly<Record<CallStatus, string>> = {
  queued: "QUEUED",
  ringing: "RINGING",
  in_progress: "IN_PROGRESS",
  ended: "ENDED",
  failed: "FAILED",
  canceled: "CANCELED",
  timeout: "TIMEOUT",
};

/** Where a call stands, in the words of the system that the cases were written for. */
async function statusOf(app: Running, providerCallId: string): Promise<string | null> {
  const { json } = await app.ask(known.apiKey, "GET", "/v1/calls?limit=100");
  const calls: Call[] = json.data;
  const call = calls.find(({ provider_call_id }) => provider_call_id === providerCallId);
  return call ? words[call.status] : null;
}

async function countEvents(tenantId: string): Promise<number> {
  const [row] = await own.db.inTransaction([tenantId], (tx) =>
    tx.rows<{ count: number }>("select count(*)::int as count from events"),
  );
  return row?.count ?? 0;
}

// Those that wait for the server to give up run beside the others, and are asked for last.
const inOrder = [...suite.cases].toSorted((a, b) => Number(isSlow(a)) - Number(isSlow(b)));

function isSlow(one: HttpCase | RawCase): boolean {
  return one.kind === "raw" && one.slow === true;
}

test.each(inOrder.map((one) => [one.id, one.title, one] as const))("%s: %s", async (id, _title, one) => {
  const faults = await (slow.get(id) ?? runner.run(one));
  expect(faults).toEqual([]);
});
