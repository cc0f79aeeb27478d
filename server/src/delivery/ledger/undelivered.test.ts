import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import { undeliveredReasons } from "@aftercall/contract/undelivered.ts";
import { expect, test } from "vitest";

import type { Receiver } from "../../../test/harness/receiver.ts";
import { deliverInEachTest, type Delivering } from "../test-setup.ts";
import { csvOf } from "./csv.ts";

let delivering: Delivering;
let receiver: Receiver;
deliverInEachTest((made) => {
  ({ delivering, receiver } = made);
});

const list = { limit: 25 };
const listed = async (query: object = {}) =>
  (await delivering.handlers.listUndelivered({ ...delivering.request, query: { ...list, ...query } })).data;
const counted = (query: object = {}) => delivering.handlers.countUndelivered({ ...delivering.request, query });

/** One of each: no endpoint, filtered, exhausted, deleted, disabled. */
async function loseOneOfEach() {
  const { endpoint, fact, write, worker, handlers, request } = delivering;
  await write([fact()]);
  receiver.answer({ status: 500 });
  const failing = await endpoint({ url: receiver.url, schedule_ms: [], types: ["call.completed"] });
  await write([fact({ type: "call.ended" })]);
  await write([fact()]);
  await worker.runOnce();
  const deleted = await endpoint({ url: receiver.url, types: ["call.failed"] });
  await write([fact({ type: "call.failed" })]);
  await handlers.deleteEndpoint({ ...request, params: { id: deleted.uuid } });
  const disabled = await endpoint({ url: receiver.url, types: ["campaign.completed"] });
  await write([fact({ type: "campaign.completed" })]);
  await handlers.updateEndpoint({ ...request, params: { id: disabled.uuid }, body: { is_enabled: false } });
  return { failing, deleted, disabled };
}

test("everything that did not arrive is listed once with its reason: deliveries, and messages that went to nobody", async () => {
  const { failing } = await loseOneOfEach();
  const rows = await listed();
  expect(rows.map(({ reason }) => reason).toSorted()).toEqual(
    ["endpoint_deleted", "endpoint_disabled", "exhausted", "filtered", "no_endpoint"].toSorted(),
  );
  const exhausted = rows.find(({ reason }) => reason === "exhausted");
  expect(exhausted).toMatchObject({ endpoint_id: failing.id, attempt_count: 1, is_resendable: true });
  expect(exhausted?.id).toMatch(/^dlv_/);
  const nobody = rows.find(({ reason }) => reason === "no_endpoint");
  expect(nobody).toMatchObject({ endpoint_id: null, attempt_count: 0, id: nobody?.message_id });
});

test("nothing that arrived or still waits is listed as undelivered", async () => {
  const { endpoint, fact, write, worker } = delivering;
  await endpoint({ url: receiver.url, schedule_ms: [60_000] });
  await write([fact()]);
  await worker.runOnce();
  receiver.answer({ status: 500 });
  await write([fact()]);
  await worker.runOnce();
  expect(await listed()).toEqual([]);
  expect(await counted()).toEqual({ total: 0, oldest_at: null, oldest_age_seconds: null, reasons: [] });
});

test("counts say how many for each reason, since when, and what to do", async () => {
  const { fact, write } = delivering;
  await loseOneOfEach();
  await write([fact({ type: "call.ended" }), fact({ type: "call.ended" })]);
  const counts = await counted();
  expect(counts.total).toBe(7);
  expect(Object.fromEntries(counts.reasons.map(({ reason, count }) => [reason, count]))).toEqual({
    filtered: 3,
    no_endpoint: 1,
    exhausted: 1,
    endpoint_deleted: 1,
    endpoint_disabled: 1,
  });
  for (const { reason, meaning } of counts.reasons) expect(meaning).toBe(undeliveredReasons[reason]);
  const oldest = (await listed()).map((row) => row.accepted_at).toSorted()[0];
  expect(counts.oldest_at).toBe(oldest);
  expect(counts.oldest_age_seconds).toBeLessThan(60);
});

test("the list is narrowed by reason, endpoint, type, call and time, and the counts follow", async () => {
  const { fact, call, write } = delivering;
  const { failing } = await loseOneOfEach();
  const callId = await call();
  await write([fact({ type: "call.ended", callId })]);
  const found = async (query: object) => [(await listed(query)).length, (await counted(query)).total];
  expect(await found({ reason: "filtered" })).toEqual([2, 2]);
  expect(await found({ endpoint_id: failing.uuid })).toEqual([1, 1]);
  expect(await found({ type: "call.failed" })).toEqual([1, 1]);
  expect(await found({ call_id: callId })).toEqual([1, 1]);
  expect(await found({ since: "2020-01-01T00:00:00Z", until: "2021-01-01T00:00:00Z" })).toEqual([0, 0]);
  expect(await found({ since: "2020-01-01T00:00:00Z" })).toEqual([6, 6]);
});

test("pages of both kinds together have no gap and no repeat, also while more is lost meanwhile", async () => {
  const { endpoint, fact, write, worker } = delivering;
  receiver.answer({ status: 500 });
  await endpoint({ url: receiver.url, schedule_ms: [], types: ["call.completed"], is_breaker_on: false });
  const facts = Array.from({ length: 40 }, (_, i) => fact({ type: i % 2 === 0 ? "call.completed" : "call.ended" }));
  await write(facts);
  while ((await worker.runOnce()) > 0);
  const before = (await listed({ limit: 100 })).map(({ id }) => id);
  expect(before).toHaveLength(40);
  const seen: string[] = [];
  for (let cursor: string | undefined; ;) {
    const query = { limit: 7, ...(cursor !== undefined && { cursor }) };
    const page = await delivering.handlers.listUndelivered({ ...delivering.request, query });
    seen.push(...page.data.map(({ id }) => id));
    await write([fact({ type: "call.ended" })]);
    if (page.next_cursor === null) break;
    cursor = page.next_cursor;
  }
  expect(seen).toEqual(before);
});

test("an endpoint that does not answer 410 twice: the first 410 lists what was open for it as gone", async () => {
  const { endpoint, fact, write, worker } = delivering;
  receiver.answer({ status: 410 });
  await endpoint({ url: receiver.url, in_flight_max: 1 });
  await write([fact(), fact(), fact()]);
  while ((await worker.runOnce()) > 0);
  expect((await listed()).map(({ reason }) => reason)).toEqual(["gone", "gone", "gone"]);
  expect(receiver.received).toHaveLength(1);
});

test("the table holds the same rows, reads in a spreadsheet, and no cell in it is a formula", async () => {
  await loseOneOfEach();
  const csv = await delivering.handlers.exportUndelivered({ ...delivering.request, query: {} });
  const [head, ...lines] = csv.replace("\ufeff", "").trimEnd().split("\r\n");
  expect(head).toBe(
    "id,reason,message_id,endpoint_id,type,call_id,attempt_count,accepted_at,undelivered_at,is_resendable",
  );
  expect(lines.map((line) => line.split(",")[0])).toEqual((await listed()).map(({ id }) => id));
  expect(csvOf(["a", "b"], [{ a: '=HYPERLINK("x")', b: 'שלום, "עולם"' }])).toBe(
    '\ufeffa,b\r\n"\'=HYPERLINK(""x"")","שלום, ""עולם"""\r\n',
  );
});

test("what waits stands beside it with the cause and the age, and is not in it", async () => {
  const { endpoint, fact, write, worker, handlers, request, deliveries } = delivering;
  receiver.answer({ status: 500 });
  const { uuid: retried } = await endpoint({ url: receiver.url, schedule_ms: [60_000], types: ["call.completed"] });
  const { uuid: paused } = await endpoint({ url: receiver.url, types: ["call.ended"] });
  await write([fact()]);
  await worker.runOnce();
  await handlers.updateEndpoint({ ...request, params: { id: paused }, body: { is_paused: true } });
  await write([fact({ type: "call.ended" }), fact({ type: "call.ended" })]);
  const held = async (query: object = {}) =>
    (await handlers.listHeld({ ...request, query: { ...list, ...query } })).data;
  expect((await held()).map(({ cause }) => cause)).toEqual(["paused", "paused", "retry"]);
  const [row] = await held({ cause: "retry" });
  expect(row).toMatchObject({ endpoint_id: toPublicId("endpoint", retried), attempt_count: 1, age_seconds: 0 });
  expect(Date.parse(row?.next_attempt_at ?? "")).toBeGreaterThan(Date.parse(row?.accepted_at ?? "") + 50_000);
  expect((await held({ endpoint_id: paused })).map(({ next_attempt_at }) => next_attempt_at)).toEqual([null, null]);
  const throttled = (await deliveries()).find(({ endpoint_id: id }) => id === retried);
  await delivering.db.inTransaction([request.tenant], (tx) =>
    tx.run("update endpoint_health set not_before = now() + interval '1 hour' where endpoint_id = $1", [retried]),
  );
  expect(await held({ endpoint_id: retried })).toMatchObject([
    { delivery_id: toPublicId("delivery", throttled?.id ?? ""), cause: "throttled" },
  ]);
  expect(await listed()).toEqual([]);
});

test("404 and nothing: another tenant sees neither what is lost nor what waits", async () => {
  const { handlers, request, otherTenant } = delivering;
  await loseOneOfEach();
  const foreign = { ...request, tenant: await otherTenant() };
  expect((await handlers.listUndelivered({ ...foreign, query: list })).data).toEqual([]);
  expect((await handlers.countUndelivered({ ...foreign, query: {} })).total).toBe(0);
  expect((await handlers.listHeld({ ...foreign, query: list })).data).toEqual([]);
  const [row] = await listed();
  const id = fromPublicId("message", row?.message_id ?? "") ?? "";
  await expect(handlers.expungePayload({ ...foreign, params: { id } })).rejects.toMatchObject({ status: 404 });
});

test("an expunged payload is gone everywhere, its row stays, and sending it is refused in so many words", async () => {
  const { endpoint, fact, write, worker, handlers, request, deliveries, db, tenant } = delivering;
  receiver.answer({ status: 500, body: "you sent me: שלום", headers: { "x-echo": "secret" } });
  await endpoint({ url: receiver.url, schedule_ms: [60_000] });
  await write([fact()]);
  await worker.runOnce();
  const [row] = await deliveries();
  const params = { id: row?.message_id ?? "" };
  expect(await handlers.expungePayload({ ...request, params })).toMatchObject({ is_expired: true });
  const message = await handlers.getMessage({ ...request, params });
  expect(message).toMatchObject({ is_expired: true, bodies: {} });
  const shown = await handlers.getDelivery({ ...request, params: { id: row?.id ?? "" } });
  expect(shown).toMatchObject({ state: "undelivered", reason: "expired" });
  expect(shown.attempts).toMatchObject([{ status: 500, response_headers: null, response_body: null }]);
  const left = await db.inTransaction([tenant], (tx) =>
    tx.rows<{ count: number }>(
      "select count(*)::int as count from message_bodies union all select count(*)::int from attempt_bodies",
    ),
  );
  expect(left.map(({ count }) => count)).toEqual([0, 0]);
  expect(await listed()).toMatchObject([{ reason: "expired", is_resendable: false }]);
  const of = { ...request, params: { id: row?.id ?? "" } };
  const refusal = { status: 409, message: expect.stringContaining("payload of this message was removed") as string };
  await expect(handlers.retryDelivery({ ...of, query: {} })).rejects.toMatchObject(refusal);
  await expect(handlers.resendDelivery({ ...of, body: { force: false } })).rejects.toMatchObject(refusal);
  await delivering.makeDue();
  expect(await worker.runOnce()).toBe(0);
  expect(receiver.received).toHaveLength(1);
});

test("a payload that is expunged while it is being sent leaves nothing of the answer", async () => {
  const { endpoint, fact, write, worker, handlers, request, deliveries, attempts } = delivering;
  let release = () => {};
  const after = new Promise<void>((resolve) => {
    release = resolve;
  });
  receiver.answer({ status: 200, body: "echo", after });
  await endpoint({ url: receiver.url });
  await write([fact()]);
  const round = worker.runOnce();
  await receiver.waitFor(1);
  const [row] = await deliveries();
  await handlers.expungePayload({ ...request, params: { id: row?.message_id ?? "" } });
  release();
  await round;
  expect(await deliveries()).toMatchObject([{ state: "undelivered", reason: "expired", claim_id: null }]);
  expect(await attempts()).toEqual([]);
});
