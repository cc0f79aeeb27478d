import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { running as reached, startTestApp, type TestApp } from "../harness/app.ts";
import { type Customer, customerOf, makeCustomer, newUuid } from "../harness/customer.ts";
import { startDatabaseProxy } from "../harness/database-proxy.ts";
import { discardDatabase, ownDatabase } from "../harness/database.ts";
import { fileOf, importThat, pastCall, sendPart } from "../harness/import.ts";
import { startServerProcess } from "../harness/server-process.ts";

let app: TestApp;
let customer: Customer;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());
beforeEach(async () => {
  customer = await makeCustomer(app);
});

/** Sends the beginning of a file until some of it was taken in, then breaks the connection. */
async function cutOff(part: string) {
  const { sending } = sendPart(app.url, customer.key, part);
  await importThat(customer, (row) => row.applied_count > 0);
  sending.destroy();
  return importThat(customer, (row) => row.state === "interrupted");
}

test(
  "a server that is killed in the middle of a file: the next one goes on where it was, no line lost and none twice",
  { timeout: 120_000 },
  async () => {
    const own = await ownDatabase();
    const proxy = await startDatabaseProxy(own.connection);
    const first = await startServerProcess(proxy.url, { AFTERCALL_ANALYSIS: "off" });
    const victim = await makeCustomer(reached(first.url, own.db));
    const ids = Array.from({ length: 1_000 }, newUuid);
    const file = Buffer.from(fileOf(ids.map(pastCall)));
    const { answered } = sendPart(first.url, victim.key, file.subarray(0, Math.floor(file.length * 0.9)).toString());
    await importThat(victim, (row) => row.applied_count > 0);
    await first.kill();
    expect(await answered).toBeNull();

    const second = await startServerProcess(proxy.url, { AFTERCALL_ANALYSIS: "off" });
    const heir = customerOf(reached(second.url, own.db), victim);
    // At once: PostgreSQL knows that its process is gone.
    const cut = await importThat(heir, (row) => row.state === "interrupted");
    expect(cut.line_count).toBeLessThan(1_000);
    const rest = file.subarray(cut.byte_count).toString();
    const { json } = await heir.import(rest, `/v1/imports/${cut.id}/resume`);
    expect(json).toMatchObject({ state: "done", line_count: 1_000, failed_count: 0, byte_count: file.length });
    expect(json.applied_count + json.repeated_count).toBe(1_000);
    const calls = await heir.calls();
    expect(calls.map((call) => call.provider_call_id).toSorted()).toEqual(ids.toSorted());
    expect(await heir.events()).toHaveLength(1_000);
    await second.stop();
    await proxy.close();
    await discardDatabase(own);
  },
);

test("200: what broke off goes on where it was, with lines counted on; 409: what is done, canceled or running does not", async () => {
  const lines = Array.from({ length: 400 }, () => pastCall(newUuid()));
  const file = Buffer.from(fileOf(lines));
  const cut = await cutOff(file.subarray(0, Math.floor(file.length * 0.6)).toString());
  expect(file.subarray(0, cut.byte_count).toString().split("\n")).toHaveLength(cut.line_count + 1);
  const path = `/v1/imports/${cut.id}/resume`;
  const rest = await customer.import(`${file.subarray(cut.byte_count).toString()}broken`, path);
  expect([rest.status, rest.json]).toMatchObject([
    200,
    { id: cut.id, state: "done", line_count: 401, byte_count: file.length + 6, failures: [{ line: 401 }] },
  ]);
  expect(rest.json.applied_count + rest.json.repeated_count).toBe(400);
  expect(await customer.calls()).toHaveLength(400);

  expect((await customer.import("{}\n", path)).status).toBe(409);
  expect((await customer.ask("POST", `/v1/imports/${cut.id}/cancel`)).status).toBe(409);
  const log = (await customer.get(`/v1/audit-log?subject=${cut.id}`)).data;
  expect(log.map(({ action }: { action: string }) => action)).toEqual(["import.resumed", "import.started"]);
});

test("409: an import that is canceled while it is sent ends, and what it took in stays", async () => {
  const lines = Array.from({ length: 200 }, () => pastCall(newUuid()));
  const { sending, answered } = sendPart(app.url, customer.key, fileOf(lines));
  const running = await importThat(customer, (row) => row.applied_count > 0);
  const canceled = await customer.post(`/v1/imports/${running.id}/cancel`, undefined);
  expect(canceled).toMatchObject({ state: "canceled", applied_count: running.applied_count });
  sending.end(fileOf([pastCall(newUuid())]));
  expect((await answered)?.statusCode).toBe(409);
  expect((await customer.get(`/v1/imports/${running.id}`)).state).toBe("canceled");
  expect((await customer.calls()).length).toBeGreaterThanOrEqual(running.applied_count);
  expect((await customer.import("{}\n", `/v1/imports/${running.id}/resume`)).status).toBe(409);
});

test("the same file again, and the rest of one that was cut, store no line twice", async () => {
  const lines = Array.from({ length: 400 }, () => pastCall(newUuid()));
  const file = fileOf(lines);
  const cut = await cutOff(file.slice(0, Math.floor(file.length * 0.6)));
  expect(cut.applied_count).toBeGreaterThan(0);
  expect(cut.applied_count).toBeLessThan(400);
  const again = await customer.import(file);
  expect(again.json).toMatchObject({ state: "done", line_count: 400, failed_count: 0 });
  expect(again.json.applied_count + again.json.repeated_count).toBe(400);
  expect(again.json.repeated_count).toBeGreaterThan(0);
  expect((await customer.import(file)).json).toMatchObject({ applied_count: 0, repeated_count: 400 });
  expect(await customer.calls()).toHaveLength(400);
});
