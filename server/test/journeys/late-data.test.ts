import type { Transcript } from "@aftercall/contract/call.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newUuid, type Customer } from "../harness/customer.ts";
import { fixture, fixtureIds } from "../harness/fixture.ts";
import { verifiedMessages } from "../harness/messages.ts";
import { startReceiver, type Receiver } from "../harness/receiver.ts";

let app: TestApp;
let asking: Receiver;
let plain: Receiver;
beforeAll(async () => {
  [app, asking, plain] = await Promise.all([startTestApp(), startReceiver(), startReceiver()]);
});
afterAll(async () => {
  await Promise.all([asking.close(), plain.close()]);
  await app.stop();
});

async function reported(customer: Customer): Promise<string> {
  const vapi = await customer.connect("vapi");
  await vapi.own(fixture("vapi", "real/end-of-call-report.json", { [fixtureIds.vapiCall]: newUuid() }));
  await customer.settled();
  return (await customer.calls())[0]?.id ?? "";
}

/** Somebody puts right what was said, which makes another run the current one. */
async function putRight(customer: Customer, id: string, text: string): Promise<void> {
  const { turns }: Transcript = await customer.get(`/v1/calls/${id}/transcript`);
  const said = turns.map(({ role, text: before }, at) => ({ role, text: at === 1 ? text : before }));
  expect((await customer.ask("PUT", `/v1/calls/${id}/transcript`, { turns: said })).status).toBe(202);
}

test("an endpoint that asked for it gets call.completed again for every run that comes late, with an id of its own and what is known then; others get it once", async () => {
  const customer = await makeCustomer(app);
  const types = ["call.completed"];
  const endpoint = await customer.subscribe(asking, { types, resend_on_late: true });
  const other = await customer.subscribe(plain, { types: [...types, "analysis.completed"] });
  expect([endpoint.resend_on_late, other.resend_on_late]).toEqual([true, false]);
  const id = await reported(customer);
  const texts = ["I am looking for a flat in Haifa.", "I am looking for a flat in Tel Aviv."];
  await verifiedMessages(plain, other.secret, 2);
  for (const [nth, text] of texts.entries()) {
    // oxlint-disable-next-line no-await-in-loop -- One correction after the other.
    await putRight(customer, id, text);
    // oxlint-disable-next-line no-await-in-loop -- The next is late only when this one was told of.
    await verifiedMessages(plain, other.secret, nth + 3);
  }
  const told = await verifiedMessages(asking, endpoint.secret, 3);
  expect(told.map(({ type }) => type)).toEqual(["call.completed", "call.completed", "call.completed"]);
  expect(new Set(told.map((message) => message.id)).size).toBe(3);
  expect(new Set(told.map(({ timestamp }) => timestamp)).size).toBe(1);
  const said = told.map(({ data }) => data.transcript?.turns[1]?.text);
  expect(said.toSorted()).toEqual([said[0], ...texts].toSorted());
  const run = await customer.get(`/v1/calls/${id}/analysis`);
  const last = told.find(({ data }) => data.transcript?.turns[1]?.text === texts[1]);
  expect(last?.data).toMatchObject({ analysis: { run_id: run.id } });

  const others = await verifiedMessages(plain, other.secret, 4);
  expect(others.map(({ type }) => type).toSorted()).toEqual([
    ...Array.from({ length: 3 }, () => "analysis.completed"),
    "call.completed",
  ]);
});

test("what an endpoint missed is call.completed once, unless it asks to be told again", async () => {
  const customer = await makeCustomer(app);
  const own = await startReceiver();
  const first = await customer.subscribe(own, { types: ["call.completed"], resend_on_late: true });
  const id = await reported(customer);
  await putRight(customer, id, "I am looking for a flat in Haifa.");
  await verifiedMessages(own, first.secret, 2);
  const missedBy = async (more: object): Promise<number> => {
    const { id: endpoint_id } = await customer.subscribe(own, { types: ["call.completed"], ...more });
    return (await customer.post("/v1/resends", { mode: "missing", endpoint_id, dry_run: true })).count;
  };
  expect([await missedBy({}), await missedBy({ resend_on_late: true })]).toEqual([1, 2]);
  await own.close();
});

test("where nobody asked for it, what comes late leaves no second call.completed", async () => {
  const customer = await makeCustomer(app);
  const id = await reported(customer);
  await putRight(customer, id, "I am looking for a flat in Haifa.");
  await customer.settled();
  const { data } = await customer.get("/v1/messages?limit=100");
  expect(data.filter(({ type }: { type: string }) => type === "call.completed")).toHaveLength(1);
});
