import { randomUUID } from "node:crypto";

import type { TestApp } from "../harness/app.ts";
import { randomToken } from "../harness/customer.ts";
import { key, type Request, type Requests } from "./requests.ts";
import type { Stories } from "./stories.ts";

/** For each route that the state of something can forbid a request that it does. `stories` and `requests` make what it is about. */
export function conflictsFor(requests: Requests, app: TestApp, stories: Stories): Requests {
  const ask = async (method: string, path: string, body?: unknown) => {
    const { status, json } = await app.ask(key, method, path, body);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(json)}`);
    return json;
  };
  const made = async (name: string): Promise<Request> => {
    const make = requests[name];
    if (!make) throw new Error(`There is no request for ${name}`);
    return make();
  };
  /** What can be done once. */
  const again = (name: string) => async (): Promise<Request> => {
    const request = await made(name);
    await ask("POST", request.path, request.body);
    return request;
  };
  const of = (path: string, make: () => Promise<string>, body?: unknown) => async (): Promise<Request> => ({
    path: path.replace("{id}", await make()),
    ...(body !== undefined && { body }),
  });

  return {
    ...Object.fromEntries(once.map((name) => [name, again(name)])),
    deleteTenant: of("/v1/tenants/{id}", async () => (await ask("GET", "/v1/whoami")).tenant.id),
    deleteSource: of("/v1/sources/{id}", async () => {
      await stories.ended();
      return (await ask("GET", "/v1/events?order=newest&limit=1")).data[0].source_id;
    }),
    addSourceSecret: again("addSourceSecret"),
    resumeImport: async () => ({ path: `/v1/imports/${await stories.imported()}/resume`, file: "{}\n" }),
    cancelImport: of("/v1/imports/{id}/cancel", stories.imported),
    createEndpoint: async () => {
      const { path, body } = await made("createEndpoint");
      const named = { ...(body as object), uid: randomToken("uid") };
      await ask("POST", path, named);
      return { path, body: named };
    },
    createResend: async () => {
      const { path, body } = await made("createResend");
      await ask("DELETE", `/v1/endpoints/${(body as { endpoint_id: string }).endpoint_id}`);
      return { path, body };
    },
    updateCall: async () => {
      const request = await made("updateCall");
      await ask("DELETE", request.path);
      return request;
    },
    updateEndpoint: async () => {
      const { path } = await made("updateEndpoint");
      const { path: other } = await made("updateEndpoint");
      const uid = randomToken("uid");
      await ask("PATCH", other, { uid });
      return { path, body: { uid } };
    },
    updateEventType: async () => ({ path: "/v1/event-types/call.ended", body: { title: "Ours" } }),
    archiveEventType: async () => ({ path: "/v1/event-types/call.ended" }),
    eraseCall: async () => {
      const { path } = await made("holdCall");
      await ask("PUT", path, { reason: "a dispute" });
      return { path: path.replace(/\/hold$/, "") };
    },
    // Before it is over nothing is made of a call.
    editTranscript: async () => ({
      ...(await made("editTranscript")),
      path: `${(await made("getCall")).path}/transcript`,
    }),
    setChannelMap: of("/v1/recordings/{id}/channel-map", stories.recordingLost, { roles: ["agent", "customer"] }),
    exportSrt: of("/v1/calls/{id}/transcript/srt", stories.short),
    exportVtt: of("/v1/calls/{id}/transcript/vtt", stories.short),
    updateAnalysisPlan: of("/v1/analysis-plans/{id}", stories.published, { name: "Too late" }),
    testAnalysisPlan: of("/v1/analysis-plans/{id}/test", stories.published),
    getTestResult: of("/v1/analysis-jobs/{id}/test-result", stories.jobOver),
    compareAnalysisRuns: of("/v1/analysis-runs/{id}/comparison", stories.runBesideNothing),
    promoteAnalysisJob: async () => {
      const { path, body } = await made("previewAnalysisPlan");
      const { id } = await ask("POST", path, body);
      return { path: `/v1/analysis-jobs/${id}/promote` };
    },
    // What succeeded is not done again, but analysed once more.
    retryCallStep: of("/v1/calls/{id}/steps/summarise/retry", stories.ended),
    retryDelivery: async () => {
      const { path } = await made("resendDelivery");
      return { path: path.replace(/resend$/, "retry") };
    },
    resendDelivery: of("/v1/deliveries/{id}/resend", stories.deliveryFailed, {}),
    resendMessage: async () => {
      const { path, body } = await made("resendMessage");
      await ask("DELETE", path.replace(/resend$/, "payload"));
      return { path, body };
    },
    createCampaign: async () => {
      const body = { name: "Spring", external_id: randomUUID() };
      await ask("POST", "/v1/campaigns", body);
      return { path: "/v1/campaigns", body };
    },
    createTrainingSession: async () => {
      const body = { session_id: randomUUID() };
      await ask("POST", "/v1/training-sessions", body);
      return { path: "/v1/training-sessions", body };
    },
    publishMessage: async () => {
      const { path, body } = await made("publishMessage");
      const named = { ...(body as object), message_id: randomUUID() };
      await ask("POST", path, named);
      return { path, body: named };
    },
  };
}

/** What the same request does not do twice. */
const once = [
  "createMember",
  "createUser",
  "createTenant",
  "createSource",
  "createIdentityProvider",
  "createEventType",
  "rotateApiKey",
  "createTestCase",
  "publishAnalysisPlan",
  "draftAnalysisPlan",
  "pauseAnalysisJob",
  "resumeAnalysisJob",
  "cancelAnalysisJob",
  "promoteAnalysisRun",
  "revertPromotion",
  "reviewAnalysisRun",
  "pauseResend",
  "resumeResend",
  "cancelResend",
  "cancelReplay",
  "regenerateTrainingFeedback",
] as const;
