import type { MetricSet } from "@aftercall/contract/analysis/metrics.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { channelMap } from "../harness/audio/files.ts";
import { knownCall, knownWav } from "../harness/audio/known-call.ts";
import { makeCustomer } from "../harness/customer.ts";
import { publishPlan, reportOf } from "../harness/read-call.ts";
import { startReceiver, type Receiver } from "../harness/receiver.ts";
import { startRecordingHost, type RecordingHost } from "../harness/recording-host.ts";

let app: TestApp;
let host: RecordingHost;
let receiver: Receiver;
beforeAll(async () => {
  [app, host, receiver] = await Promise.all([startTestApp(), startRecordingHost(), startReceiver()]);
  host.serve((_request, response) => response.writeHead(200, { "content-type": "audio/wav" }).end(knownWav));
});
afterAll(async () => {
  await Promise.all([host.close(), receiver.close()]);
  await app.stop();
});

test("no key anywhere: a stereo recording and a transcript give numbers, a summary, city and service, the part of the scorecard that can be computed, and call.completed, all labelled builtin", async () => {
  const customer = await makeCustomer(app);
  await publishPlan(customer, {
    transcription: { channel_map: channelMap },
    fields: [
      { name: "city", kind: "gazetteer", entries: [{ value: "בית שאן" }, { value: "בית שמש" }] },
      { name: "service_category", kind: "gazetteer", entries: [{ value: "Visits", aliases: ["visit"] }] },
    ],
    rubric: {
      criteria: [
        { id: "asks", name: "Asks", kind: "metric", metric: { key: "questions", role: "agent", op: ">=", value: 1 } },
        { id: "talks", name: "Leaves room", kind: "metric", metric: { key: "talk_ratio", op: "<", value: 0.9 } },
        { id: "kind", name: "Is kind", kind: "check", description: "The agent is kind" },
      ],
    },
  });
  await customer.subscribe(receiver, { types: ["call.completed"] });
  const vapi = await customer.connect("vapi");
  const said = knownCall.turns.map(({ role, text }) => [role, text] as const);
  await vapi.own(reportOf(said, { recording: { stereoUrl: `${host.url}/call.wav` } }));
  await customer.settled();
  const [message] = await receiver.waitFor(1);
  const { data } = JSON.parse(message?.body.toString() ?? "");
  const { analysis } = data;
  expect(data.call).toMatchObject({ city: "בית שאן", service_category: "Visits" });
  expect(analysis).toMatchObject({
    engine: { kind: "builtin" },
    summary: { method: "extractive" },
    sections: {
      summary: { state: "succeeded", engine: { kind: "builtin" } },
      extraction: { state: "succeeded", engine: { kind: "builtin" } },
      evaluation: { state: "partial", reason: "no_engine", engine: { kind: "builtin" } },
    },
    evaluation: { score: 100, results: [{ verdict: "met" }, { verdict: "met" }, { unknown_reason: "needs_llm" }] },
  });
  expect(analysis.evaluation.coverage).toBeCloseTo(2 / 3);
  const [audio, text] = analysis.metrics as MetricSet[];
  expect([audio?.basis, text?.basis]).toEqual(["audio", "text"]);
  const ratio = audio?.values.find(({ key, role }) => key === "talk_ratio" && role === "agent");
  expect(ratio).toMatchObject({ value: expect.any(Number), basis: "audio_vad" });
});
