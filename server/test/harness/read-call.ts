import type { TurnRole } from "@aftercall/contract/call.ts";
import { expect, onTestFinished } from "vitest";

import type { TestApp } from "./app.ts";
import { makeCustomer, newUuid, type Customer } from "./customer.ts";
import { type Receiver, startReceiver } from "./receiver.ts";

/** The report of a call that is over, as Vapi sends it: a turn every five seconds. */
export function reportOf(said: readonly (readonly [role: TurnRole, text: string])[], artifact: object = {}) {
  const startedAt = Date.now() - 60_000;
  const messages = said.map(([role, message], i) => ({
    role: role === "agent" ? "bot" : "user",
    message,
    secondsFromStart: i * 5,
    time: startedAt + i * 5_000,
    endTime: startedAt + i * 5_000 + 4_000,
    duration: 4_000,
  }));
  return {
    message: {
      type: "end-of-call-report",
      timestamp: Date.now(),
      endedReason: "customer-ended-call",
      startedAt: new Date(startedAt).toISOString(),
      endedAt: new Date(startedAt + 50_000).toISOString(),
      call: { id: newUuid(), type: "inboundPhoneCall", customer: { number: "+14155550123" } },
      artifact: { ...(messages.length > 0 && { messages }), ...artifact },
    },
  };
}

/** A server that plays the customer's language model from now on; the caller closes it. */
export async function useModel(customer: Customer, more: object = {}): Promise<Receiver> {
  const model = await startReceiver();
  const engine = { model: "gpt-4o-mini", base_url: `${model.url}v1`, api_key: "sk-of-this-test-0123456789", ...more };
  const { status, json } = await customer.ask("PUT", "/v1/engines/language", engine);
  if (status !== 200) throw new Error(`The engine was refused: ${JSON.stringify(json)}`);
  return model;
}

/** Publishes a plan for all calls of the customer; gives its id. */
export async function publishPlan(customer: Customer, definition: object): Promise<string> {
  const { id } = await customer.post("/v1/analysis-plans", { name: "Plan of this test", definition });
  await customer.post(`/v1/analysis-plans/${id}/publish`, undefined);
  return id;
}

/** Analyses calls again; gives the path of the job once it is done. */
export async function runAgain(customer: Customer, order: object): Promise<string> {
  const { job } = await customer.post("/v1/analysis-jobs", order);
  const path = `/v1/analysis-jobs/${job.id}`;
  await expect.poll(async () => (await customer.get(path)).state, { timeout: 60_000 }).toBe("done");
  return path;
}

/** A customer whose calls are analysed by this plan and a language model, until the test is over. */
export async function withModel(app: TestApp, plan: object) {
  const customer = await makeCustomer(app);
  const model = await useModel(customer);
  onTestFinished(() => model.close());
  return { customer, model, planId: await publishPlan(customer, plan) };
}

/** Reports a call and lets it settle: what the customer is told of it, and what the API shows. */
export async function readCall(
  customer: Customer,
  said: Parameters<typeof reportOf>[0],
  types: readonly string[] = ["call.completed"],
) {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  await customer.subscribe(receiver, { types });
  const vapi = await customer.connect("vapi");
  await vapi.own(reportOf(said));
  await customer.settled();
  const messages = (await receiver.waitFor(types.length)).map(({ body }) => JSON.parse(body.toString()));
  const id = (await customer.calls())[0]?.id ?? "";
  const shown = await customer.get(`/v1/calls/${id}/analysis`);
  const told = messages.find(({ type }) => type === "call.completed").data.analysis;
  return { id, shown, told, messages };
}
