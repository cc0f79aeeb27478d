import { randomUUID } from "node:crypto";

import { systemClock } from "#/kernel/clock.ts";

import { known, type TestApp } from "../harness/app.ts";
import { randomToken } from "../harness/customer.ts";
import type { Receiver } from "../harness/receiver.ts";
import { signVapi } from "../harness/sign.ts";
import type { Stories } from "./stories.ts";

/** A request that succeeds, made anew each time it is asked for: what it names exists and has not been used up. */
export type Request = {
  readonly path: string;
  readonly body?: unknown;
  /** Instead of a body, of a route that takes a file. */
  readonly file?: string;
};
export type Requests = Readonly<Record<string, () => Promise<Request>>>;

/** The operator's key: it may use every route. */
export const key = known.apiKey;

/** For each route that needs more than its path a request that it takes. */
export function requestsFor(app: TestApp, receiver: Receiver, stories: Stories): Requests {
  const ask = async (method: string, path: string, body?: unknown) => {
    const { status, json } = await app.ask(key, method, path, body);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(json)}`);
    return json;
  };
  const idOf = async (path: string, body: unknown): Promise<string> => (await ask("POST", path, body)).id;
  const user = () => ({ external_id: randomToken("user") });
  const member = () => idOf("/v1/members", { ...user(), role: "viewer" });
  const pastCall = () => `${JSON.stringify({ id: randomUUID(), status: "completed" })}\n`;
  const apiKey = () => idOf("/v1/api-keys", { name: "one more" });
  const tenant = async (): Promise<string> => (await ask("POST", "/v1/tenants", newTenant())).tenant.id;
  const newTenant = () => ({ slug: randomToken("t"), name: "Another" });
  const login = () => ({ name: "Login", issuer: `https://${randomToken("i")}.example/`, jwks_url: receiver.url });
  const source = () => idOf("/v1/sources", newSource());
  const newSource = () => ({
    slug: randomToken("vapi"),
    provider: "vapi",
    secrets: [{ slot: "secret", value: randomToken("s") }],
  });
  const newCall = () => ({ provider: "vapi", provider_call_id: randomUUID(), to: "+972521234567" });
  const call = () => idOf("/v1/calls", newCall());
  const campaign = () => idOf("/v1/campaigns", { name: "Spring" });
  const assignment = () => idOf("/v1/assignments", { title: "Objections" });
  const newEndpoint = () => ({ url: receiver.url });
  const endpoint = () => idOf("/v1/endpoints", newEndpoint());
  const typeName = () => `lead.q${randomUUID().slice(0, 8)}`;
  const eventType = async () => (await ask("POST", "/v1/event-types", { name: typeName() })).name as string;

  const { ended } = stories;
  const event = async (): Promise<string> => {
    await ended();
    for (;;) {
      const { data } = await ask("GET", "/v1/events?order=newest&limit=1");
      if (data.length > 0) return data[0].id;
      await systemClock.sleep(5);
    }
  };
  const message = async (): Promise<string> => {
    await endpoint();
    const { name } = await ask("POST", "/v1/event-types", { name: typeName() });
    return idOf("/v1/messages", { type: name, data: {} });
  };
  const delivery = async (): Promise<string> => {
    const id = await message();
    return (await ask("GET", `/v1/messages/${id}`)).deliveries[0].id;
  };
  const deliveryOver = async (): Promise<string> => {
    const id = await delivery();
    while (!["delivered", "undelivered"].includes((await ask("GET", `/v1/deliveries/${id}`)).state)) {
      await systemClock.sleep(5);
    }
    return id;
  };
  const quarantined = async (): Promise<string> => {
    await app.post("/webhooks/vapi", signVapi(randomToken("wrong"), "{}"));
    for (;;) {
      const { data } = await ask("GET", "/v1/quarantine?limit=1");
      if (data.length > 0) return data[0].id;
      await systemClock.sleep(5);
    }
  };
  /** What an endpoint that was made later should get once more. */
  const resendBody = async () => {
    for (let i = 0; i < 3; i++) await message();
    return { mode: "missing", endpoint_id: await endpoint(), since: new Date(Date.now() - 3_600_000).toISOString() };
  };
  /** One that goes on for a while: a second for each message. */
  const resend = async (): Promise<string> =>
    (await ask("POST", "/v1/resends", { ...(await resendBody()), rate_per_second: 1 })).resend.id;
  const replay = async (): Promise<string> => {
    await event();
    return (await ask("POST", "/v1/events/replay", {})).replay.id;
  };
  const secretOf = async (sourceId: string): Promise<string> =>
    (await ask("POST", `/v1/sources/${sourceId}/secrets`, { slot: "secret", value: randomToken("s") })).id;

  const at = (path: string, make: () => Promise<string>, body?: unknown) => async (): Promise<Request> => ({
    path: path.replace("{id}", await make()),
    ...(body !== undefined && { body }),
  });
  const to = (path: string, body: () => unknown) => async (): Promise<Request> => ({ path, body: body() });

  return {
    createApiKey: to("/v1/api-keys", () => ({ name: "a key" })),
    revokeApiKey: at("/v1/api-keys/{id}", apiKey),
    rotateApiKey: at("/v1/api-keys/{id}/rotate", apiKey, {}),
    createUser: to("/v1/users", user),
    createTenant: to("/v1/tenants", newTenant),
    getTenant: at("/v1/tenants/{id}", tenant),
    deleteTenant: at("/v1/tenants/{id}", tenant),
    getPrivateTargets: at("/v1/tenants/{id}/private-targets", tenant),
    putPrivateTargets: at("/v1/tenants/{id}/private-targets", tenant, { blocks: ["10.0.0.0/8"] }),
    createMember: to("/v1/members", () => ({ ...user(), role: "viewer" })),
    getMember: at("/v1/members/{id}", member),
    updateMember: at("/v1/members/{id}", member, { name: "Anna" }),
    removeMember: at("/v1/members/{id}", member),
    createIdentityProvider: to("/v1/identity-providers", login),
    getIdentityProvider: at("/v1/identity-providers/{id}", () => idOf("/v1/identity-providers", login())),
    deleteIdentityProvider: at("/v1/identity-providers/{id}", () => idOf("/v1/identity-providers", login())),
    createEmbedToken: to("/v1/embed-tokens", () => ({ business_id: "10" })),
    createSource: to("/v1/sources", newSource),
    getSource: at("/v1/sources/{id}", source),
    pullSource: at("/v1/sources/{id}/pull", source),
    importCalls: async () => ({ path: "/v1/imports", file: pastCall() }),
    getImport: at("/v1/imports/{id}", stories.imported),
    resumeImport: async () => ({ path: `/v1/imports/${await stories.importCut()}/resume`, file: pastCall() }),
    cancelImport: at("/v1/imports/{id}/cancel", stories.importCut),
    updateSource: at("/v1/sources/{id}", source, { name: "Renamed" }),
    deleteSource: at("/v1/sources/{id}", source),
    listSourceSecrets: at("/v1/sources/{id}/secrets", source),
    addSourceSecret: at("/v1/sources/{id}/secrets", source, { slot: "secret", value: "another-secret-value" }),
    rotateSourceSecret: at("/v1/sources/{id}/secrets/rotate", source, { slot: "secret" }),
    deleteSourceSecret: async () => {
      const id = await source();
      return { path: `/v1/sources/${id}/secrets/${await secretOf(id)}` };
    },
    cancelReplay: at("/v1/replays/{id}/cancel", stories.replayRunning),
    getEvent: at("/v1/events/{id}", event),
    replayEvent: at("/v1/events/{id}/replay", event),
    replayEvents: to("/v1/events/replay", () => ({})),
    getReplay: at("/v1/replays/{id}", replay),
    replayQuarantined: at("/v1/quarantine/{id}/replay", quarantined),
    replayQuarantine: async () => ({ path: "/v1/quarantine/replay", body: { source: await source() } }),
    registerCall: to("/v1/calls", newCall),
    getCall: at("/v1/calls/{id}", call),
    updateCall: at("/v1/calls/{id}", call, { metadata: { crm: 1 } }),
    eraseCall: at("/v1/calls/{id}?reason=asked", call),
    findInCall: at("/v1/calls/{id}/matches?q=hello", ended),
    getCallSteps: at("/v1/calls/{id}/steps", ended),
    retryCallStep: at("/v1/calls/{id}/steps/transcribe/retry", stories.changing),
    getCallAnalysis: at("/v1/calls/{id}/analysis", ended),
    getCallCosts: at("/v1/calls/{id}/costs", ended),
    getCallMetrics: at("/v1/calls/{id}/metrics", ended),
    retrySteps: async () => {
      await stories.changing();
      return { path: "/v1/steps/retry", body: { step: "transcribe", state: "skipped" } };
    },
    editTranscript: at("/v1/calls/{id}/transcript", stories.changing, { turns: said }),
    listRecordings: at("/v1/calls/{id}/recordings", ended),
    getRecording: at("/v1/recordings/{id}", stories.recording),
    createRecordingLink: at("/v1/recordings/{id}/link", stories.recording, {}),
    getRecordingPeaks: at("/v1/recordings/{id}/peaks", stories.recording),
    setChannelMap: at("/v1/recordings/{id}/channel-map", stories.recordingToChange, { roles: ["agent", "customer"] }),
    putLanguageEngine: to("/v1/engines/language", () => ({ model: "m", base_url: receiver.url })),
    putSpeechEngine: to("/v1/engines/speech", () => ({ model: "m", base_url: receiver.url })),
    testLanguageEngine: to("/v1/engines/language/test", () => ({})),
    testSpeechEngine: to("/v1/engines/speech/test", () => ({})),
    createAnalysisPlan: to("/v1/analysis-plans", () => ({ name: "Later" })),
    orderAnalysisPlans: async () => ({ path: "/v1/analysis-plans/order", body: { ids: [await stories.grading()] } }),
    getAnalysisPlan: at("/v1/analysis-plans/{id}", stories.draft),
    updateAnalysisPlan: at("/v1/analysis-plans/{id}", stories.draft, { name: "Changed" }),
    publishAnalysisPlan: at("/v1/analysis-plans/{id}/publish", stories.draft),
    draftAnalysisPlan: at("/v1/analysis-plans/{id}/draft", stories.published, {}),
    archiveAnalysisPlan: at("/v1/analysis-plans/{id}/archive", stories.published),
    previewAnalysisPlan: async () => ({
      path: `/v1/analysis-plans/${await stories.draft()}/preview`,
      body: { call_ids: [await ended()] },
    }),
    listTestCases: at("/v1/analysis-plans/{id}/test-cases", stories.testedPlan),
    createTestCase: async () => ({
      path: `/v1/analysis-plans/${await stories.draft()}/test-cases`,
      body: { call_id: await ended() },
    }),
    deleteTestCase: at("/v1/test-cases/{id}", stories.testCase),
    testAnalysisPlan: at("/v1/analysis-plans/{id}/test", stories.testedPlan),
    getTestResult: at("/v1/analysis-jobs/{id}/test-result", stories.testJob),
    getAgreement: at("/v1/analysis-plans/{id}/agreement", stories.grading),
    listCallScores: at("/v1/calls/{id}/scores", ended),
    listAnalysisRuns: at("/v1/calls/{id}/analysis-runs", ended),
    rerunAnalysis: at("/v1/calls/{id}/analysis-runs", ended, {}),
    getAnalysisRun: at("/v1/analysis-runs/{id}", stories.run),
    compareAnalysisRuns: at("/v1/analysis-runs/{id}/comparison", stories.run),
    promoteAnalysisRun: at("/v1/analysis-runs/{id}/promote", stories.run),
    overrideCriterion: at("/v1/analysis-runs/{id}/overrides", stories.run, {
      criterion_id: "hello",
      verdict: "met",
      reason: "missing_evidence",
    }),
    reviewAnalysisRun: at("/v1/analysis-runs/{id}/reviews", stories.run, { state: "submitted" }),
    createAnalysisJob: async () => ({
      path: "/v1/analysis-jobs",
      body: { plan_id: await stories.grading(), filter: { call_ids: [await ended()] }, force: true },
    }),
    getAnalysisJob: at("/v1/analysis-jobs/{id}", stories.jobOver),
    listAnalysisJobCalls: at("/v1/analysis-jobs/{id}/calls", stories.jobOver),
    compareAnalysisJob: at("/v1/analysis-jobs/{id}/comparison", stories.jobOver),
    pauseAnalysisJob: at("/v1/analysis-jobs/{id}/pause", stories.jobRunning),
    resumeAnalysisJob: at("/v1/analysis-jobs/{id}/resume", stories.jobPaused),
    cancelAnalysisJob: at("/v1/analysis-jobs/{id}/cancel", stories.jobPaused),
    promoteAnalysisJob: at("/v1/analysis-jobs/{id}/promote", stories.jobOver),
    revertPromotion: at("/v1/analysis-promotions/{id}/revert", stories.promotion),
    regenerateTrainingFeedback: at("/v1/training-sessions/{id}/regenerate", stories.graded),
    getTimeline: at("/v1/calls/{id}/timeline", call),
    listMoments: at("/v1/calls/{id}/moments", ended),
    getTranscript: at("/v1/calls/{id}/transcript", ended),
    exportText: at("/v1/calls/{id}/transcript/txt", ended),
    exportSrt: at("/v1/calls/{id}/transcript/srt", ended),
    exportVtt: at("/v1/calls/{id}/transcript/vtt", ended),
    exportCsv: at("/v1/calls/{id}/transcript/csv", ended),
    createCampaign: to("/v1/campaigns", () => ({ name: "Spring" })),
    getCampaign: at("/v1/campaigns/{id}", campaign),
    getCampaignProgress: at("/v1/campaigns/{id}/progress", campaign),
    addCampaignCalls: async () => ({ path: `/v1/campaigns/${await campaign()}/calls`, body: { calls: [newCall()] } }),
    pauseCampaign: at("/v1/campaigns/{id}/pause", campaign),
    resumeCampaign: at("/v1/campaigns/{id}/resume", async () => {
      const id = await campaign();
      await ask("POST", `/v1/campaigns/${id}/pause`);
      return id;
    }),
    createAssignment: to("/v1/assignments", () => ({ title: "Objections" })),
    getAssignment: at("/v1/assignments/{id}", assignment),
    createTrainingSession: async () => ({
      path: "/v1/training-sessions",
      body: { assignment_id: await assignment() },
    }),
    getTrainingSession: at("/v1/training-sessions/{id}", async () =>
      idOf("/v1/training-sessions", { assignment_id: await assignment() }),
    ),
    createEndpoint: to("/v1/endpoints", newEndpoint),
    getEndpoint: at("/v1/endpoints/{id}", endpoint),
    updateEndpoint: at("/v1/endpoints/{id}", endpoint, { description: "changed" }),
    deleteEndpoint: at("/v1/endpoints/{id}", endpoint),
    revealEndpointSecret: at("/v1/endpoints/{id}/secret", endpoint),
    rotateEndpointSecret: at("/v1/endpoints/{id}/secret/rotate", endpoint, {}),
    getEndpointHealth: at("/v1/endpoints/{id}/health", endpoint),
    testEndpoint: at("/v1/endpoints/{id}/test", endpoint, {}),
    listEndpointPublicKeys: at("/v1/endpoints/{id}/public-keys", endpoint),
    previewMapping: to("/v1/mappings/preview", () => ({ mapping: { steps: [{ op: "drop", paths: ["data"] }] } })),
    listMessageSamples: async () => ({ path: "/v1/messages/samples?type=call.completed" }),
    getMessage: at("/v1/messages/{id}", message),
    getDelivery: at("/v1/deliveries/{id}", delivery),
    retryDelivery: at("/v1/deliveries/{id}/retry?force=true", stories.deliveryFailed),
    cancelDeliveries: async () => ({
      path: "/v1/deliveries/cancel",
      body: { delivery_ids: [await stories.deliveryFailed()] },
    }),
    createResend: async () => ({ path: "/v1/resends", body: await resendBody() }),
    getResend: at("/v1/resends/{id}", resend),
    pauseResend: at("/v1/resends/{id}/pause", resend),
    resumeResend: at("/v1/resends/{id}/resume", async () => {
      const id = await resend();
      await ask("POST", `/v1/resends/${id}/pause`);
      return id;
    }),
    cancelResend: at("/v1/resends/{id}/cancel", resend),
    resendDelivery: at("/v1/deliveries/{id}/resend", deliveryOver, {}),
    resendMessage: async () => {
      const to = await endpoint();
      return { path: `/v1/messages/${await message()}/resend`, body: { endpoint_id: to } };
    },
    expungePayload: at("/v1/messages/{id}/payload", message),
    holdCall: at("/v1/calls/{id}/hold", call, { reason: "a dispute" }),
    setRetention: to("/v1/retention", () => ({ recordings_days: 30, content_days: null })),
    createEventType: to("/v1/event-types", () => ({ name: typeName() })),
    getEventType: at("/v1/event-types/{id}", eventType),
    updateEventType: at("/v1/event-types/{id}", eventType, { title: "Changed" }),
    archiveEventType: at("/v1/event-types/{id}", eventType),
    publishMessage: async () => ({ path: "/v1/messages", body: { type: await eventType(), data: {} } }),
  };
}

const said = [
  { role: "agent", text: "Good evening, this is the day desk.", start_ms: 0, end_ms: 2_000 },
  { role: "customer", text: "I am locked out of my flat in Haifa.", start_ms: 3_000, end_ms: 6_000 },
];
