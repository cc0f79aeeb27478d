import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";

import { insertJob } from "#/evaluation/job-store.ts";
import { insertReplay } from "#/inbox/replay-store.ts";
import { systemClock } from "#/kernel/clock.ts";
import { createIds } from "#/kernel/ids.ts";

import type { TestApp } from "../harness/app.ts";
import { knownWav as wav } from "../harness/audio/known-call.ts";
import { customerOf, newUuid, randomToken, type Line } from "../harness/customer.ts";
import { fixture } from "../harness/fixture.ts";
import { startReceiver, type Receiver } from "../harness/receiver.ts";
import { startRecordingHost, type RecordingHost } from "../harness/recording-host.ts";

/** Servers that tests of the contract need besides ours. */
export type Others = {
  readonly host: RecordingHost;
  /** Where practice calls are read from. */
  readonly practice: Receiver;
  /** Refuses whatever is sent to it. */
  readonly failing: Receiver;
  close(): Promise<void>;
};

export async function startOthers(): Promise<Others> {
  const [host, practice, failing] = await Promise.all([startRecordingHost(), startReceiver(), startReceiver()]);
  host.serve((_request, response) => response.writeHead(200).end(wav));
  practice.answer({ status: 200, body: fixture("wonderful", "real-ish/transcript-records.json") });
  failing.answer({ status: 500 });
  return {
    host,
    practice,
    failing,
    close: async () => void (await Promise.all([host.close(), practice.close(), failing.close()])),
  };
}

/** What takes a journey to get: calls that were reported, what was made of them, and what people made of that. */
export function storiesOf(app: TestApp, { host, practice, failing }: Others, { tenantId, key }: TenantKey) {
  const customer = customerOf(app, { tenantId, key });
  const { get, post } = customer;
  const ids = createIds(systemClock);

  /** The call, when nothing is being made of it. */
  const rest = async (id: string): Promise<string> => {
    for (;;) {
      const { state, steps } = await get(`/v1/calls/${id}/steps`);
      const isBusy = steps.some((step: { state: string }) => ["blocked", "queued", "running"].includes(step.state));
      if (state === "settled" && !isBusy) return id;
      await systemClock.sleep(20);
    }
  };

  /** Reports a call to a source, and waits until everything was made of it. */
  const reported = async (messages: readonly object[], artifact: object): Promise<string> => {
    const vapi = await line("vapi", {});
    const providerCallId = newUuid();
    const { id } = await post("/v1/calls", { provider: "vapi", provider_call_id: providerCallId });
    await vapi.own({
      message: {
        type: "end-of-call-report",
        timestamp: Date.now(),
        endedReason: "customer-ended-call",
        call: { id: providerCallId, type: "inboundPhoneCall" },
        artifact: { messages, ...artifact },
      },
    });
    return rest(id);
  };
  const recorded = () => reported(spoken, { recording: { stereoUrl: `${host.url}/stereo.wav` } });
  const lines = new Map<string, Promise<Line>>();
  const line = (provider: "vapi" | "wonderful", changes: object): Promise<Line> => {
    const made = lines.get(provider) ?? customer.connect(provider, { ...changes });
    lines.set(provider, made);
    return made;
  };

  /** One for all requests that leave it as it is. */
  const ended = once(recorded);
  /** One for all requests that change it. */
  const changing = once(recorded);
  /** Its recording lies where nobody may be sent to. */
  const withoutSound = once(() => reported(spoken, { recordingUrl: "ftp://recordings.example.com/1.wav" }));
  /** Too short for the default plan, so nothing shows at it; and nobody wrote down when anything was said. */
  const short = once(() => reported([{ role: "bot", message: "Hello." }], {}));

  const recordingOf = async (call: Promise<string>): Promise<string> =>
    (await get(`/v1/calls/${await call}/recordings`)).data[0].id;

  const draft = async (): Promise<string> => (await post("/v1/analysis-plans", newPlan())).id;
  const published = async (): Promise<string> => {
    const id = await draft();
    await post(`/v1/analysis-plans/${id}/publish`, undefined);
    return id;
  };
  const grading = once(published);
  const testedPlan = async (): Promise<string> => {
    const id = await draft();
    await post(`/v1/analysis-plans/${id}/test-cases`, { call_id: await ended() });
    return id;
  };
  const testCase = async (): Promise<string> =>
    (await get(`/v1/analysis-plans/${await testedPlan()}/test-cases`)).data[0].id;
  const testJob = async (): Promise<string> =>
    (await post(`/v1/analysis-plans/${await testedPlan()}/test`, undefined)).id;
  const jobOver = async (call: Promise<string>): Promise<string> => {
    const order = { plan_id: await grading() };
    const { id } = await post(`/v1/calls/${await call}/analysis-runs`, order);
    while ((await get(`/v1/analysis-jobs/${id}`)).state !== "done") await systemClock.sleep(20);
    return id;
  };
  const runOf = async (call: Promise<string>): Promise<string> =>
    (await get(`/v1/analysis-jobs/${await jobOver(call)}/calls`)).data[0].run_id;
  /** Of a call that shows nothing, as it is until its pipeline comes to its end. */
  const runBesideNothing = async (): Promise<string> => {
    const id = await runOf(short());
    const { call_id } = await get(`/v1/analysis-runs/${id}`);
    await app.db.inTransaction([tenantId], (tx) =>
      tx.run("update analysis_runs set is_current = false where call_id = $1", [fromPublicId("call", call_id)]),
    );
    return id;
  };
  /** One that nobody works at, so that it is still running when it is held. */
  const jobRunning = async (): Promise<string> => {
    const row = {
      tenant_id: tenantId,
      id: ids.next(),
      kind: "bulk",
      plan_id: fromPublicId("analysis_plan", await grading()) ?? "",
      plan_version: 1,
      sections: ["summary"],
      filter: {},
      is_forced: true,
      rate_per_minute: 60,
      concurrency: 1,
      estimate: { engine: "builtin", model: null, input_tokens: 0, output_tokens: 0, money: null },
      actor: "test",
    } as const;
    await app.db.inTransaction([tenantId], (tx) => insertJob(tx, row));
    return toPublicId("analysis_job", row.id);
  };
  const jobPaused = async (): Promise<string> => {
    const id = await jobRunning();
    await post(`/v1/analysis-jobs/${id}/pause`, undefined);
    return id;
  };
  const promotion = async (): Promise<string> =>
    (await post(`/v1/analysis-runs/${await runOf(ended())}/promote`, undefined)).id;

  const trainingPlan = once(async (): Promise<string> => (await post("/v1/analysis-plans", ofTraining)).id);
  /** A session with feedback by an older version of the rubric than the one that is published now. */
  const graded = async (): Promise<string> => {
    const wonderful = await line("wonderful", { setup: { api: { base_url: practice.url } } });
    const session = await post("/v1/training-sessions", { session_id: newUuid() });
    const { status, text } = await wonderful.own({
      communication_id: randomToken("comm"),
      session_id: session.session_id,
    });
    if (status !== 200) throw new Error(`${status} ${text}`);
    const plan = await trainingPlan();
    const { versions } = await get(`/v1/analysis-plans/${plan}`);
    if (versions[0].status !== "draft") await post(`/v1/analysis-plans/${plan}/draft`, {});
    await post(`/v1/analysis-plans/${plan}/publish`, undefined);
    await customer.ask("PUT", "/v1/analysis-plans/order", { ids: [plan] });
    return session.id;
  };

  /** One that nobody works at, so that it is still running when it is canceled. */
  const replayRunning = async (): Promise<string> => {
    const row = { tenantId, id: ids.next(), filter: {}, actor: "test" };
    await app.db.inTransaction([tenantId], (tx) => insertReplay(tx, row));
    return toPublicId("replay", row.id);
  };

  const imported = async (): Promise<string> => (await customer.import("{}\n")).json.id;
  const importCut = async (): Promise<string> => {
    const id = await imported();
    await app.db.inTransaction([tenantId], (tx) =>
      tx.run("update imports set state = 'interrupted' where id = $1", [fromPublicId("import", id)]),
    );
    return id;
  };

  const deliveryFailed = async (): Promise<string> => {
    const type = `lead.q${newUuid().slice(0, 8)}`;
    await post("/v1/event-types", { name: type });
    const endpoint = await post("/v1/endpoints", { url: failing.url, types: [type], schedule_ms: [3_600_000] });
    const message = await post("/v1/messages", { type, data: {} });
    for (;;) {
      const { data } = await get(`/v1/deliveries?endpoint_id=${endpoint.id}&message_id=${message.id}`);
      if (data[0]?.attempt_count > 0 && data[0].state !== "claimed") return data[0].id;
      await systemClock.sleep(10);
    }
  };

  return {
    ended,
    short,
    changing: async () => rest(await changing()),
    recording: () => recordingOf(ended()),
    recordingLost: () => recordingOf(withoutSound()),
    recordingToChange: async () => recordingOf(rest(await changing())),
    draft,
    published,
    grading,
    testedPlan,
    testCase,
    testJob,
    jobOver: () => jobOver(ended()),
    run: () => runOf(ended()),
    runBesideNothing,
    jobRunning,
    jobPaused,
    promotion,
    graded,
    replayRunning,
    imported,
    importCut,
    deliveryFailed,
  };
}

type TenantKey = { readonly tenantId: string; readonly key: string };
export type Stories = ReturnType<typeof storiesOf>;

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => (made ??= make());
}

/** A plan for no call that comes in by itself: there is no such provider. */
function newPlan() {
  return {
    name: "Greeting",
    definition: {
      applies_when: { purposes: ["training"], providers: ["nobody"] },
      gates: { min_turns: 0, min_customer_words: 0 },
      rubric: { criteria: [greeting] },
    },
  };
}

const greeting = {
  id: "hello",
  name: "Says hello",
  kind: "phrase",
  phrase: { id: "hello", name: "Hello", any_of: ["hello"] },
};
const ofTraining = {
  name: "Practice",
  definition: {
    applies_when: { purposes: ["training"] },
    gates: { min_turns: 0, min_customer_words: 0 },
    rubric: { criteria: [greeting] },
  },
};

const spoken = [
  { role: "bot", message: "Good evening, this is the night desk.", secondsFromStart: 0, endTime: 2, time: 1 },
  { role: "user", message: "I am locked out of my flat in Tel Aviv.", secondsFromStart: 3, endTime: 6, time: 4 },
];
