import type { AnalysisRun, ShownAnalysis } from "@aftercall/contract/analysis/run.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { z } from "zod";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newUuid, type Customer, type ProviderName } from "../harness/customer.ts";
import { fixture, fixtureIds } from "../harness/fixture.ts";
import { verifiedMessages } from "../harness/messages.ts";
import { startReceiver } from "../harness/receiver.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

async function reported(customer: Customer, provider: ProviderName, file: string): Promise<string> {
  const line = await customer.connect(provider);
  const names = provider === "vapi" ? { [fixtureIds.vapiCall]: newUuid() } : {};
  expect((await line.own(fixture(provider, file, names))).status).toBe(200);
  await customer.settled();
  return (await customer.calls())[0]?.id ?? "";
}

const runsOf = async (customer: Customer, id: string): Promise<z.infer<typeof AnalysisRun>[]> =>
  (await customer.get(`/v1/calls/${id}/analysis-runs`)).data;

test.each([
  ["vapi", "real/end-of-call-report.json", ["city", "service_category", "lead"], "pass"],
  ["elevenlabs", "real/post_call_transcription.twilio-inbound.json", ["city"], "pass"],
] as const)("what %s made of a call is told, listed, compared, exported and erased beside ours", async (...given) => {
  const [provider, file, names, result] = given;
  const customer = await makeCustomer(app);
  const receiver = await startReceiver();
  const endpoint = await customer.subscribe(receiver, { types: ["call.completed"] });
  const id = await reported(customer, provider, file);
  const runs = await runsOf(customer, id);
  const theirs = runs.find(({ trigger }) => trigger === "provider");
  const ours = runs.find(({ trigger }) => trigger === "pipeline");
  expect(theirs).toMatchObject({
    engine: { kind: "provider", provider },
    is_current: false,
    evaluation: { result, score: null },
  });
  expect(theirs?.fields.map(({ name }) => name)).toEqual(names);
  const shown: z.infer<typeof ShownAnalysis> = await customer.get(`/v1/calls/${id}/analysis`);
  expect(shown).toMatchObject({
    id: ours?.id,
    provider: { run_id: theirs?.id, engine: { kind: "provider", provider } },
  });
  expect(shown.current).toEqual({ summary: ours?.id, extraction: ours?.id, evaluation: theirs?.id });

  const [message] = await verifiedMessages(receiver, endpoint.secret, 1);
  await receiver.close();
  expect(message?.data).toMatchObject({
    analysis: { run_id: ours?.id, provider: { run_id: theirs?.id, summary: { method: "provider" } } },
  });

  const scores = (await customer.get(`/v1/calls/${id}/scores`)).data;
  expect(scores).toContainEqual(
    expect.objectContaining({ name: "result", value: result, source: "eval", call_id: id, config_id: null }),
  );

  const comparison = await customer.get(`/v1/analysis-runs/${theirs?.id}/comparison`);
  expect(comparison.fields.find(({ name }: { name: string }) => name === "city")).toEqual({
    name: "city",
    is_same: true,
    before: "בית שאן",
    after: "בית שאן",
    state_before: "found",
    state_after: "found",
  });
  const exported = await app.get("/v1/export", { authorization: `Bearer ${customer.key}` });
  expect(exported.text).toContain(theirs?.id ?? "no run");

  expect((await customer.ask("DELETE", `/v1/calls/${id}`)).status).toBe(200);
  const left = (await runsOf(customer, id)).find(({ trigger }) => trigger === "provider");
  expect(left).toMatchObject({ summary: null, fields: [], evaluation: null });
});

test("a provider's run is made what the call shows, and put back", async () => {
  const customer = await makeCustomer(app);
  const id = await reported(customer, "vapi", "real/end-of-call-report.json");
  const theirs = (await runsOf(customer, id)).find(({ trigger }) => trigger === "provider");
  const { id: promotion } = await customer.post(`/v1/analysis-runs/${theirs?.id}/promote`, {});
  expect(await customer.get(`/v1/calls/${id}/analysis`)).toMatchObject({ id: theirs?.id });
  await customer.post(`/v1/analysis-promotions/${promotion}/revert`, {});
  expect(await customer.get(`/v1/calls/${id}/analysis`)).toMatchObject({ trigger: "pipeline" });
});
