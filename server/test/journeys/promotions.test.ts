import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, type Customer } from "../harness/customer.ts";
import { reportedCall } from "../harness/reported-call.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

async function finished(customer: Customer, jobId: string): Promise<void> {
  while ((await customer.get(`/v1/analysis-jobs/${jobId}`)).state !== "done") {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("a call is found by the summary of the run that was made to count, and after going back by exactly what it was found by before", async () => {
  const customer = await makeCustomer(app);
  const id = await reportedCall(customer);
  const definition = { summary: { language: "he" } };
  const plan = await customer.post("/v1/analysis-plans", { name: "In Hebrew", definition });
  await customer.post(`/v1/analysis-plans/${plan.id}/publish`, {});
  const job = await customer.post(`/v1/calls/${id}/analysis-runs`, { plan_id: plan.id });
  await finished(customer, job.id);
  const found = async () => (await customer.get(`/v1/calls?q=${encodeURIComponent("סיכום בציטוטים")}`)).data.length;
  const index = () =>
    app.db.inTransaction([customer.tenantId], (tx) =>
      tx.rows("select text, lines from call_search where tenant_id = $1", [customer.tenantId]),
    );
  const before = await index();
  expect(await found()).toBe(0);
  const promotion = await customer.post(`/v1/analysis-jobs/${job.id}/promote`, {});
  expect(await found()).toBe(1);
  expect((await customer.get(`/v1/calls?q=${encodeURIComponent("Extractive")}`)).data).toHaveLength(1);
  await customer.post(`/v1/analysis-promotions/${promotion.id}/revert`, {});
  expect(await found()).toBe(0);
  expect(await index()).toEqual(before);
});
