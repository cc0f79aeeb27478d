import { UpdateEndpoint } from "@aftercall/contract/endpoint.ts";
import { afterEach, beforeEach, expect, test } from "vitest";

import type { AppError } from "#/kernel/errors.ts";

import { type Receiver, startReceiver } from "../../test/harness/receiver.ts";
import { deliverInEachTest, type Delivering } from "./test-setup.ts";

let delivering: Delivering;
let receiver: Receiver;
let fallback: Receiver;
deliverInEachTest((made) => {
  ({ delivering, receiver } = made);
});
beforeEach(async () => {
  fallback = await startReceiver();
});
afterEach(() => fallback.close());

const endpoint = (changes: object = {}) =>
  delivering.endpoint({
    url: receiver.url,
    fallback_url: fallback.url,
    schedule_ms: [1_000, 1_000, 1_000],
    ...changes,
  });
const attemptsLater = async (count: number) => {
  for (let i = 0; i < count; i++) {
    await delivering.worker.runOnce();
    await delivering.makeDue();
  }
};
const patch = (id: string, body: unknown) =>
  delivering.handlers.updateEndpoint({ ...delivering.request, params: { id }, body: UpdateEndpoint.parse(body) });

test("after a failed attempt the fallback gets the message, with the same id and bytes, and that ends it", async () => {
  receiver.answer({ status: 500 });
  await endpoint();
  await delivering.write([delivering.fact()]);
  await attemptsLater(3);
  expect([receiver.received.length, fallback.received.length]).toEqual([1, 1]);
  const [first, second] = [receiver.received[0], fallback.received[0]];
  expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
  expect(second?.body).toEqual(first?.body);
  const { data } = await delivering.handlers.listDeliveries({ ...delivering.request, query: { limit: 10 } });
  expect(data).toMatchObject([{ state: "delivered", attempt_count: 2 }]);
  const rows = await delivering.sql<{ url: string }>("select url from attempts order by number");
  expect(rows.map(({ url }) => url)).toEqual([receiver.url, fallback.url]);
});

test("while both fail they take turns, and an endpoint that answers is never passed over", async () => {
  receiver.answer({ status: 500 });
  fallback.answer({ status: 500 });
  await endpoint();
  await delivering.write([delivering.fact()]);
  await attemptsLater(4);
  expect([receiver.received.length, fallback.received.length]).toEqual([2, 2]);
  expect(await delivering.deliveries()).toMatchObject([
    { state: "undelivered", reason: "exhausted", attempt_count: 4 },
  ]);
  receiver.answer({ status: 200 });
  await delivering.write([delivering.fact()]);
  await attemptsLater(1);
  expect([receiver.received.length, fallback.received.length]).toEqual([3, 2]);
});

test("while the fallback takes what the URL refuses, the breaker stays closed and nothing waits for a pause", async () => {
  receiver.answer({ status: 503, headers: { "retry-after": "3600" } });
  const { uuid } = await endpoint({ in_flight_max: 50 });
  await delivering.write(Array.from({ length: 20 }, () => delivering.fact()));
  await attemptsLater(2);
  expect([receiver.received.length, fallback.received.length]).toEqual([20, 20]);
  expect(await delivering.health(uuid)).toMatchObject({ breaker: "closed", notBeforeMs: null, failedCount: 0 });
  fallback.answer({ status: 500 });
  await delivering.write(Array.from({ length: 5 }, () => delivering.fact()));
  await attemptsLater(2);
  expect(await delivering.health(uuid)).toMatchObject({ failedCount: 5 });
});

test.each([410, 429, 503])(
  "a fallback that answers %i neither disables the endpoint nor makes it wait",
  async (status) => {
    receiver.answer({ status: 500 });
    fallback.answer({ status, headers: { "retry-after": "3600" } });
    const { uuid } = await endpoint();
    await delivering.write([delivering.fact()]);
    await attemptsLater(2);
    const shown = await delivering.handlers.getEndpoint({ ...delivering.request, params: { id: uuid } });
    expect(shown).toMatchObject({ is_enabled: true });
    expect(await delivering.health(uuid)).toMatchObject({ notBeforeMs: null });
    expect(await delivering.deliveries()).toMatchObject([{ state: "due", attempt_count: 2 }]);
  },
);

test("a fallback at an address that is not open to the tenant is not dialled", async () => {
  receiver.answer({ status: 500 });
  await endpoint({ fallback_url: "http://10.0.0.1/" });
  await delivering.write([delivering.fact()]);
  await attemptsLater(2);
  const rows = await delivering.attempts();
  expect(rows.map((row) => row.class)).toEqual(["http_5xx", "blocked_target"]);
});

test("422: a fallback is judged like the URL, and null takes it away", async () => {
  const refusal = (work: Promise<unknown>) =>
    work.catch(({ status, errors }: AppError) => [status, errors[0]?.pointer]);
  expect(await refusal(endpoint({ fallback_url: "ftp://example.com/" }))).toEqual([422, "/fallback_url"]);
  const { uuid } = await endpoint();
  expect(await refusal(patch(uuid, { fallback_url: "http://user:pass@example.com/" }))).toEqual([422, "/fallback_url"]);
  expect(await patch(uuid, { fallback_url: null })).toMatchObject({ fallback_url: null });
});

test("a schedule for a type counts before that of its noun, and that before the one for all", async () => {
  receiver.answer({ status: 500 });
  const call = [1_000, 2_000];
  await delivering.endpoint({
    url: receiver.url,
    schedule_ms: [3_600_000],
    type_schedules_ms: { "call.completed": [], "call.*": call },
  });
  const types = ["call.completed", "call.ended", "campaign.completed"];
  await delivering.write(types.map((type) => delivering.fact({ type })));
  await delivering.worker.runOnce();
  const rows = await delivering.deliveries();
  expect(rows.map(({ state, reason }) => [state, reason])).toEqual([
    ["undelivered", "exhausted"],
    ["due", null],
    ["due", null],
  ]);
  expect(rows[1]?.due_in_ms).toBeLessThanOrEqual(1_100);
  expect(rows[2]?.due_in_ms).toBeGreaterThan(3_000_000);
});

test("422: a schedule for a type that is not there, for all types, or out of bounds names its field", async () => {
  const refusal = (schedules: object) =>
    delivering.endpoint({ url: receiver.url, type_schedules_ms: schedules }).then(
      () => "accepted" as const,
      ({ errors, issues }: AppError & { issues?: { path: string[] }[] }) =>
        errors?.map(({ pointer }) => pointer) ?? issues?.map(({ path }) => path.join("/")),
    );
  expect(await refusal({ "lead.gone": [1_000] })).toEqual(["/type_schedules_ms/lead.gone"]);
  expect(await refusal({ "*": [1_000] })).toEqual(["type_schedules_ms/*"]);
  expect(await refusal({ "call.ended": [1] })).toEqual(["type_schedules_ms/call.ended/0"]);
});
