import { afterAll, beforeAll, expect, test } from "vitest";

import { knownCall, knownWav as wav } from "../../test/harness/audio/known-call.ts";
import { startRecordingHost } from "../../test/harness/recording-host.ts";
import { loadMetrics } from "./metric-store.ts";
import { loadSteps } from "./store.ts";
import { pipelineSetup } from "./test-setup.ts";

let setup: Awaited<ReturnType<typeof pipelineSetup>>;
let host: Awaited<ReturnType<typeof startRecordingHost>>;
beforeAll(async () => {
  [setup, host] = await Promise.all([pipelineSetup(), startRecordingHost()]);
  host.serve((_request, response) => response.writeHead(200).end(wav));
});
afterAll(() => Promise.all([setup.close(), host.close()]));

test("a stereo recording of which nobody says who is on which channel: the times of what was said tell", async () => {
  const turns = [...knownCall.turns];
  const recording = { status: "available", url: `${host.url}/a.wav`, duration_ms: null, channels: null } as const;
  const facts = { recording, duration_ms: knownCall.durationMs };
  const ids = await setup.makeCall(await setup.makeTenant(), { turns, facts });
  await setup.bench().run(ids);
  const { sets, step } = await setup.db.inTransaction([ids.tenantId], async (tx) => ({
    sets: await loadMetrics(tx, ids.tenantId, ids.callId),
    step: (await loadSteps(tx, ids.tenantId, ids.callId)).find(({ row }) => row.step === "measure_audio")?.row,
  }));
  expect(step).toMatchObject({
    state: "succeeded",
    detail: "Which channel is whose follows from the times of the transcript: customer, agent.",
  });
  const [audio, text] = ["audio", "text"].map((basis) =>
    sets.find((set) => set.basis === basis)?.values.find(({ key, role }) => key === "talk_ratio" && role === "agent"),
  );
  expect(audio?.basis).toBe("audio_vad");
  expect(Math.abs((audio?.value ?? 0) - (text?.value ?? 1))).toBeLessThan(0.02);
});
