import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { notExported, sections } from "#/retention/export-sections.ts";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { type Customer, makeCustomer, randomToken } from "../harness/customer.ts";
import { fixture } from "../harness/fixture.ts";
import { fileOf, pastCall } from "../harness/import.ts";

let app: TestApp;
let customer: Customer;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());
beforeEach(async () => {
  customer = await makeCustomer(app);
});

async function exported(
  of: Customer,
  query = "",
): Promise<{ kind: string; cursor: string; data: Record<string, unknown> }[]> {
  const { status, headers, json: text } = await of.ask("GET", `/v1/export${query}`);
  expect([status, headers.get("content-type")]).toEqual([200, "application/x-ndjson; charset=utf-8"]);
  return String(text)
    .split("\n")
    .flatMap((line) => (line ? [JSON.parse(line)] : []));
}

test("200: everything of the tenant and nothing of another; it goes on after any line; it makes the same calls elsewhere", async () => {
  const line = await customer.connect("vapi");
  await line.own(fixture("vapi", "real/end-of-call-report.json"));
  await customer.import(fileOf([pastCall(randomToken("call"))]));
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
  const rest = await exported(customer, `?cursor=${encodeURIComponent(lines[middle]?.cursor ?? "")}`);
  expect(rest.slice(0, 5).map(({ data }) => data["id"])).toEqual(
    lines.slice(middle + 1, middle + 6).map(({ data }) => data["id"]),
  );

  const other = await makeCustomer(app);
  const { json } = await other.import(fileOf(lines));
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
