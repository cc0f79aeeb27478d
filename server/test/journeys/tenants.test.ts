import { randomUUID } from "node:crypto";

import type { Route } from "@aftercall/contract/api.ts";
import { fromPublicId, idPrefixes, toPublicId, type IdKind } from "@aftercall/contract/id.ts";
import { routes } from "@aftercall/contract/routes.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, randomToken, type Customer } from "../harness/customer.ts";
import { fixture } from "../harness/fixture.ts";
import { startReceiver, type Receiver } from "../harness/receiver.ts";
import { signVapi } from "../harness/sign.ts";

let app: TestApp;
let receiver: Receiver;
let rich: Customer;
let stranger: Customer;
/** One id of everything that the rich customer has. */
const owned = new Map<IdKind, string>();

beforeAll(async () => {
  app = await startTestApp();
  receiver = await startReceiver();
  [rich, stranger] = [await makeCustomer(app), await makeCustomer(app)];
  await fill(rich);
});
afterAll(async () => {
  await receiver.close();
  await app.stop();
});

async function fill(customer: Customer): Promise<void> {
  const endpoint = await customer.subscribe(receiver);
  const vapi = await customer.connect("vapi");
  await app.post(`/webhooks/${vapi.source.slug}`, signVapi("wrong", "{}"));
  await vapi.own(fixture("vapi", "real/end-of-call-report.json"));
  const user = await customer.post("/v1/members", { external_id: randomToken("user"), role: "viewer" });
  const login = { name: "Login", issuer: "https://login.example.com/", jwks_url: receiver.url };
  const provider = await customer.post("/v1/identity-providers", login);
  const key = await customer.post("/v1/api-keys", { name: "second" });
  const assignment = await customer.post("/v1/assignments", { title: "Objections" });
  const session = await customer.post("/v1/training-sessions", { assignment_id: assignment.id });
  const { replay } = await customer.post("/v1/events/replay", {});
  const first = async (path: string): Promise<string> => (await customer.get(path)).data[0].id;
  const [event] = await customer.events();
  const message = await first("/v1/messages");
  await customer.post(`/v1/messages/${message}/resend`, { endpoint_id: endpoint.id });
  await customer.post("/v1/event-types", { name: ownType });
  const recording = await addRecording(customer.tenantId, await first("/v1/calls"));
  const plan = await customer.post("/v1/analysis-plans", { name: "Sales" });
  await customer.post(`/v1/analysis-plans/${plan.id}/publish`, undefined);
  const callId = await first("/v1/calls");
  await customer.post(`/v1/calls/${callId}/analysis-runs`, { plan_id: plan.id });
  const run = await runOf(customer, callId);
  const promotion = await customer.post(`/v1/analysis-runs/${run}/promote`, undefined);
  const testCase = await customer.post(`/v1/analysis-plans/${plan.id}/test-cases`, { call_id: callId });
  const tested = await customer.post(`/v1/analysis-plans/${plan.id}/test`, undefined);
  const all: [IdKind, string][] = [
    ["analysis_plan", plan.id],
    ["analysis_job", tested.id],
    ["analysis_run", run],
    ["analysis_promotion", promotion.id],
    ["test_case", testCase.id],
    ["source", vapi.source.id],
    ["source_secret", vapi.source.secrets[0]?.id ?? ""],
    ["quarantined", await first("/v1/quarantine")],
    ["event", event?.id ?? ""],
    ["replay", replay.id],
    ["call", await first("/v1/calls")],
    ["campaign", await first("/v1/campaigns")],
    ["assignment", assignment.id],
    ["training_session", session.id],
    ["endpoint", endpoint.id],
    ["message", message],
    ["resend", await first("/v1/resends")],
    ["recording", recording],
    ["delivery", await first("/v1/deliveries")],
    ["user", user.id],
    ["identity_provider", provider.id],
    ["api_key", key.id],
    ["import", (await customer.import("{}\n")).json.id],
  ];
  for (const [kind, id] of all) owned.set(kind, id);
}

/** Recordings are made by the pipeline; one more is enough here. */
async function addRecording(tenantId: string, callId: string): Promise<string> {
  const id = randomUUID();
  await app.db.inTransaction([tenantId], (tx) =>
    tx.run(
      `insert into recordings (tenant_id, id, call_id, kind, state, source_digest) values ($1, $2, $3, 'original', 'pending', '')`,
      [tenantId, id, fromPublicId("call", callId)],
    ),
  );
  return toPublicId("recording", id);
}

/** The run that a call was given by hand: the pipeline's is current already. */
async function runOf(customer: Customer, callId: string): Promise<string> {
  for (;;) {
    const { data } = await customer.get(`/v1/calls/${callId}/analysis-runs`);
    const run = data.find((one: { trigger: string }) => one.trigger === "rerun");
    if (run) return run.id;
    await systemClock.sleep(20);
  }
}

/** What the id in a path names, by the word before it. */
const kinds: Readonly<Record<string, IdKind>> = {
  sources: "source",
  secrets: "source_secret",
  quarantine: "quarantined",
  events: "event",
  replays: "replay",
  calls: "call",
  campaigns: "campaign",
  assignments: "assignment",
  "training-sessions": "training_session",
  endpoints: "endpoint",
  messages: "message",
  deliveries: "delivery",
  users: "user",
  members: "user",
  "identity-providers": "identity_provider",
  "api-keys": "api_key",
  resends: "resend",
  "analysis-plans": "analysis_plan",
  "analysis-runs": "analysis_run",
  "analysis-jobs": "analysis_job",
  "analysis-promotions": "analysis_promotion",
  "test-cases": "test_case",
  recordings: "recording",
  imports: "import",
};

/** Event types are known by a name in place of an id. */
const ownType = "lead.qualified";

/** Bodies that would be accepted, were the thing one's own. */
const bodies: Readonly<Record<string, unknown>> = {
  addSourceSecret: { slot: "secret", value: "a-secret-of-a-stranger" },
  rotateSourceSecret: { slot: "secret" },
  rotateApiKey: {},
  addCampaignCalls: { calls: [{ provider: "vapi", provider_call_id: "of-a-stranger" }] },
  holdCall: { reason: "a lawsuit" },
  createTestCase: { call_id: toPublicId("call", randomUUID()) },
  previewAnalysisPlan: { call_ids: [toPublicId("call", randomUUID())] },
  editTranscript: { turns: [{ role: "agent", text: "Hello" }] },
  setChannelMap: { roles: ["agent"] },
  overrideCriterion: { criterion_id: "one", verdict: "met", reason: "other" },
  reviewAnalysisRun: { state: "draft" },
  resendMessage: { endpoint_id: toPublicId("endpoint", randomUUID()) },
};

function pathWith(route: Route, idOf: (kind: IdKind) => string): string {
  return route.path.replaceAll(/\/([\w-]+)\/:\w+/g, (_all, word: string) => {
    const kind = kinds[word];
    if (word === "steps") return `/${word}/score`;
    if (word === "event-types") return `/${word}/${ownType}`;
    if (!kind) throw new Error(`${route.path}: no kind of id is known for ${word}`);
    return `/${word}/${idOf(kind)}`;
  });
}

// What only the operator of a server may ask for is a test of its own (server/src/tenants/operator.test.ts).
const all = (Object.entries(routes) as [string, Route][]).filter(([, route]) => !route.path.startsWith("/v1/tenants"));
const named = all.filter(([, route]) => route.path.includes("/:"));
const lists = all.filter(([, route]) => route.method === "GET" && !route.path.includes("/:"));

test.each(named)(
  "%s: another tenant's id and a malformed one are the same 404 as one that was never given out",
  async (name, route) => {
    const body = route.body && (bodies[name] ?? {});
    const theirs = await stranger.ask(
      route.method,
      pathWith(route, (kind) => owned.get(kind) ?? ""),
      body,
    );
    const none = await stranger.ask(
      route.method,
      pathWith(route, (kind) => toPublicId(kind, randomUUID())),
      body,
    );
    const malformed = await stranger.ask(
      route.method,
      pathWith(route, (kind) => `${idPrefixes[kind]}_1`),
      body,
    );
    expect([theirs.status, none.status, malformed.status]).toEqual([404, 404, 404]);
    const shown = ({ request_id: _r, instance: _i, ...problem }: Record<string, unknown>) => problem;
    expect(shown(theirs.json)).toEqual(shown(none.json));
    expect(shown(malformed.json)).toEqual(shown(none.json));
  },
);

test("every id is good for its owner", async () => {
  for (const [, route] of named.filter(([, { method }]) => method === "GET")) {
    const answer = await rich.ask(
      "GET",
      pathWith(route, (kind) => owned.get(kind) ?? ""),
    );
    expect([route.path, answer.status]).toEqual([route.path, 200]);
  }
});

test.each(lists)("%s: a list holds nothing of another tenant", async (name, route) => {
  const { status, json } = await stranger.ask("GET", route.path + (neededQuery[name] ?? ""));
  expect(status).toBe(200);
  const text = JSON.stringify(json);
  for (const id of owned.values()) expect(text).not.toContain(id);
});

/** What a list does not go without. */
const neededQuery: Readonly<Record<string, string>> = { listMessageSamples: "?type=call.completed" };

test("filters and bodies that name another tenant's things find nothing", async () => {
  const id = (kind: IdKind) => owned.get(kind) ?? "";
  for (const path of [
    `/v1/calls?campaign=${id("campaign")}`,
    `/v1/events?call=${id("call")}`,
    `/v1/quarantine?source=${id("source")}`,
    `/v1/messages?call_id=${id("call")}`,
    `/v1/deliveries?endpoint_id=${id("endpoint")}`,
  ]) {
    expect([path, (await stranger.get(path)).data]).toEqual([path, []]);
  }
  const refused = [
    await stranger.ask("POST", "/v1/quarantine/replay", { source: id("source") }),
    await stranger.ask("POST", "/v1/training-sessions", { assignment_id: id("assignment") }),
    await stranger.ask("POST", "/v1/sources", { slug: randomToken("x"), provider: "vapi", user_id: id("user") }),
    await stranger.ask("POST", "/v1/calls", {
      provider: "vapi",
      provider_call_id: "x1",
      campaign: id("campaign"),
    }),
  ];
  expect(refused[0]?.json).toMatchObject({ accepted: 0, refused: 0 });
  for (const { status } of refused.slice(1, 3)) expect([404, 422]).toContain(status);
  const { data } = await stranger.get("/v1/calls");
  expect(data.map((call: { campaign_id: string | null }) => call.campaign_id)).not.toContain(id("campaign"));
});

test("a webhook of one tenant never reaches a call of another, whatever ids it names", async () => {
  const before = await rich.calls();
  const other = await makeCustomer(app);
  const vapi = await other.connect("vapi");
  await vapi.own({ type: "call.failed", call: { id: before[0]?.provider_call_id, endedReason: "assistant-error" } });
  expect(await rich.calls()).toEqual(before);
  expect(await other.calls()).toMatchObject([{ status: "failed" }]);
});

test("401: without a key, with a wrong one, with a revoked one", async () => {
  const path = `/v1/calls/${owned.get("call") ?? ""}`;
  const revoked = await rich.post("/v1/api-keys", { name: "revoked" });
  await rich.ask("DELETE", `/v1/api-keys/${revoked.id}`);
  for (const key of ["", "ac_dev_wrong", revoked.key]) {
    expect((await app.ask(key, "GET", path)).status).toBe(401);
  }
});
