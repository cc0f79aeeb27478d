import { english } from "@aftercall/contract/examples.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import { type CreateResend, CreateResend as Schema } from "@aftercall/contract/resend.ts";
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";

import { type Receiver, startReceiver } from "../../../test/harness/receiver.ts";
import { deliverInEachTest, type Delivering } from "../test-setup.ts";
import { stepResend } from "./step.ts";

let delivering: Delivering;
let receiver: Receiver;
deliverInEachTest((made) => {
  ({ delivering, receiver } = made);
});

type Asked = Partial<Record<keyof CreateResend, unknown>>;
const resend = (asked: Asked) => delivering.handlers.createResend({ ...delivering.request, body: Schema.parse(asked) });
const getResend = (id: string) =>
  delivering.handlers.getResend({ ...delivering.request, params: { id: fromPublicId("resend", id) ?? "" } });
const of = (id: string) => ({ ...delivering.request, params: { id: fromPublicId("resend", id) ?? "" } });
const job = (id: string) => ({ tenantId: delivering.tenant, resendId: fromPublicId("resend", id) ?? "" });
const reasons = async () => {
  const { data } = await delivering.handlers.listUndelivered({ ...delivering.request, query: { limit: 100 } });
  return data.map(({ reason }) => reason);
};

/** As time does between two steps. */
async function nextStep(id: string): Promise<number | null> {
  const { db, tenant, ids, book } = delivering;
  await db.inTransaction([tenant], (tx) => tx.run("update resends set next_at = now()"));
  return stepResend(db, { ids, book }, job(id));
}

/** All steps of a resend, and everything it made due is sent. Gives the number of steps. */
async function run(id: string): Promise<number> {
  for (let steps = 1; ; steps++) {
    const pause = await nextStep(id);
    while ((await delivering.worker.runOnce()) > 0);
    if (pause === null) return steps;
  }
}

/** Messages that a receiver refused until their schedule ended. */
async function exhaust(count: number, settings: object = {}) {
  receiver.answer({ status: 500 });
  const endpoint = await delivering.endpoint({ url: receiver.url, schedule_ms: [], is_breaker_on: false, ...settings });
  await delivering.write(Array.from({ length: count }, () => delivering.fact()));
  while ((await delivering.worker.runOnce()) > 0);
  receiver.answer({ status: 200 });
  return endpoint;
}

test("202: a delivery is resent as a new series with the same webhook-id, today's key and its cause, and leaves the list", async () => {
  const { handlers, request, deliveries } = delivering;
  const { uuid } = await exhaust(1, { schedule_ms: [1_000] });
  await delivering.makeDue();
  receiver.answer({ status: 500 });
  await delivering.worker.runOnce();
  const [before] = await deliveries();
  const rotated = await handlers.rotateEndpointSecret({ ...request, params: { id: uuid }, body: { grace_seconds: 0 } });
  receiver.answer((_request, count) => ({ status: count === 3 ? 500 : 200 }));

  const params = { id: before?.id ?? "" };
  const resent = await handlers.resendDelivery({ ...request, params, body: { force: false } });
  expect(resent).toMatchObject({
    state: "due",
    attempt_count: 0,
    message_id: toPublicId("message", before?.message_id ?? ""),
  });
  expect(resent.cause).toMatch(/^rsd_/);
  await delivering.worker.runOnce();
  await delivering.makeDue();
  await delivering.worker.runOnce();

  const ids = receiver.received.map(({ headers }) => headers["webhook-id"]);
  expect(ids).toHaveLength(4);
  expect(new Set(ids).size).toBe(1);
  expect(receiver.received.map(({ headers }) => headers["aftercall-attempt"])).toEqual(["1", "2", "1", "2"]);
  const last = receiver.received[3];
  const key = new Webhook(rotated.secrets[0]?.secret ?? "");
  expect(key.verify(last?.body ?? "", last?.headers as Record<string, string>)).toBeTruthy();
  expect(last?.body).toEqual(receiver.received[0]?.body);

  const shown = await handlers.getDelivery({ ...request, params: { id: fromPublicId("delivery", resent.id) ?? "" } });
  expect(shown).toMatchObject({ state: "delivered", cause: resent.cause });
  expect(shown.attempts.map(({ trigger }) => trigger)).toEqual(["resend", "resend"]);
  const old = await handlers.getDelivery({ ...request, params });
  expect(old).toMatchObject({ state: "undelivered", reason: "exhausted", replaced_by: resent.id });
  expect(old.attempts.map(({ trigger }) => trigger)).toEqual(["schedule", "schedule"]);
  expect(await reasons()).toEqual([]);
  expect(await getResend(resent.cause)).toMatchObject({ state: "done", total_count: 1, outcome: { delivered: 1 } });
});

test("a resend that fails as well stands in the list in place of the first", async () => {
  const { handlers, request, deliveries } = delivering;
  await exhaust(1);
  receiver.answer({ status: 500 });
  const [first] = await deliveries();
  await handlers.resendDelivery({ ...request, params: { id: first?.id ?? "" }, body: { force: false } });
  await delivering.worker.runOnce();
  expect(await reasons()).toEqual(["exhausted"]);
});

test("a dry run counts exactly what the run sends, shows some, and sends nothing", async () => {
  await exhaust(25);
  const dry = await resend({ dry_run: true });
  expect(dry).toMatchObject({ count: 25, resend: null });
  expect(dry.sample).toHaveLength(10);
  expect(receiver.received).toHaveLength(25);
  const { resend: made, count } = await resend({ rate_per_second: 1_000 });
  expect(count).toBe(25);
  await run(made?.id ?? "");
  expect(receiver.received).toHaveLength(50);
  expect(await getResend(made?.id ?? "")).toMatchObject({
    state: "done",
    total_count: 25,
    resent_count: 25,
    outcome: { delivered: 25, undelivered: 0, waiting: 0 },
  });
  expect(await reasons()).toEqual([]);
});

test("the selection is frozen when it is made: what fails afterwards is not part of it", async () => {
  await exhaust(3);
  const { resend: made } = await resend({});
  receiver.answer({ status: 500 });
  await delivering.write([delivering.fact(), delivering.fact()]);
  while ((await delivering.worker.runOnce()) > 0);
  await run(made?.id ?? "");
  expect(await getResend(made?.id ?? "")).toMatchObject({ state: "done", resent_count: 3 });
});

test("only what failed inside [since, until) is counted, and the end is not part of it", async () => {
  const { db, tenant } = delivering;
  await exhaust(3);
  const at = ["2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z"];
  const recent = at.map((time) => new Date(Date.now() - (Date.parse("2026-11-04T00:00:00Z") - Date.parse(time))));
  await db.inTransaction([tenant], async (tx) => {
    const rows = await tx.rows<{ id: string }>("select id from messages order by id");
    for (const [i, { id }] of rows.entries()) {
      await tx.run("update messages set created_at = $2 where id = $1", [id, recent[i]]);
    }
  });
  const count = async (asked: Asked) => (await resend({ ...asked, dry_run: true })).count;
  const time = (i: number) => recent[i]?.toISOString();
  expect(await count({ since: time(0), until: time(2) })).toBe(2);
  expect(await count({ since: time(1) })).toBe(2);
  expect(await count({ until: time(0) })).toBe(0);
});

test("422: a window that begins before payloads are kept, or ends before it begins, is refused by its field", async () => {
  const old = new Date(Date.now() - 91 * 86_400_000).toISOString();
  const pointersOf = (asked: Asked) =>
    resend(asked).then(
      () => [],
      (error: { status: number; errors: { pointer: string }[] }) => [
        error.status,
        ...error.errors.map((e) => e.pointer),
      ],
    );
  expect(await pointersOf({ since: old })).toEqual([422, "/since"]);
  expect(await pointersOf({ since: "2026-11-20T00:00:00Z", until: "2026-11-19T00:00:00Z" })).toContain("/until");
  expect(await pointersOf({ mode: "missing" })).toEqual([422, "/endpoint_id"]);
  expect(await pointersOf({ mode: "all", reasons: ["exhausted"] })).toEqual([422, "/endpoint_id", "/reasons"]);
  expect(await pointersOf({ endpoint_id: toPublicId("endpoint", delivering.tenant) })).toEqual([422, "/endpoint_id"]);
});

test("filters of reason, type, call and id select together, and a job does no more than they say", async () => {
  const { fact, call, write, worker, deliveries } = delivering;
  receiver.answer({ status: 500 });
  const { id } = await delivering.endpoint({ url: receiver.url, schedule_ms: [], is_breaker_on: false });
  const callId = await call();
  await write([fact({ callId }), fact({ type: "call.ended" }), fact({ type: "call.failed" })]);
  while ((await worker.runOnce()) > 0);
  const [first] = await deliveries();
  const count = async (asked: Asked) => (await resend({ ...asked, dry_run: true })).count;
  expect(await count({ endpoint_id: id })).toBe(3);
  expect(await count({ types: ["call.ended", "call.failed"] })).toBe(2);
  expect(await count({ call_ids: [toPublicId("call", callId)] })).toBe(1);
  expect(await count({ reasons: ["gone"] })).toBe(0);
  expect(await count({ delivery_ids: [toPublicId("delivery", first?.id ?? "")] })).toBe(1);
  expect(await count({ message_ids: [toPublicId("message", first?.message_id ?? "")], types: ["call.ended"] })).toBe(0);
});

test("what went to no endpoint can be sent to one that is named, and is refused in numbers without", async () => {
  const { fact, write, handlers, request } = delivering;
  await write([fact()]);
  const { id } = await delivering.endpoint({ url: receiver.url, types: ["campaign.*"] });
  await write([fact()]);
  expect((await reasons()).toSorted()).toEqual(["filtered", "no_endpoint"]);
  expect(await resend({ dry_run: true })).toMatchObject({ count: 0, refused: { no_endpoint_named: 2 } });
  const { data } = await handlers.listUndelivered({ ...request, query: { limit: 25, reason: "filtered" } });
  const params = { id: fromPublicId("message", data[0]?.message_id ?? "") ?? "" };
  const endpointId = fromPublicId("endpoint", id) ?? "";
  await handlers.resendMessage({ ...request, params, body: { endpoint_id: endpointId, force: false } });
  expect(await reasons()).toEqual(["no_endpoint"]);
  const { resend: made, count } = await resend({ reasons: ["no_endpoint", "filtered"], to_endpoint_id: id });
  expect(count).toBe(1);
  await run(made?.id ?? "");
  expect(receiver.received).toHaveLength(2);
  expect(await reasons()).toEqual([]);
});

test("an endpoint gets the form it wants today, also of messages that were written in another", async () => {
  const { fact, call, write, handlers, request } = delivering;
  const callId = await call();
  const data = { call: { ...english, id: toPublicId("call", callId) }, transcript: null };
  const timestamp = "2026-11-21T09:32:12.480Z";
  const body = Buffer.from(JSON.stringify({ type: "call.completed", timestamp, data }));
  await write([fact({ callId, occurredAtMs: Date.parse(timestamp), render: () => body })]);
  const { data: rows } = await handlers.listUndelivered({ ...request, query: { limit: 1 } });
  for (const settings of [{ format: "flat" }, { format: "cloudevents", payload: "thin" }]) {
    const { uuid } = await delivering.endpoint({ url: receiver.url, ...settings });
    const params = { id: fromPublicId("message", rows[0]?.message_id ?? "") ?? "" };
    await handlers.resendMessage({ ...request, params, body: { endpoint_id: uuid, force: false } });
    await delivering.worker.runOnce();
  }
  const [flat, event] = receiver.received.map(
    (one) => JSON.parse(one.body.toString("utf8")) as Record<string, unknown>,
  );
  expect(flat).toMatchObject({
    event_type: "call.completed",
    timestamp: "2026-11-21T09:32:12Z",
    city: english.city ?? "",
  });
  expect(event).toMatchObject({ specversion: "1.0", data: { call: { id: data.call.id } } });
  expect(receiver.received[1]?.headers["content-type"]).toBe("application/cloudevents+json; charset=utf-8");
});

test("what was meant for a deleted endpoint can be sent to another, once each", async () => {
  const { handlers, request } = delivering;
  const { uuid } = await exhaust(2);
  await handlers.deleteEndpoint({ ...request, params: { id: uuid } });
  expect(await resend({ dry_run: true })).toMatchObject({ count: 0, refused: { endpoint_deleted: 2 } });
  const { id } = await delivering.endpoint({ url: `${receiver.url}new` });
  const { resend: made } = await resend({ to_endpoint_id: id });
  await run(made?.id ?? "");
  expect(receiver.received.slice(2).map(({ path }) => path)).toEqual(["/new", "/new"]);
  expect(await reasons()).toEqual([]);
});

test("409: a disabled endpoint gets nothing unless it is forced, and then exactly what was resent", async () => {
  const { handlers, request, deliveries } = delivering;
  const { uuid, id } = await exhaust(2);
  await handlers.updateEndpoint({ ...request, params: { id: uuid }, body: { is_enabled: false } });
  const [first] = await deliveries();
  const params = { id: first?.id ?? "" };
  const refusal = { status: 409, message: expect.stringContaining("disabled") as string };
  await expect(handlers.resendDelivery({ ...request, params, body: { force: false } })).rejects.toMatchObject(refusal);
  await expect(handlers.retryDelivery({ ...request, params, query: {} })).rejects.toMatchObject(refusal);
  await expect(resend({ endpoint_id: id })).rejects.toMatchObject(refusal);
  await expect(resend({ endpoint_id: id, mode: "all" })).rejects.toMatchObject(refusal);
  expect(await resend({ dry_run: true })).toMatchObject({ count: 0, refused: { endpoint_disabled: 2 } });

  await handlers.retryDelivery({ ...request, params, query: { force: "true" } });
  await delivering.worker.runOnce();
  expect(receiver.received).toHaveLength(3);
  const { resend: made } = await resend({ endpoint_id: id, force: true });
  await run(made?.id ?? "");
  expect(receiver.received).toHaveLength(4);
  expect((await deliveries()).filter(({ state }) => state === "delivered")).toHaveLength(2);
});

test("'everything since' sends to an endpoint what it would have got by its settings of today, whenever it was made", async () => {
  const { fact, write, worker } = delivering;
  await write([fact(), fact({ type: "call.ended" }), fact({ direction: "outbound" })]);
  const { id } = await delivering.endpoint({ url: receiver.url, types: ["call.completed"] });
  await write([fact()]);
  await worker.runOnce();
  expect(receiver.received).toHaveLength(1);
  const since = new Date(Date.now() - 3_600_000).toISOString();
  expect((await resend({ mode: "missing", endpoint_id: id, since, dry_run: true })).count).toBe(2);
  expect((await resend({ mode: "all", endpoint_id: id, since, dry_run: true })).count).toBe(3);
  const { resend: made } = await resend({ mode: "missing", endpoint_id: id, since });
  await run(made?.id ?? "");
  expect(receiver.received).toHaveLength(3);
  expect((await resend({ mode: "missing", endpoint_id: id, dry_run: true })).count).toBe(0);
  expect(await reasons()).toEqual(["no_endpoint"]);
});

test("the filter of an endpoint decides over what it missed, too", async () => {
  const { fact, write } = delivering;
  const body = (city: string) => ({
    render: () => Buffer.from(JSON.stringify({ type: "call.completed", data: { city } })),
  });
  await write([fact(body("Haifa")), fact(body("Eilat")), fact(body("Haifa"))]);
  const { id } = await delivering.endpoint({ url: receiver.url, filter: { data: { city: "Haifa" } } });
  expect((await resend({ mode: "missing", endpoint_id: id, dry_run: true })).count).toBe(2);
});

test("'what it missed while disabled' is what came meanwhile and what was closed then, and nothing else", async () => {
  const { handlers, request, fact, write, worker } = delivering;
  const { uuid, id } = await exhaust(1);
  const set = (isEnabled: boolean) =>
    handlers.updateEndpoint({ ...request, params: { id: uuid }, body: { is_enabled: isEnabled } });
  await expect(resend({ preset: "missed_while_disabled", endpoint_id: id })).rejects.toMatchObject({ status: 409 });
  await write([fact()]);
  await set(false);
  await write([fact(), fact()]);
  await set(true);
  await write([fact()]);
  await worker.runOnce();
  expect((await resend({ preset: "missed_while_disabled", endpoint_id: id, dry_run: true })).count).toBe(3);
  const { resend: made } = await resend({ preset: "missed_while_disabled", endpoint_id: id });
  const before = receiver.received.length;
  await run(made?.id ?? "");
  expect(receiver.received.length - before).toBe(3);
  expect(await reasons()).toEqual(["exhausted"]);
});

test("the rate holds, however many workers step, and a step never makes more due than it allows", async () => {
  const { db, tenant, ids, book, deliveries } = delivering;
  await exhaust(30);
  const { resend: made } = await resend({ rate_per_second: 20 });
  const id = made?.id ?? "";
  const due = async () => (await deliveries()).filter(({ state }) => state === "due").length;
  const pauses = await Promise.all(Array.from({ length: 8 }, () => stepResend(db, { ids, book }, job(id))));
  expect(await due()).toBe(4);
  for (const pause of pauses) expect(pause).toBeGreaterThan(0);
  await db.inTransaction([tenant], (tx) => tx.run("update resends set next_at = now()"));
  await Promise.all(Array.from({ length: 8 }, () => stepResend(db, { ids, book }, job(id))));
  expect(await due()).toBe(8);
});

test("a resend makes no more due than a second's worth while its receiver does not take it", async () => {
  await exhaust(30);
  const { resend: made } = await resend({ rate_per_second: 10 });
  for (let step = 0; step < 20; step++) await nextStep(made?.id ?? "");
  expect((await delivering.deliveries()).filter(({ state }) => state === "due")).toHaveLength(10);
});

test("pause holds at once, resume goes on where it was, cancel ends it and lists what was waiting", async () => {
  const { handlers, worker } = delivering;
  await exhaust(12);
  const { resend: made } = await resend({ rate_per_second: 10 });
  const id = made?.id ?? "";
  await nextStep(id);
  await nextStep(id);
  expect(await handlers.pauseResend(of(id))).toMatchObject({
    state: "paused",
    resent_count: 4,
    outcome: { waiting: 4 },
  });
  expect(await worker.runOnce()).toBe(0);
  expect(await nextStep(id)).toBeNull();
  const { data } = await handlers.listHeld({ ...delivering.request, query: { limit: 25 } });
  expect(data.map(({ cause, next_attempt_at }) => [cause, next_attempt_at])).toEqual(
    Array.from({ length: 4 }, () => ["resend_paused", null]),
  );
  await expect(handlers.pauseResend(of(id))).rejects.toMatchObject({ status: 409 });

  expect(await handlers.resumeResend(of(id))).toMatchObject({ state: "running" });
  while ((await worker.runOnce()) > 0);
  expect(receiver.received).toHaveLength(16);
  await nextStep(id);
  expect(await handlers.cancelResend(of(id))).toMatchObject({
    state: "canceled",
    resent_count: 6,
    outcome: { delivered: 4, undelivered: 2, waiting: 0 },
  });
  expect(await worker.runOnce()).toBe(0);
  expect(await nextStep(id)).toBeNull();
  expect((await reasons()).toSorted()).toEqual([
    ...Array.from({ length: 2 }, () => "cancelled"),
    ...Array.from({ length: 6 }, () => "exhausted"),
  ]);
  await expect(handlers.resumeResend(of(id))).rejects.toMatchObject({ status: 409 });
  await expect(handlers.cancelResend(of(id))).rejects.toMatchObject({ status: 409 });
});

test("a step that dies before its commit changes nothing, and the next one does it: nothing twice, nothing left out", async () => {
  const { db, ids, book } = delivering;
  await exhaust(9);
  const { resend: made } = await resend({ rate_per_second: 10 });
  const id = made?.id ?? "";
  const dying = {
    inTransaction: <T>(tenants: readonly string[], work: (tx: never) => Promise<T>) =>
      db.inTransaction(tenants, async (tx) => {
        await work(tx as never);
        throw new Error("killed");
      }) as Promise<T>,
  };
  await expect(stepResend(dying as never, { ids, book }, job(id))).rejects.toThrow("killed");
  await nextStep(id);
  await expect(stepResend(dying as never, { ids, book }, job(id))).rejects.toThrow("killed");
  await run(id);
  expect(receiver.received).toHaveLength(18);
  const seen = receiver.received.slice(9).map(({ headers }) => headers["webhook-id"]);
  expect(new Set(seen).size).toBe(9);
});

test("two resends of the same list send each delivery once", async () => {
  await exhaust(10);
  const [one, other] = await Promise.all([resend({ rate_per_second: 1_000 }), resend({ rate_per_second: 1_000 })]);
  await Promise.all([nextStep(one.resend?.id ?? ""), nextStep(other.resend?.id ?? "")]);
  while ((await delivering.worker.runOnce()) > 0);
  expect(receiver.received).toHaveLength(20);
});

test("an endpoint that is disabled in the middle pauses its resend, and one that is deleted ends it", async () => {
  const { handlers, request } = delivering;
  const { uuid, id: endpointId } = await exhaust(5);
  const { resend: made } = await resend({ mode: "missing", endpoint_id: endpointId, rate_per_second: 5 });
  const id = made?.id ?? "";
  await nextStep(id);
  await handlers.updateEndpoint({ ...request, params: { id: uuid }, body: { is_enabled: false } });
  expect(await nextStep(id)).toBeNull();
  expect(await getResend(id)).toMatchObject({ state: "paused", resent_count: 1 });
  await handlers.resumeResend(of(id));
  await handlers.deleteEndpoint({ ...request, params: { id: uuid } });
  expect(await nextStep(id)).toBeNull();
  expect(await getResend(id)).toMatchObject({ state: "canceled" });
});

test("resends never count for or against the health of an endpoint", async () => {
  const { db, tenant } = delivering;
  await exhaust(3);
  receiver.answer({ status: 500 });
  const failed = () =>
    db.inTransaction([tenant], (tx) => tx.rows<{ failed_count: number }>("select failed_count from endpoint_health"));
  const before = await failed();
  const { resend: made } = await resend({ rate_per_second: 1_000 });
  await run(made?.id ?? "");
  expect(receiver.received).toHaveLength(6);
  expect(await failed()).toEqual(before);
});

test("operational endpoints are told once that a resend is over, whether it is done or canceled", async () => {
  await exhaust(2);
  const told = await startReceiver();
  await delivering.endpoint({ url: told.url, kind: "operational", types: ["replay.finished"] });
  const { resend: done } = await resend({ reasons: ["exhausted"] });
  await run(done?.id ?? "");
  expect(await nextStep(done?.id ?? "")).toBeNull();
  while ((await delivering.worker.runOnce()) > 0);
  const bodies = () =>
    told.received.map(
      ({ body }) => (JSON.parse(body.toString()) as { data: { replay: Record<string, unknown> } }).data.replay,
    );
  expect(bodies()).toMatchObject([{ id: done?.id, state: "done", counts: { selected: 2, resent: 2 } }]);

  receiver.answer({ status: 500 });
  await delivering.write([delivering.fact()]);
  while ((await delivering.worker.runOnce()) > 0);
  const { resend: stopped } = await resend({ reasons: ["exhausted"] });
  await delivering.handlers.cancelResend(of(stopped?.id ?? ""));
  while ((await delivering.worker.runOnce()) > 0);
  expect(bodies()).toMatchObject([{}, { id: stopped?.id, state: "canceled", counts: { selected: 1, resent: 0 } }]);
  await told.close();
});

test("one line in the audit for each resend and each change of it", async () => {
  const { handlers, db, tenant } = delivering;
  await exhaust(3);
  const { resend: made } = await resend({ types: ["call.completed"] });
  const id = made?.id ?? "";
  await handlers.pauseResend(of(id));
  await handlers.resumeResend(of(id));
  await handlers.cancelResend(of(id));
  const deeds = await db.inTransaction([tenant], (tx) =>
    tx.rows("select action, actor, detail from audit_log where subject = $1 order by id", [id]),
  );
  expect(deeds).toMatchObject([
    {
      action: "resend.created",
      actor: "api_key:key_test",
      detail: { count: 3, mode: "failed", types: ["call.completed"] },
    },
    { action: "resend.paused" },
    { action: "resend.resumed" },
    { action: "resend.canceled", detail: { canceled: 0 } },
  ]);
});

test("404: resends of another tenant are not there", async () => {
  await exhaust(1);
  const { resend: made } = await resend({});
  const tenant = await delivering.otherTenant();
  const foreign = { ...of(made?.id ?? ""), tenant };
  for (const work of ["getResend", "pauseResend", "resumeResend", "cancelResend"] as const) {
    await expect(delivering.handlers[work](foreign)).rejects.toMatchObject({ status: 404 });
  }
  expect((await delivering.handlers.listResends({ ...delivering.request, tenant, query: { limit: 25 } })).data).toEqual(
    [],
  );
});
