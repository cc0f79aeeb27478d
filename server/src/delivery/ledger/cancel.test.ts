import { CancelDeliveries } from "@aftercall/contract/cancel.ts";
import { toPublicId } from "@aftercall/contract/id.ts";
import { expect, test } from "vitest";

import type { Receiver } from "../../../test/harness/receiver.ts";
import { deliverInEachTest, type Delivering } from "../test-setup.ts";

let delivering: Delivering;
let receiver: Receiver;
deliverInEachTest((made) => {
  ({ delivering, receiver } = made);
});

const cancel = (body: object, tenant = delivering.tenant) =>
  delivering.handlers.cancelDeliveries({ ...delivering.request, tenant, body: CancelDeliveries.parse(body) });
const states = async () => (await delivering.deliveries()).map(({ state, reason }) => reason ?? state);

test("what waits is counted by a dry run, then ended by the same conditions, listed, and never sent", async () => {
  receiver.answer({ status: 500 });
  const failing = await delivering.endpoint({ url: receiver.url, types: ["call.*"], schedule_ms: [60_000] });
  const paused = await delivering.endpoint({ url: receiver.url, types: ["call.ended"], is_paused: true });
  await delivering.write([delivering.fact({ type: "call.ended" }), delivering.fact({ type: "call.completed" })]);
  await delivering.worker.runOnce();
  const dry = await cancel({ endpoint_id: failing.id, dry_run: true });
  expect(dry).toMatchObject({ count: 2, cancelled_count: 0, in_flight_count: 0 });
  expect(dry.sample.map((row) => row.endpoint_id)).toEqual([failing.id, failing.id]);
  expect(await cancel({ endpoint_id: failing.id, types: ["call.ended"] })).toMatchObject({ cancelled_count: 1 });
  expect(await cancel({ is_tried: false })).toMatchObject({ cancelled_count: 1, count: 1 });
  expect(new Set(await states())).toEqual(new Set(["due", "cancelled"]));
  await delivering.makeDue();
  await delivering.worker.runOnce();
  expect(receiver.received).toHaveLength(3);
  const { handlers, request } = delivering;
  const { data } = await handlers.listUndelivered({ ...request, query: { limit: 10, reason: "cancelled" } });
  expect(data.map((row) => row.endpoint_id).toSorted()).toEqual([failing.id, paused.id].toSorted());
});

test("each condition narrows, and what belongs to others is never touched", async () => {
  const { uuid, id } = await delivering.endpoint({ url: receiver.url, is_paused: true });
  const call = await delivering.call();
  const other = await delivering.otherTenant();
  await delivering.endpoint({ url: receiver.url, is_paused: true }, other);
  await delivering.write([delivering.fact({ callId: call }), delivering.fact(), delivering.fact({ tenantId: other })]);
  const [row] = await delivering.deliveries();
  const count = async (body: object) => (await cancel({ ...body, dry_run: true })).count;
  expect(await count({ endpoint_id: id })).toBe(2);
  expect(await count({ call_ids: [toPublicId("call", call)] })).toBe(1);
  expect(await count({ message_ids: [toPublicId("message", row?.message_id ?? "")] })).toBe(1);
  expect(await count({ delivery_ids: [toPublicId("delivery", row?.id ?? "")] })).toBe(1);
  expect(await count({ since: "2999-01-01T00:00:00Z" })).toBe(0);
  expect(await count({ until: "2999-01-01T00:00:00Z", is_tried: true })).toBe(0);
  expect(await count({ types: ["call.ended"] })).toBe(0);
  expect(await cancel({ until: "2999-01-01T00:00:00Z" })).toMatchObject({ cancelled_count: 2 });
  expect((await delivering.deliveries(other)).map(({ state }) => state)).toEqual(["due"]);
  expect(await cancel({ endpoint_id: toPublicId("endpoint", uuid) }, other)).toMatchObject({ count: 0 });
});

test("what is being sent at this moment is left alone and counted", async () => {
  await delivering.endpoint({ url: receiver.url });
  await delivering.write([delivering.fact()], () => 1);
  expect(await cancel({ until: "2999-01-01T00:00:00Z" })).toMatchObject({
    count: 0,
    in_flight_count: 1,
    cancelled_count: 0,
  });
  expect(await states()).toEqual(["claimed"]);
});

test("in a strict order the line moves on when its blocker is cancelled", async () => {
  receiver.answer((_request, count) => ({ status: count === 1 ? 500 : 200 }));
  await delivering.endpoint({ url: receiver.url, order: { mode: "strict" }, schedule_ms: [60_000] });
  const callId = await delivering.call();
  await delivering.write([delivering.fact({ callId, type: "call.ended" }), delivering.fact({ callId })]);
  await delivering.worker.runOnce();
  await delivering.worker.runOnce();
  expect(receiver.received).toHaveLength(1);
  expect(await cancel({ types: ["call.ended"] })).toMatchObject({ cancelled_count: 1 });
  await delivering.worker.runOnce();
  expect(receiver.received).toHaveLength(2);
  expect((await states()).toSorted()).toEqual(["cancelled", "delivered"]);
});

test("who cancelled what is in the audit log; a dry run is not", async () => {
  await delivering.endpoint({ url: receiver.url, is_paused: true });
  await delivering.write([delivering.fact()]);
  await cancel({ types: ["call.completed"], dry_run: true });
  await cancel({ types: ["call.completed"] });
  const rows = await delivering.sql<{ actor: string; detail: unknown; after: unknown }>(
    "select actor, detail, after from audit_log where action = 'deliveries.cancelled'",
  );
  expect(rows).toEqual([
    { actor: "api_key:key_test", detail: { types: ["call.completed"] }, after: { cancelled_count: 1 } },
  ]);
});

test("422: to end all that waits somebody has to say which", () => {
  expect(CancelDeliveries.safeParse({}).success).toBe(false);
  expect(CancelDeliveries.safeParse({ dry_run: true }).success).toBe(false);
});
