import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { limits } from "#/kernel/limits.ts";

import { createFakeClock } from "../../test/harness/clock.ts";
import { discardDatabase, ownDatabase, type TestDatabase } from "../../test/harness/database.ts";
import { createMarks, type Marks } from "./marks.ts";
import { lookupLanes, type Mark, type ReadyLane } from "./queue/lane-store.ts";
import { releaseDeliveries } from "./queue/store.ts";
import { type Delivering, startDelivering } from "./test-setup.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await ownDatabase();
});
afterAll(() => discardDatabase(database));

const look = async (marks: readonly Mark[]) => {
  const input = { lanesMax: 200, full: [], workers: 1, marks, lagMs: 0 };
  const { lanes } = await database.db.inTransaction([], (tx) => lookupLanes(tx, input));
  return lanes;
};
/** What a look without marks and one with them must have in common. */
const seen = (lanes: readonly ReadyLane[]) =>
  lanes.map(({ endpointId, isRetry, first }) => `${endpointId} ${isRetry} ${first.dueAt} ${first.id}`).toSorted();

async function lookFrom(marks: Marks): Promise<ReadyLane[]> {
  const begun = marks.begin();
  const lanes = await look(begun.marks);
  begun.found(lanes);
  return lanes;
}

type Move = {
  readonly do: "write" | "claim" | "retry" | "release" | "deliver";
  readonly to: number;
  readonly count: number;
};
type Step = Move | { readonly do: "look" } | { readonly do: "later" };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("write" as const, "claim" as const, "retry" as const, "release" as const, "deliver" as const),
      to: fc.constantFrom(0, 0, 0, 1, 2),
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ do: "look" } as const) },
  { weight: 1, arbitrary: fc.constant({ do: "later" } as const) },
);

/** What was claimed first, and passed by a look, is given back. */
const goneBehind: Step[] = [
  { do: "write", to: 0, count: 2 },
  { do: "claim", to: 0, count: 1 },
  { do: "look" },
  { do: "release", to: 0, count: 1 },
  { do: "look" },
];

/** Three endpoints of two tenants, the last of which wants order. */
async function startThree(delivering: Delivering) {
  const tenants = [delivering.tenant, await delivering.otherTenant(), delivering.tenant];
  const types = ["call.ended", "call.ended", "call.completed"] as const;
  const made = tenants.map((tenantId, n) =>
    delivering.endpoint(
      {
        url: "https://example.com/",
        types: [types[n]],
        ...(n === 2 && { order: { mode: "strict" }, in_flight_max: 500 }),
      },
      tenantId,
    ),
  );
  const endpoints = (await Promise.all(made)).map(({ uuid }, n) => ({ uuid, tenantId: tenants[n] ?? "" }));
  return async (step: Move | { readonly do: "later" }, marks: Marks) => {
    if (step.do === "later") return delivering.makeDue();
    const { uuid, tenantId } = endpoints[step.to] ?? { uuid: "", tenantId: "" };
    const change = (text: string) => delivering.sql<{ id: string }>(text, [uuid, step.count], tenantId);
    const first = (state: string) =>
      `select id from deliveries where endpoint_id = $1 and state = '${state}' and not is_blocked order by is_retry, due_at, id limit $2`;
    switch (step.do) {
      case "write": {
        const fact = () => delivering.fact({ tenantId, type: types[step.to] ?? "call.ended", orderKey: "line" });
        return delivering.write(Array.from({ length: step.count }, fact));
      }
      case "claim":
        return change(
          `update deliveries set state = 'claimed', claim_id = id where id in (${first("due")}) and due_at <= now()`,
        );
      case "retry":
        return change(
          `update deliveries set state = 'due', claim_id = null, attempt_count = 1,
                  due_at = now() + case when attempt_count = 0 then interval '1 hour' else interval '0' end where id in (${first("claimed")})`,
        );
      case "deliver":
        return change(`update deliveries set state = 'delivered', claim_id = null where id in (${first("claimed")})`);
      case "release": {
        const rows = await change(first("claimed"));
        const held = rows.map(({ id }) => ({ tenantId, deliveryId: id, claimId: id }));
        await delivering.db.inTransaction([tenantId], (tx) => releaseDeliveries(tx, held));
        marks.forget();
      }
    }
  };
}

test("whatever is written, claimed, tried again and given back: a look from marks finds what a look from the beginning finds", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { minLength: 5, maxLength: 30 }), async (steps) => {
      const delivering = await startDelivering(database.db);
      try {
        const marks = createMarks(createFakeClock());
        const take = await startThree(delivering);
        const looks: { readonly fromMarks: string[]; readonly fromBeginning: string[] }[] = [];
        for (const step of [...steps, { do: "look" } as const]) {
          if (step.do !== "look") await take(step, marks);
          else looks.push({ fromMarks: seen(await lookFrom(marks)), fromBeginning: seen(await look([])) });
        }
        for (const { fromMarks, fromBeginning } of looks) expect(fromMarks).toEqual(fromBeginning);
      } finally {
        await delivering.close();
      }
    }),
    { numRuns: 25, examples: [[goneBehind]] },
  );
});

test("a look begins behind what was claimed before it, but never within the time in which a transaction may still end", async () => {
  const delivering = await startDelivering(database.db);
  await delivering.endpoint({ url: "https://example.com/" });
  await delivering.write(Array.from({ length: 3 }, () => delivering.fact()));
  await delivering.sql("update deliveries set due_at = now() - interval '1 minute'");
  const begin = async (lagMs: number) => {
    const input = { lanesMax: 200, full: [], workers: 1, marks: [], lagMs };
    const { lanes } = await database.db.inTransaction([], (tx) => lookupLanes(tx, input));
    return lanes[0];
  };
  const lane = await begin(1_000);
  expect(lane?.mark).toEqual(lane?.first);
  const early = await begin(3_600_000);
  expect(Date.parse(early?.mark?.dueAt ?? "")).toBeLessThan(Date.parse(early?.first.dueAt ?? ""));
  expect(early?.mark?.id).toMatch(/^[0-]+$/);
  await delivering.close();
});

test("lanes of endpoints that want order have no marks: what waited in a line becomes due where it was", async () => {
  const delivering = await startDelivering(database.db);
  await delivering.endpoint({ url: "https://example.com/", order: { mode: "skip" } });
  await delivering.write([delivering.fact({ orderKey: "line" })]);
  expect(await look([])).toMatchObject([{ isGated: true, mark: null }]);
  await delivering.close();
});

test("what is marked while everything is forgotten is not marked; and no mark gets old", async () => {
  const delivering = await startDelivering(database.db);
  const clock = createFakeClock();
  const marks = createMarks(clock);
  await delivering.endpoint({ url: "https://example.com/" });
  await delivering.write([delivering.fact()]);
  const begun = marks.begin();
  marks.forget();
  begun.found(await look(begun.marks));
  expect(marks.begin().marks).toEqual([]);
  await lookFrom(marks);
  expect(marks.begin().marks).toHaveLength(1);
  await clock.advance(limits.deliveryMarksMs);
  expect(marks.begin().marks).toEqual([]);
  await delivering.close();
});
