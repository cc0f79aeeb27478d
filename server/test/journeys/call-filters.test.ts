import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { type Customer, makeCustomer } from "../harness/customer.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const past = [
  { id: "a", status: "completed", direction: "inbound", from: "+972501234567", to: "+97233764400", started_at: at(1) },
  { id: "b", status: "no_answer", direction: "outbound", from: "+97233764400", to: "+972501234567", started_at: at(2) },
  { id: "c", status: "completed", direction: "outbound", from: "+97233764400", to: "+972521112233", started_at: at(3) },
  { id: "d", status: "busy", direction: "outbound", from: "+97233764400", to: "+972521112233", started_at: at(4) },
  { id: "e", status: "queued" },
];

function at(day: number): string {
  return `2025-03-0${day}T12:00:00Z`;
}

async function withPast(): Promise<Customer> {
  const customer = await makeCustomer(app);
  const { json } = await customer.import(past.map((call) => JSON.stringify(call)).join("\n"));
  expect(json).toMatchObject({ applied_count: past.length, failed_count: 0 });
  return customer;
}

/** The calls that a list has, a page of one call each, oldest first. */
async function found(customer: Customer, filter: Record<string, string>): Promise<string> {
  const seen: string[] = [];
  const query = new URLSearchParams({ ...filter, limit: "1" });
  for (;;) {
    const { data, next_cursor } = await customer.get(`/v1/calls?${query}`);
    seen.unshift(...data.map(({ provider_call_id }: { provider_call_id: string }) => provider_call_id));
    if (next_cursor === null) return seen.join("");
    query.set("cursor", next_cursor);
  }
}

test("each filter leaves out the calls that it does not fit, all of them together too, on every page", async () => {
  const customer = await withPast();
  expect(await found(customer, {})).toBe("abcde");
  expect(await found(customer, { direction: "outbound" })).toBe("bcd");
  expect(await found(customer, { outcome: "completed" })).toBe("ac");
  expect(await found(customer, { from: "+972501234567" })).toBe("a");
  expect(await found(customer, { to: "+972521112233" })).toBe("cd");
  expect(await found(customer, { started_after: at(2) })).toBe("bcd");
  expect(await found(customer, { started_before: at(2) })).toBe("a");
  expect(await found(customer, { started_after: "2025-03-02T14:00:00+02:00", started_before: at(4) })).toBe("bc");
  const together = { direction: "outbound", from: "+97233764400", to: "+972521112233", provider: "generic" };
  expect(await found(customer, { ...together, started_after: at(1), started_before: at(5) })).toBe("cd");
  expect(await found(customer, { ...together, outcome: "busy", status: "ended,failed" })).toBe("d");
  expect(await found(customer, { ...together, direction: "inbound" })).toBe("");
  expect(await found(customer, { started_after: "0000-01-01T00:00:00Z" })).toBe("abcd");
});

test("422: a filter that nothing can fit is named, with what would fit", async () => {
  const customer = await makeCustomer(app);
  const wrong = {
    direction: "sideways",
    outcome: "fine",
    from: "0501234567",
    to: " 972501234567",
    started_after: "yesterday",
    started_before: "2025-03-02",
  };
  const { status, json } = await customer.ask("GET", `/v1/calls?${new URLSearchParams(wrong)}`);
  expect(status).toBe(422);
  expect(json.errors.map(({ pointer }: { pointer: string }) => pointer).toSorted()).toEqual(
    Object.keys(wrong)
      .map((name) => `?${name}`)
      .toSorted(),
  );
});
