import type { TestResult } from "@aftercall/contract/analysis/test-case.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, type Customer } from "../harness/customer.ts";
import { reportedCall } from "../harness/reported-call.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const cities = (...values: string[]) => [
  { name: "city", kind: "gazetteer", entries: values.map((value) => ({ value, aliases: [] })) },
];
const greeting = (...any_of: string[]) => ({
  criteria: [{ id: "greets", name: "Greets", kind: "phrase", phrase: { id: "g", name: "G", any_of } }],
});

async function resultOf(customer: Customer, jobId: string): Promise<TestResult> {
  for (;;) {
    const result: TestResult = await customer.get(`/v1/analysis-jobs/${jobId}/test-result`);
    if (result.state === "done") return result;
    await systemClock.sleep(20);
  }
}

test("a call becomes a test case of a plan: a draft that makes something else of it says what, and publishing tests by itself", async () => {
  const customer = await makeCustomer(app);
  const callId = await reportedCall(customer);
  const definition = { fields: cities("Tel Aviv"), rubric: greeting("good evening") };
  const plan = await customer.post("/v1/analysis-plans", { name: "Night desk", definition });
  const path = `/v1/analysis-plans/${plan.id}`;
  const expected = {
    fields: [{ name: "city", value: "Tel Aviv" }],
    criteria: [{ criterion_id: "greets", verdict: "met" }],
  };
  const made = await customer.post(`${path}/test-cases`, { call_id: callId, expected, note: "A lock-out" });
  expect((await customer.get(`${path}/test-cases`)).data).toEqual([made]);
  const first = await resultOf(customer, (await customer.post(`${path}/test`, undefined)).id);
  expect(first).toMatchObject({ passed: 1, failed: 0, cases: [{ test_case_id: made.id, differences: [] }] });

  // What is put right later changes nothing about the case.
  await customer.ask("PUT", `/v1/calls/${callId}/transcript`, {
    turns: [{ role: "agent", text: "Hello from Haifa." }],
  });
  await customer.settled();
  const changed = { fields: cities("Haifa", "Tel Aviv Yafo"), rubric: greeting("good morning") };
  await customer.ask("PATCH", path, { definition: changed });
  const second = await resultOf(customer, (await customer.post(`${path}/test`, undefined)).id);
  expect(second).toMatchObject({ passed: 0, failed: 1, plan: { version: 1 } });
  expect(second.cases[0]?.differences).toEqual([
    { kind: "field", name: "city", expected: "Tel Aviv", actual: null },
    { kind: "criterion", name: "greets", expected: "met", actual: "not_met" },
  ]);
  // It is no run of the call's own.
  expect(await customer.get(`/v1/calls/${callId}/analysis`)).toMatchObject({ trigger: "pipeline" });

  await customer.post(`${path}/publish`, undefined);
  const { data } = await customer.get("/v1/analysis-jobs");
  expect(data.filter(({ kind }: { kind: string }) => kind === "test")).toHaveLength(3);
  expect(await resultOf(customer, data[0].id)).toMatchObject({ failed: 1 });
  await customer.ask("DELETE", `/v1/calls/${callId}`);
  expect((await customer.get(`${path}/test-cases`)).data).toEqual([]);
});

test("without more a case expects what the call shows now, as far as the plan asks for it", async () => {
  const customer = await makeCustomer(app);
  const callId = await reportedCall(customer);
  const plan = await customer.post("/v1/analysis-plans", {
    name: "Two fields",
    definition: { fields: [...cities("Tel Aviv"), { name: "mood", kind: "ai" }] },
  });
  const made = await customer.post(`/v1/analysis-plans/${plan.id}/test-cases`, { call_id: callId });
  expect(made.expected).toEqual({ fields: [{ name: "city", value: "Tel Aviv" }], criteria: [] });
});

test("a call in which the caller said something is found by it, not those in which the agent did, and becomes a test case", async () => {
  const customer = await makeCustomer(app);
  const stranger = await makeCustomer(app);
  const callId = await reportedCall(customer);
  await reportedCall(stranger);
  const found = async (query: string, who = customer) =>
    (await who.get(`/v1/calls?${query}`)).data.map(({ id }: { id: string }) => id);
  expect(await found("q=locked%20out%20Tel&said_by=customer")).toEqual([callId]);
  expect(await found("q=locked&said_by=agent")).toEqual([]);
  expect(await found("q=locksmith&said_by=agent")).toEqual([callId]);
  expect(await found("q=locked%20locksmith")).toEqual([callId]);
  expect(await found("q=locked%20locksmith&said_by=customer")).toEqual([]);
  expect(await found("q=locked&said_by=customer", stranger)).not.toContain(callId);
  expect((await customer.ask("GET", "/v1/calls?said_by=customer")).json.errors).toMatchObject([{ pointer: "?q" }]);

  const definition = { fields: cities("Tel Aviv"), rubric: greeting("good evening") };
  const plan = await customer.post("/v1/analysis-plans", { name: "Night desk", definition });
  const [id] = await found("q=locked%20out&said_by=customer");
  const expected = { fields: [{ name: "city", value: "Tel Aviv" }], criteria: [] };
  await customer.post(`/v1/analysis-plans/${plan.id}/test-cases`, { call_id: id, expected });
  const { id: jobId } = await customer.post(`/v1/analysis-plans/${plan.id}/test`, undefined);
  expect(await resultOf(customer, jobId)).toMatchObject({ passed: 1, failed: 0 });
});
