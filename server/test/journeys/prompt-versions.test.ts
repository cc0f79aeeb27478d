import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { completion, honest, plainCall, saidTo } from "#/models/language/test-model.ts";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, type Customer } from "../harness/customer.ts";
import { publishPlan, reportOf, runAgain, useModel } from "../harness/read-call.ts";

let app: TestApp;
const toClose: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  app = await startTestApp();
});
afterEach(async () => {
  await Promise.all(toClose.splice(0).map((close) => close()));
});
afterAll(() => app.stop());

const spoken = plainCall.map(({ role, text }) => [role, text] as const);

async function withSettings(settings: object, plan: object = {}) {
  const customer = await makeCustomer(app);
  const model = await useModel(customer, { settings });
  toClose.push(() => model.close());
  model.answer((request) =>
    completion({
      summary: { ...honest.summary, text: `As asked by ${/BCP 47 code \w+/.exec(saidTo(request))?.[0]}.` },
    }),
  );
  return { customer, model, planId: await publishPlan(customer, plan) };
}

async function readCall(customer: Customer) {
  const vapi = await customer.connect("vapi");
  await vapi.own(reportOf(spoken));
  await customer.settled();
  const id = (await customer.calls())[0]?.id ?? "";
  return { id, run: await customer.get(`/v1/calls/${id}/analysis`) };
}

test("the wording and the language that are set with a tenant's engine are those it is asked in, and the run says which", async () => {
  const { customer, model } = await withSettings({ prompt_version: "1", language: "he" });
  const { run } = await readCall(customer);
  expect(run.sections.summary.engine).toMatchObject({ kind: "llm", version: "1" });
  expect(run.summary).toMatchObject({ language: "he", text: "As asked by BCP 47 code he." });
  expect(model.received).toHaveLength(1);
  const { settings } = await customer.get("/v1/engines/language");
  expect(settings).toMatchObject({ prompt_version: "1", language: "he" });
});

test("a plan that says another one wins; where nobody says anything it is the newest, in the language of the call", async () => {
  const plan = { engine: { prompt_version: "2" }, summary: { language: "ar" } };
  const chosen = await withSettings({ prompt_version: "1", language: "he" }, plan);
  const { run } = await readCall(chosen.customer);
  expect([run.engine.version, run.summary.language]).toEqual(["2", "ar"]);

  const silent = await withSettings({});
  const { run: newest } = await readCall(silent.customer);
  expect([newest.engine.version, newest.summary.text]).toEqual(["3", "As asked by BCP 47 code en."]);
});

test("422: an engine is not set to a wording that there is none of", async () => {
  const customer = await makeCustomer(app);
  const engine = { model: "gpt-4o-mini", api_key: "sk-of-this-test", settings: { prompt_version: "0" } };
  const { status, json } = await customer.ask("PUT", "/v1/engines/language", engine);
  const errors = [{ pointer: "/settings/prompt_version", detail: expect.stringMatching(/1.*2.*3/) }];
  expect([status, json.errors]).toEqual([422, errors]);
});

test("what another wording changes is seen by running calls again by the same plan and comparing", async () => {
  const { customer, model, planId } = await withSettings({ prompt_version: "1" });
  const { id, run } = await readCall(customer);
  const { base_url } = await customer.get("/v1/engines/language");
  const settings = { prompt_version: "2", language: "he" };
  await customer.ask("PUT", "/v1/engines/language", { model: "gpt-4o-mini", base_url, settings });
  const path = await runAgain(customer, {
    plan_id: planId,
    filter: { call_ids: [id] },
    sections: ["summary"],
    force: true,
  });
  expect(model.received).toHaveLength(2);
  const [changed] = (await customer.get(`${path}/comparison`)).changed;
  expect(changed.summary).toEqual({ is_same: false, before: run.summary.text, after: "As asked by BCP 47 code he." });
  const [before, after] = await Promise.all(
    [changed.before, changed.after].map((one) => customer.get(`/v1/analysis-runs/${one}`)),
  );
  expect([before.engine.version, after.engine.version]).toEqual(["1", "2"]);
});
