import { afterAll, beforeAll, expect, test } from "vitest";

import { sealLogs } from "#/inbox/seal.ts";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newUuid, type Customer } from "../harness/customer.ts";
import { fixture, fixtureIds } from "../harness/fixture.ts";
import { startReceiver, type Receiver } from "../harness/receiver.ts";
import { follow } from "../live/clients.ts";

let app: TestApp;
let receiver: Receiver;
beforeAll(async () => {
  [app, receiver] = await Promise.all([startTestApp(), startReceiver()]);
});
afterAll(async () => {
  await receiver.close();
  await app.stop();
});

/** The names of a call of its own in the fixtures. */
const newNames = () => ({
  [fixtureIds.vapiCall]: newUuid(),
  [fixtureIds.callSid]: `CA${newUuid().replaceAll("-", "")}`,
});
type Names = ReturnType<typeof newNames>;
const reportOf = (names: Names) => fixture("vapi", "real/end-of-call-report.json", names);
const lateReportOf = (names: Names) => fixture("vapi", "real/end-of-call-report.retry-different-bytes.json", names);

/** A customer with a call that was erased, and another line, on which what is sent again is no repeat. */
async function withErasedCall(file = "real/end-of-call-report.json") {
  const customer = await makeCustomer(app);
  const first = await customer.connect("vapi");
  const names = newNames();
  await first.own(fixture("vapi", file, names));
  await customer.settled();
  const [call] = await customer.calls();
  const path = `/v1/calls/${call?.id}`;
  expect((await customer.ask("DELETE", path)).status).toBe(200);
  const vapi = await customer.connect("vapi");
  return { customer, vapi, names, id: call?.id ?? "", path, left: await customer.get(path) };
}

/** How many rows a customer has in each table that what is heard of a call moves. */
async function rowsOf({ tenantId }: Customer): Promise<Record<string, number>> {
  const tables = ["messages", "changes", "transcripts", "call_moments", "call_search", "analysis_runs", "recordings"];
  const counts: Record<string, number> = {};
  await app.db.inTransaction([tenantId], async (tx) => {
    for (const table of tables) counts[table] = (await tx.rows(`select 1 from ${table}`)).length;
  });
  return counts;
}

const bodiesOf = async ({ tenantId }: Customer) =>
  app.db.inTransaction([tenantId], (tx) =>
    tx.rows<{ effect: string; length: number; has_digest: boolean; headers: object }>(
      "select effect, length(body), body_digest is not null as has_digest, headers from events order by xid, seq",
    ),
  );
const emptied = (effect: string) => ({ effect, length: 0, has_digest: true, headers: {} });

test("what a provider tells of an erased call is counted in the log without its words, and nobody hears of it", async () => {
  const { customer, vapi, names, id, path, left } = await withErasedCall();
  await customer.subscribe(receiver);
  const client = await follow(app.url, customer.key);
  const before = await rowsOf(customer);

  expect((await vapi.own(lateReportOf(names))).status).toBe(200);
  expect((await vapi.own(lateReportOf(names))).status).toBe(200);
  expect(await rowsOf(customer)).toEqual(before);
  expect(await customer.get(path)).toEqual(left);
  expect((await customer.ask("GET", `${path}/transcript`)).status).toBe(404);
  expect((await customer.get("/v1/calls?q=972501234567")).data).toEqual([]);
  expect(await bodiesOf(customer)).toEqual([emptied("applied"), emptied("recorded")]);

  // A call that comes after it is heard of, by then the erased one would have been.
  await vapi.own(reportOf(newNames()));
  await customer.settled();
  const [next] = await customer.calls();
  await client.until((item) => item.event === "call" && item.data.types.includes("call.completed"));
  expect(JSON.stringify(client.items)).toContain(next?.id);
  expect(JSON.stringify(client.items)).not.toContain(id);
  client.cut();
  const got = await receiver.waitFor(
    (await customer.get("/v1/messages?limit=100")).data.length - (before["messages"] ?? 0),
  );
  expect(got.map(({ body }) => body.toString()).filter((body) => body.includes(id))).toEqual([]);

  while ((await customer.post("/v1/events/check", {})).event_count < 3) await sealLogs(app.db);
  expect(await customer.post("/v1/events/check", {})).toMatchObject({ is_intact: true, event_count: 3 });
});

test("a call that was erased while it went on stays as it was, and what is said in it then is heard by nobody", async () => {
  const { customer, vapi, names, id, path, left } = await withErasedCall("real/status-update.in-progress.json");
  const client = await follow(app.url, customer.key);
  const listener = await follow(app.url, customer.key, { topics: `call:${id}` });
  const before = await rowsOf(customer);
  expect((await vapi.own(fixture("vapi", "real/transcript.final.json", names))).status).toBe(200);
  expect((await vapi.own(reportOf(names))).status).toBe(200);
  expect(await rowsOf(customer)).toEqual(before);
  expect(await customer.get(path)).toEqual(left);
  await vapi.own(reportOf(newNames()));
  await client.until((item) => item.event === "call");
  expect(JSON.stringify(client.items)).not.toContain(id);
  expect(listener.items.filter(({ event }) => event === "call" || event === "turn")).toEqual([]);
  client.cut();
  listener.cut();
});

test("an import of an erased call, and running its events again, bring nothing back", async () => {
  const { customer, vapi, names, path, left } = await withErasedCall();
  const before = await rowsOf(customer);
  const { message } = JSON.parse(reportOf(names)) as { message: { call: object } };
  const line = { message: { ...message, timestamp: Date.now() } };
  const imported = await customer.import(`${JSON.stringify(line)}\n`, `/v1/imports?source=${vapi.source.slug}`);
  expect(imported.json).toMatchObject({ state: "done", applied_count: 0, repeated_count: 1, failed_count: 0 });
  for (const { id } of await customer.events()) {
    // oxlint-disable-next-line no-await-in-loop -- One after the other.
    await customer.ask("POST", `/v1/events/${id}/replay`, {});
  }
  expect(await rowsOf(customer)).toEqual(before);
  expect(await customer.get(path)).toEqual(left);
  expect((await bodiesOf(customer)).map(({ length }) => length)).toEqual([0, 0]);
});

test("409: what the API says of an erased call is refused, and nothing of it is taken in", async () => {
  const { customer, names, path, left } = await withErasedCall();
  const before = await rowsOf(customer);
  const call = { provider: "vapi", provider_call_id: names[fixtureIds.vapiCall], to: "+972501234567" };
  const fresh = { provider: "vapi", provider_call_id: newUuid() };
  const { id: campaignId } = await customer.post("/v1/campaigns", { name: "Spring" });
  const refused = [
    await customer.ask("PATCH", path, { customer_name: "Dana", metadata: { crm: 1 } }),
    await customer.ask("PUT", `${path}/transcript`, { turns: [{ role: "customer", text: "This is Dana." }] }),
    await customer.ask("POST", "/v1/calls", call),
    await customer.ask("POST", `/v1/campaigns/${campaignId}/calls`, { calls: [fresh, call] }),
  ];
  expect(refused.map(({ status, json }) => [status, json.code])).toEqual(refused.map(() => [409, "call_erased"]));
  expect(refused.at(-1)?.json.errors).toMatchObject([{ pointer: "/calls/1/provider_call_id" }]);
  expect([await customer.get(path), await rowsOf(customer)]).toEqual([left, before]);
  expect(await customer.calls()).toHaveLength(1);
});
