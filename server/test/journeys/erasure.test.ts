import type { Call } from "@aftercall/contract/call.ts";
import type { Delivery } from "@aftercall/contract/delivery.ts";
import { fromPublicId } from "@aftercall/contract/id.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { composeEraser, erasableCalls } from "#/app/erasure.ts";
import { sealLogs } from "#/inbox/seal.ts";
import { systemClock } from "#/kernel/clock.ts";
import { createIds } from "#/kernel/ids.ts";
import { sweepErasures } from "#/retention/sweep-erasures.ts";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newUuid, type Customer } from "../harness/customer.ts";
import { fixture, fixtureIds } from "../harness/fixture.ts";
import { startReceiver, type Receiver } from "../harness/receiver.ts";

let app: TestApp;
let receiver: Receiver;
beforeAll(async () => {
  app = await startTestApp();
  receiver = await startReceiver();
});
afterAll(async () => {
  await receiver.close();
  await app.stop();
});

/** A call with everything: events, transcript, messages that arrived, live changes, results of the pipeline. */
async function talked(customer: Customer): Promise<{ call: Call; report: string; send(): Promise<void> }> {
  const vapi = await customer.connect("vapi");
  const report = fixture("vapi", "real/end-of-call-report.json", { [fixtureIds.vapiCall]: newUuid() });
  const send = async () => {
    await vapi.own(report);
  };
  await send();
  await customer.settled();
  const [call] = await customer.calls();
  if (!call) throw new Error("no call");
  return { call, report, send };
}

/** What the server does by itself every minute. */
function sweep(removeBlob = async (_key: string) => {}): Promise<number> {
  const eraser = composeEraser({ ids: createIds(systemClock), clock: systemClock, react: async () => [] });
  return sweepErasures({ db: app.db, ...eraser, ...erasableCalls, removeBlob });
}

/** Seals the log until all events of a customer are under a seal, as the server does every minute. */
async function sealed(customer: Customer): Promise<void> {
  const { length } = await customer.events();
  while ((await customer.post("/v1/events/check", {})).event_count < length) await sealLogs(app.db);
}

/** What the fixture says about people. */
const secrets = ["דנה לוי", "+972501234567", "972501234567", "בית שאן", "שלום, מדבר"];

/** Every row of a tenant, in every table it has rows in, as text; bytes as text too. */
async function everythingOf({ tenantId }: Customer): Promise<Map<string, string>> {
  return app.db.inTransaction([tenantId], async (tx) => {
    const tables = await tx.rows<{ name: string }>(
      `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and has_table_privilege(c.oid, 'select')`,
    );
    const all = new Map<string, string>();
    for (const { name } of tables) {
      const rows = await tx.rows<{ row: string }>(`select t::text as row from ${name} t where t.tenant_id = $1`, [
        tenantId,
      ]);
      const text = rows.map(({ row }) => row).join("\n");
      const bytes = [...text.matchAll(/\\x((?:[0-9a-f]{2})+)/g)].map((match) =>
        Buffer.from(match[1] ?? "", "hex").toString(),
      );
      all.set(name, text + bytes.join("\n"));
    }
    return all;
  });
}

const tablesThatSay = async (customer: Customer) =>
  [...(await everythingOf(customer))]
    .filter(([, text]) => secrets.some((secret) => text.includes(secret)))
    .map(([name]) => name);

test("after a call was erased nothing it said about people stands in any table, and the log is intact", async () => {
  const customer = await makeCustomer(app);
  await customer.subscribe(receiver);
  const { call } = await talked(customer);
  const before = await tablesThatSay(customer);
  expect(before).toEqual(expect.arrayContaining(["calls", "changes", "events", "message_bodies", "transcripts"]));
  await sealed(customer);
  const erased = await customer.ask("DELETE", `/v1/calls/${call.id}?reason=asked%20for`);
  expect([erased.status, erased.json.cause, erased.json.reason]).toEqual([200, "request", "asked for"]);
  expect(await tablesThatSay(customer)).toEqual([]);
  expect(await customer.post("/v1/events/check", {})).toMatchObject({ is_intact: true, event_count: 1 });
});

test("what was refused at first, and taken in later, is gone from the refused requests as well", async () => {
  const customer = await makeCustomer(app);
  const vapi = await customer.connect("vapi");
  const report = fixture("vapi", "real/end-of-call-report.json", { [fixtureIds.vapiCall]: newUuid() });
  const { body } = vapi.sign(report, `/webhooks/${vapi.source.slug}`);
  expect((await app.post(`/webhooks/${vapi.source.slug}`, { headers: jsonType, body })).status).toBe(401);
  await vapi.own(report);
  await customer.settled();
  expect(await tablesThatSay(customer)).toContain("quarantine");
  const [call] = await customer.calls();
  await customer.ask("DELETE", `/v1/calls/${call?.id}`);
  expect(await tablesThatSay(customer)).toEqual([]);
});

const jsonType = { "content-type": "application/json" };

test("an erased call still says that there was one, when and how it ended, and nothing about people", async () => {
  const customer = await makeCustomer(app);
  const { call } = await talked(customer);
  await customer.ask("DELETE", `/v1/calls/${call.id}`);
  const left = await customer.get(`/v1/calls/${call.id}`);
  expect(left).toMatchObject({
    id: call.id,
    status: call.status,
    outcome: call.outcome,
    ended_at: call.ended_at,
    duration_ms: call.duration_ms,
    from: null,
    to: null,
    customer_name: null,
    summary: null,
    metadata: {},
  });
  expect((await customer.ask("GET", `/v1/calls/${call.id}/transcript`)).status).toBe(404);
});

test("the steps of an erased call still say in a sentence why something was skipped", async () => {
  const customer = await makeCustomer(app);
  const { call } = await talked(customer);
  await customer.ask("DELETE", `/v1/calls/${call.id}`);
  const { steps } = await customer.get(`/v1/calls/${call.id}/steps`);
  const skipped = steps.filter(({ reason }: { reason: string | null }) => reason !== null);
  expect(skipped.length).toBeGreaterThan(0);
  for (const step of skipped) expect(step).toMatchObject({ detail: expect.stringMatching(/^\S.*\.$/) });
});

test("what a provider sends again after an erasure brings nothing back", async () => {
  const customer = await makeCustomer(app);
  const vapi = await customer.connect("vapi");
  const ids = { [fixtureIds.vapiCall]: newUuid() };
  await vapi.own(fixture("vapi", "real/status-update.ended.json", ids));
  const [call] = await customer.calls();
  await customer.ask("DELETE", `/v1/calls/${call?.id}`);
  await vapi.own(fixture("vapi", "real/end-of-call-report.json", ids));
  // The pipeline may still be at work on what came: what it writes is found by the next look.
  for (let looks = 0; looks < 20 && !(await isWorkedOff(customer)); looks++) await sweep();
  await sweep();
  expect(await tablesThatSay(customer)).toEqual([]);
});

/** Nothing of the pipeline is under way or queued for this customer. */
async function isWorkedOff({ tenantId }: Customer): Promise<boolean> {
  const rows = await app.db.inTransaction([tenantId], (tx) =>
    tx.rows<{ busy: boolean }>(
      `select exists (select from pipelines where tenant_id = $1 and claim_id is not null)
           or exists (select from pgboss.job where name in ('pipeline.run', 'pipeline.ask') and state < 'completed'
                        and data->>'tenantId' = $2) as busy`,
      [tenantId, tenantId],
    ),
  );
  return rows[0]?.busy === false;
}

test("a call that must be kept is not erased, by hand or by age, until that is lifted: 409", async () => {
  const customer = await makeCustomer(app);
  const { call } = await talked(customer);
  expect((await customer.ask("PUT", `/v1/calls/${call.id}/hold`, { reason: "a lawsuit" })).status).toBe(200);
  const refused = await customer.ask("DELETE", `/v1/calls/${call.id}`);
  expect([refused.status, refused.json.detail]).toEqual([409, expect.stringContaining("a lawsuit")]);
  await customer.ask("PUT", "/v1/retention", { recordings_days: null, content_days: 1 });
  await age(customer, call.id);
  await sweep();
  expect(await customer.get(`/v1/calls/${call.id}`)).toMatchObject({ customer_name: "דנה לוי" });
  await customer.ask("PUT", `/v1/calls/${call.id}/hold`, { reason: null });
  await sweep();
  expect(await customer.get(`/v1/calls/${call.id}`)).toMatchObject({ customer_name: null });
  expect((await customer.get("/v1/erasures")).data).toMatchObject([
    { call_id: call.id, cause: "retention", actor: "system" },
  ]);
});

test("a recording goes after as many days as its tenant wants, and the rest of its call stays", async () => {
  const customer = await makeCustomer(app);
  const { call } = await talked(customer);
  const callId = fromPublicId("call", call.id);
  await app.db.inTransaction([customer.tenantId], (tx) =>
    tx.run(
      `insert into recordings (tenant_id, id, call_id, kind, state, source_digest, blob_key, sealed_key, stored_at)
       values ($1, $2, $2, 'original', 'stored', '', 'object-1', 'key', now() - interval '8 days')`,
      [customer.tenantId, callId],
    ),
  );
  await customer.ask("PUT", "/v1/retention", { recordings_days: 7, content_days: null });
  const removed: string[] = [];
  await sweep(async (key) => void removed.push(key));
  expect(removed).toEqual(["object-1"]);
  expect(await customer.get(`/v1/calls/${call.id}`)).toMatchObject({ customer_name: "דנה לוי" });
  const [erasure] = (await customer.get("/v1/erasures")).data;
  expect(erasure).toMatchObject({ call_id: call.id, cause: "retention" });
  expect(erasure.finished_at).not.toBeNull();
});

test("a recording that came inside an event goes with the others by age, and what else the provider told stays", async () => {
  const customer = await makeCustomer(app);
  const line = await customer.connect("elevenlabs");
  await line.own(fixture("elevenlabs", "real/post_call_transcription.docs-example.json", { '"abc"': '"conv_aged"' }));
  const data = {
    agent_id: "xyz",
    conversation_id: "conv_aged",
    full_audio: Buffer.alloc(900, "ID3").toString("base64"),
  };
  const event = { type: "post_call_audio", event_timestamp: Math.floor(Date.now() / 1000), data };
  expect((await line.own(JSON.stringify(event))).status).toBe(200);
  await customer.settled();
  const [call] = await customer.calls();
  await app.db.inTransaction([customer.tenantId], (tx) =>
    tx.run(
      `insert into recordings (tenant_id, id, call_id, kind, state, source_digest, blob_key, sealed_key, stored_at)
       values ($1, $2, $2, 'redacted', 'stored', 'aged', 'object-2', 'key', now() - interval '8 days')`,
      [customer.tenantId, fromPublicId("call", call?.id ?? "")],
    ),
  );
  await sealed(customer);
  await customer.ask("PUT", "/v1/retention", { recordings_days: 7, content_days: null });
  await sweep();
  const rows = await app.db.inTransaction([customer.tenantId], (tx) =>
    tx.rows<{ type: string; length: number }>("select type, length(body) from events order by type"),
  );
  expect(rows).toEqual([
    { type: "post_call_audio", length: 0 },
    { type: "post_call_transcription", length: expect.toSatisfy((length: number) => length > 1_000) },
  ]);
  expect(await customer.post("/v1/events/check", {})).toMatchObject({ is_intact: true, event_count: 2 });
});

/** Makes a call two days old. */
async function age({ tenantId }: Customer, callId: string): Promise<void> {
  await app.db.inTransaction([tenantId], (tx) =>
    tx.run("update calls set updated_at = now() - interval '2 days' where tenant_id = $1 and id = $2", [
      tenantId,
      fromPublicId("call", callId),
    ]),
  );
}

test("a message that was waiting for an erased call ends as expired, and is not sent", async () => {
  const customer = await makeCustomer(app);
  const quiet = await startReceiver();
  quiet.answer({ status: 503 });
  await customer.subscribe(quiet);
  const { call } = await talked(customer);
  await customer.ask("DELETE", `/v1/calls/${call.id}`);
  const about = (await customer.get("/v1/deliveries")).data.filter((one: Delivery) => one.type.startsWith("call."));
  expect(about.map(({ state, reason }: Delivery) => [state, reason])).toEqual([
    ["undelivered", "expired"],
    ["undelivered", "expired"],
  ]);
  await quiet.close();
});
