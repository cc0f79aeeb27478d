import { expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";

import { claim } from "./claim.ts";
import { createMarks } from "./marks.ts";
import { deliverInEachTest, type Delivering } from "./test-setup.ts";

let delivering: Delivering;
deliverInEachTest((made) => {
  ({ delivering } = made);
});

const room = { total: 500, fresh: 500, retry: 500 };
const claimWithin = (bytes: number, marks = createMarks(systemClock)) =>
  claim({
    ...delivering,
    room: { free: room, freeOf: () => room, knownRoom: () => new Map() },
    bytesFree: () => bytes,
    marks,
    retries: () => Number.POSITIVE_INFINITY,
    workers: () => 1,
  });
const large = (size: number) => delivering.fact({ render: () => Buffer.alloc(size, "x") });
const states = async () => (await delivering.deliveries()).map(({ state }) => state).toSorted();

test.each(["none", "strict"])(
  "a claim brings no more bodies than there is room for, and the others stay due (order %s)",
  async (mode) => {
    await delivering.endpoint({ url: "https://example.com/", order: { mode }, in_flight_max: 100 });
    await delivering.write(Array.from({ length: 5 }, () => large(40_000)));
    expect((await claimWithin(100_000)).items).toHaveLength(3);
    expect(await states()).toEqual(["claimed", "claimed", "claimed", "due", "due"]);
    expect((await claimWithin(0)).items).toHaveLength(0);
    expect((await claimWithin(100_000)).items).toHaveLength(2);
  },
);

test("a body that is larger than all the room there is comes alone", async () => {
  await delivering.endpoint({ url: "https://example.com/", in_flight_max: 100 });
  await delivering.write([large(3_000_000), large(3_000_000)]);
  expect((await claimWithin(1)).items).toHaveLength(1);
  expect((await claimWithin(1)).items).toHaveLength(1);
});

test("endpoints with and without order share the room", async () => {
  await delivering.endpoint({ url: "https://example.com/", types: ["call.ended"] });
  await delivering.endpoint({ url: "https://example.com/", types: ["call.completed"], order: { mode: "skip" } });
  await delivering.write([large(60_000), { ...large(60_000), type: "call.ended" }]);
  expect((await claimWithin(50_000)).items).toMatchObject([{ type: "call.ended" }]);
  expect((await claimWithin(50_000)).items).toMatchObject([{ type: "call.completed" }]);
});

test("a rate counts only what was brought", async () => {
  const { uuid } = await delivering.endpoint({
    url: "https://example.com/",
    rate: { limit: 1, per_seconds: 3_600, burst: 3 },
  });
  await delivering.write(Array.from({ length: 3 }, () => large(40_000)));
  expect((await claimWithin(1)).items).toHaveLength(1);
  const [health] = await delivering.sql<{ tokens: number }>(
    "select tokens from endpoint_health where endpoint_id = $1",
    [uuid],
  );
  expect(health?.tokens).toBeCloseTo(2, 1);
});

test("what became due again without anybody being told is found as soon as there is nothing else to do", async () => {
  const marks = createMarks(systemClock);
  await delivering.endpoint({ url: "https://example.com/", in_flight_max: 100 });
  await delivering.write([large(1), large(1)]);
  await delivering.sql("update deliveries set due_at = now() - interval '1 minute'");
  const [later] = await delivering.sql<{ id: string }>(
    "update deliveries set state = 'claimed' where id = (select min(id::text)::uuid from deliveries) returning id",
  );
  expect((await claimWithin(1, marks)).items).toHaveLength(1);
  await delivering.sql("update deliveries set state = 'due' where id = $1", [later?.id]);
  expect((await claimWithin(1, marks)).items).toHaveLength(0);
  expect((await claimWithin(1, marks)).items).toHaveLength(1);
});
