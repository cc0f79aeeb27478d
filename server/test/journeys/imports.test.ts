import { request } from "node:http";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { notExported, sections } from "#/retention/export-sections.ts";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { type Customer, makeCustomer, newUuid, randomToken } from "../harness/customer.ts";
import { fixture } from "../harness/fixture.ts";
import { startReceiver } from "../harness/receiver.ts";

let app: TestApp;
let customer: Customer;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());
beforeEach(async () => {
  customer = await makeCustomer(app);
});

const ended = (id: string) => ({
  id,
  status: "completed",
  direction: "inbound",
  from: "+972501234567",
  to: "+97233764400",
  started_at: "2025-03-02T14:23:19Z",
  ended_at: "2025-03-02T14:23:45Z",
  summary: "Asked for a viewing.",
  transcript: [
    { role: "agent", text: "Hello, this is Noa.", start_ms: 700, end_ms: 2_600 },
    { role: "customer", text: "I would like to see the flat.", start_ms: 4_100, end_ms: 8_200 },
  ],
});

const fileOf = (lines: readonly (object | string)[]) =>
  lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join("");

async function send(file: string, { of = customer, query = "" }: { of?: Customer; query?: string } = {}) {
  const headers = { authorization: `Bearer ${of.key}`, "content-type": "application/x-ndjson" };
  const answer = await fetch(`${app.url}/v1/imports${query}`, { method: "POST", headers, body: file });
  return { status: answer.status, json: await answer.json() };
}

async function exported(
  of: Customer,
  query = "",
): Promise<{ kind: string; cursor: string; data: Record<string, unknown> }[]> {
  const answer = await fetch(`${app.url}/v1/export${query}`, { headers: { authorization: `Bearer ${of.key}` } });
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/x-ndjson; charset=utf-8"]);
  return (await answer.text()).split("\n").flatMap((line) => (line ? [JSON.parse(line)] : []));
}

async function messages(of: Customer): Promise<string[]> {
  await of.settled();
  const { data } = await of.get("/v1/messages?limit=100");
  return data.map((message: { type: string }) => message.type);
}

describe("import", () => {
  test("201: every line becomes a call with its words; bad lines are named and stop nothing; nothing is sent to endpoints", async () => {
    const receiver = await startReceiver();
    await customer.subscribe(receiver);
    const ids = [randomToken("call"), randomToken("call")];
    const file = fileOf([ended(ids[0] ?? ""), "{broken", "", ended(ids[1] ?? ""), { status: "completed" }]);
    const { status, json } = await send(file);
    expect(status).toBe(201);
    expect(json).toMatchObject({
      state: "done",
      is_delivered: false,
      line_count: 5,
      applied_count: 2,
      repeated_count: 0,
      skipped_count: 1,
      failed_count: 2,
      byte_count: Buffer.byteLength(file),
      failures: [{ line: 2 }, { line: 5, reason: "Nothing in it names a call" }],
    });
    expect(await customer.get(`/v1/imports/${json.id}`)).toEqual(json);

    const calls = await customer.calls();
    expect(calls.map((call) => call.provider_call_id).toSorted()).toEqual(ids.toSorted());
    expect(calls[0]).toMatchObject({
      status: "ended",
      outcome: "completed",
      duration_ms: 26_000,
      from: "+972501234567",
    });
    const transcript = await customer.get(`/v1/calls/${calls[0]?.id}/transcript`);
    expect(transcript.turns).toHaveLength(2);
    const [event] = await customer.events();
    expect(event).toMatchObject({ verification: "import", effect: "applied" });
    expect(await messages(customer)).toEqual([]);

    // Also not when an event is run again, or a further webhook of the call comes.
    await customer.post(`/v1/events/${event?.id}/replay`, {});
    expect(await messages(customer)).toEqual([]);
    expect(receiver.received).toEqual([]);
    await receiver.close();
  });

  test("deliver=true sends what follows from the calls, and a call that is told already is not silenced", async () => {
    const receiver = await startReceiver();
    await customer.subscribe(receiver);
    const [first, second] = [randomToken("call"), randomToken("call")];
    await send(fileOf([ended(first)]), { query: "?deliver=true" });
    expect((await messages(customer)).filter((type) => type === "call.completed")).toHaveLength(1);

    await send(fileOf([{ id: second, status: "in_progress" }]), { query: "?deliver=true" });
    await send(fileOf([ended(second)]));
    expect((await messages(customer)).filter((type) => type === "call.completed")).toHaveLength(2);
    await receiver.close();
  });

  test("the same file again, and the rest of one that was cut, store no line twice", async () => {
    const lines = Array.from({ length: 400 }, () => ended(newUuid()));
    const file = fileOf(lines);
    await cutAfter(file.slice(0, Math.floor(file.length * 0.6)));
    for (;;) {
      const [cut] = (await customer.get("/v1/imports")).data;
      if (cut?.state !== "interrupted") continue;
      expect(cut.applied_count).toBeGreaterThan(0);
      expect(cut.applied_count).toBeLessThan(400);
      break;
    }
    const again = await send(file);
    expect(again.json).toMatchObject({ state: "done", line_count: 400, failed_count: 0 });
    expect(again.json.applied_count + again.json.repeated_count).toBe(400);
    expect(again.json.repeated_count).toBeGreaterThan(0);
    expect((await send(file)).json).toMatchObject({ applied_count: 0, repeated_count: 400 });
    expect(await customer.calls()).toHaveLength(400);
  });

  test("?source= reads each line as that source's provider reads a webhook", async () => {
    const line = await customer.connect("vapi");
    const report = JSON.stringify(JSON.parse(fixture("vapi", "real/end-of-call-report.json")));
    expect((await send(fileOf([report]), { query: `?source=${line.source.slug}` })).json).toMatchObject({
      source_id: line.source.id,
      applied_count: 1,
    });
    expect(await customer.calls()).toMatchObject([{ provider: "vapi", duration_ms: 26_500 }]);
    const stranger = await makeCustomer(app);
    expect((await send("{}\n", { of: stranger, query: `?source=${line.source.slug}` })).status).toBe(422);
  });

  /** Sends a part of a file, then breaks the connection. */
  async function cutAfter(part: string): Promise<void> {
    const headers = { authorization: `Bearer ${customer.key}`, "content-type": "application/x-ndjson" };
    await new Promise<void>((resolve) => {
      const sending = request(`${app.url}/v1/imports`, { method: "POST", headers });
      sending.on("error", () => resolve());
      sending.write(part);
      const check = async () => {
        const [row] = (await customer.get("/v1/imports")).data;
        if (row?.applied_count > 0) sending.destroy();
        else setTimeout(() => void check(), 20);
      };
      void check();
    });
  }
});

describe("export", () => {
  test("200: everything of the tenant and nothing of another; it goes on after any line; it makes the same calls elsewhere", async () => {
    const line = await customer.connect("vapi");
    await line.own(fixture("vapi", "real/end-of-call-report.json"));
    await send(fileOf([ended(randomToken("call"))]));
    await customer.settled();

    const lines = await exported(customer);
    expect(new Set(lines.map(({ kind }) => kind))).toEqual(
      new Set([...lines.map(({ kind }) => kind), "source", "call", "event", "transcript", "message", "audit_entry"]),
    );
    expect(JSON.stringify(lines)).not.toContain(line.secret);
    expect(new Set(lines.flatMap(({ data }) => data["tenant_id"] ?? [])).size).toBe(1);
    const calls = await customer.calls();
    expect(lines.filter(({ kind }) => kind === "call").map(({ data }) => data["id"])).toEqual(
      calls.map((call) => call.id).toReversed(),
    );

    const middle = lines.findIndex(({ kind }) => kind === "event");
    const rest = await exported(customer, `?after=${encodeURIComponent(lines[middle]?.cursor ?? "")}`);
    expect(rest.slice(0, 5).map(({ data }) => data["id"])).toEqual(
      lines.slice(middle + 1, middle + 6).map(({ data }) => data["id"]),
    );

    const other = await makeCustomer(app);
    const { json } = await send(fileOf(lines), { of: other });
    expect(json).toMatchObject({ state: "done", applied_count: 2, failed_count: 0 });
    await other.settled();
    const shown = (all: Awaited<ReturnType<Customer["calls"]>>) =>
      all.map(({ provider_call_id, status, outcome, duration_ms, summary, from, to }) => ({
        ...{ provider_call_id, status, outcome, duration_ms, summary, from, to },
      }));
    const sorted = (all: ReturnType<typeof shown>) =>
      all.toSorted((a, b) => (a.provider_call_id < b.provider_call_id ? -1 : 1));
    expect(sorted(shown(await other.calls()))).toEqual(sorted(shown(calls)));
  });

  test("403: a viewer; 401: nobody", async () => {
    const viewer = await customer.post("/v1/api-keys", { name: "viewer", role: "viewer" });
    const ask = (headers: Record<string, string>) => fetch(`${app.url}/v1/export`, { headers });
    expect((await ask({ authorization: `Bearer ${viewer.key}` })).status).toBe(403);
    expect((await ask({})).status).toBe(401);
  });

  test("every table of a tenant is exported, or left out for a reason that is written down", async () => {
    const tables = await app.db.inTransaction([], (tx) =>
      tx.rows<{ name: string }>(
        `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
          where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition`,
      ),
    );
    const known = [...sections.map(({ table }) => table), ...Object.keys(notExported)];
    expect(tables.map(({ name }) => name).filter((name) => !known.includes(name))).toEqual([]);
    expect(known.filter((name) => !tables.some((table) => table.name === name))).toEqual([]);
  });
});
