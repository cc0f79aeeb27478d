import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { plainCall } from "#/models/language/test-model.ts";

import { pipelineHandlers } from "./routes.ts";
import { pipelineSetup } from "./test-setup.ts";

let setup: Awaited<ReturnType<typeof pipelineSetup>>;
beforeAll(async () => {
  setup = await pipelineSetup();
});
afterAll(() => setup.close());
afterEach(() => setup.model.answer({ status: 200 }));

type Ids = { readonly tenantId: string; readonly callId: string };

async function shown({ tenantId: tenant, callId: id }: Ids, { isOn = true } = {}) {
  const handlers = pipelineHandlers({ db: setup.db, ids: setup.ids, enqueueCalls: async () => {}, isOn });
  const actor = { kind: "system", id: "test", role: "owner" } as const;
  return handlers.getCallSteps({ tenant, actor, params: { id }, query: undefined, body: undefined });
}

test("while a recording does not come, every stage that waits for it says so, with what is wrong and when it is tried again", async () => {
  setup.model.answer({ status: 503 });
  const recording = { status: "available", url: `${setup.model.url}a.wav`, duration_ms: null, channels: null } as const;
  const ids = await setup.makeCall(await setup.makeTenant(), { facts: { recording } });
  await setup.bench({ withSpeech: true }).run(ids);
  const { state, settle_by, steps } = await shown(ids);
  expect([state, settle_by]).toEqual(["running", new Date(setup.clock.now() + 3_600_000).toISOString()]);
  const fetch = steps.find(({ step }) => step === "fetch_recording");
  expect(fetch).toMatchObject({ state: "queued", detail: expect.any(String), next_attempt_at: expect.any(String) });
  const waiting = steps.filter((one) => one.state === "blocked");
  expect(waiting.map(({ step }) => step)).toContain("settle");
  const why = `Waits for fetch_recording, which is looked at again at ${fetch?.next_attempt_at}: ${fetch?.detail}`;
  for (const { step, detail } of waiting)
    expect([step, detail?.replace(/\.$/, "")]).toEqual([step, why.replace(/\.$/, "")]);
});

test.each([
  [{ status: "in_progress", outcome: null }, true, "blocked", null, "The call is not over."],
  [{ status: "ended", outcome: "no_answer" }, true, "skipped", "outcome_not_completed", "this one ended as no_answer."],
  [{ status: "failed", outcome: "failed" }, true, "skipped", "outcome_not_completed", "this one ended as failed."],
  [{ status: "ended", outcome: "completed" }, false, "skipped", "disabled_by_plan", "AFTERCALL_ANALYSIS is off."],
  [{ status: "ended", outcome: "completed" }, true, "blocked", null, "Its turn has not come yet."],
] as const)("a call that is %o has no stage without a word on why", async (heard, isOn, state, reason, detail) => {
  const ids = await setup.makeCall(await setup.makeTenant(), { turns: plainCall, heard });
  const { steps } = await shown(ids, { isOn });
  for (const one of steps) {
    expect(one).toMatchObject({ state, reason, detail: expect.stringContaining(detail) });
  }
});
