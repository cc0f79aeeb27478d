import { fromPublicId } from "@aftercall/contract/id.ts";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { HttpFailure } from "#/kernel/net/failure.ts";
import type { GuardedHttp, HttpAnswer } from "#/kernel/net/http.ts";

import { discardDatabase, ownDatabase, type TestDatabase } from "../../test/harness/database.ts";
import { type Delivering, startDelivering } from "./test-setup.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await ownDatabase();
});
afterAll(() => discardDatabase(database));

const weathers = ["fine", "failing", "busy", "broken", "gone", "hanging"] as const;
type Weather = (typeof weathers)[number];

/** A network that does as it is told: answers at once, or holds a request until it is let go. */
function scriptedNetwork() {
  const accepted = new Set<string>();
  const held = new Set<() => void>();
  const waiting = new Set<() => void>();
  let weather: Weather = "fine";
  const answer = (status: number, headers: HttpAnswer["headers"] = {}): HttpAnswer => ({
    status,
    headers,
    body: Buffer.alloc(0),
    isTruncated: false,
    durationMs: 1,
  });
  const http: GuardedHttp = {
    async request({ headers }) {
      if (weather === "hanging") await hold();
      if (weather === "broken") throw new HttpFailure("reset", "scripted");
      if (weather === "failing") return answer(500);
      if (weather === "busy") return answer(429, { "retry-after": "3" });
      if (weather === "gone") return answer(410);
      accepted.add(headers["webhook-id"] ?? "");
      return answer(200);
    },
    download: () => Promise.reject(new HttpFailure("reset", "Delivery downloads nothing")),
    check: (url) => ({ ok: true, url: new URL(url) }),
    close: () => Promise.resolve(),
  };
  return {
    http,
    accepted,
    become(next: Weather) {
      weather = next;
    },
    /** Resolves when a request is held. */
    whenHeld: () => (held.size > 0 ? Promise.resolve() : new Promise<void>((resolve) => waiting.add(resolve))),
    /** Lets held requests go on, in the weather of now. */
    letGo() {
      if (weather === "hanging") weather = "fine";
      for (const resolve of held) resolve();
      held.clear();
    },
  };

  function hold(): Promise<void> {
    for (const resolve of waiting) resolve();
    waiting.clear();
    return new Promise((resolve) => held.add(resolve));
  }
}

type Step =
  | { readonly do: "write"; readonly count: number; readonly to: "claim" | "memory" | "nobody" }
  | { readonly do: "round"; readonly node: number }
  | { readonly do: "weather"; readonly weather: Weather }
  | { readonly do: "resend"; readonly which: number }
  | { readonly do: "expire" | "later" | "disable" | "enable" | "letGo" };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("write" as const),
      count: fc.integer({ min: 1, max: 4 }),
      to: fc.constantFrom("claim", "memory", "nobody"),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("round" as const), node: fc.nat(1) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("weather" as const), weather: fc.constantFrom(...weathers) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("resend" as const), which: fc.nat(20) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("expire" as const, "later" as const, "disable" as const, "enable" as const, "letGo" as const),
    }),
  },
);

/** A line in which the first waited for the second, whose process had died. */
const foundBefore: Step[] = [
  { do: "write", count: 1, to: "claim" },
  { do: "resend", which: 0 },
  { do: "write", count: 1, to: "nobody" },
  { do: "round", node: 0 },
  { do: "expire" },
  { do: "round", node: 0 },
];

/** What becomes of deliveries under a plan, with two workers that never wait for each other. */
async function live(delivering: Delivering, steps: readonly Step[], order: "none" | "skip" | "strict") {
  const network = scriptedNetwork();
  const nodes = [1, 2].map((n) => delivering.newNode(`node-${n}`, { http: network.http }));
  const { uuid } = await delivering.endpoint({
    url: "https://example.com/",
    order: { mode: order },
    in_flight_max: 3,
    schedule_ms: [1_000, 1_000, 1_000],
  });
  const rounds = new Set<Promise<unknown>>();
  const delivered = new Set<string>();
  let written = 0;

  for (const step of steps) {
    await take(step);
    await look();
  }
  network.become("fine");
  network.letGo();
  await Promise.all(rounds);
  await setEnabled(true);
  for (let i = 0; i < 60 && (await open()) > 0; i++) {
    await later();
    await delivering.expireLeases();
    await Promise.all(nodes.map(({ worker }) => worker.runOnce()));
  }
  await look();
  return { uuid, written, delivered, accepted: network.accepted };

  async function take(step: Step): Promise<void> {
    switch (step.do) {
      case "write": {
        const facts = Array.from({ length: step.count }, (_, i) => delivering.fact({ orderKey: `line ${i % 2}` }));
        const handOffs = await delivering.write(facts, () => (step.to === "claim" ? 0 : step.count));
        written += step.count;
        // To nobody: the process died between its commit and the first attempt.
        if (step.to === "memory") nodes[0]?.worker.handOff(handOffs);
        return;
      }
      case "round":
        return start(nodes[step.node]?.worker.runOnce());
      case "weather":
        return network.become(step.weather);
      case "resend":
        return resend(step.which);
      case "expire":
        await delivering.expireLeases();
        return;
      case "later":
        return later();
      case "disable":
        return setEnabled(false);
      case "enable":
        return setEnabled(true);
      case "letGo":
        network.letGo();
        await Promise.all(rounds);
    }
  }

  /** Waits for a round, but not while the network holds a request. */
  async function start(round: Promise<unknown> | undefined): Promise<void> {
    if (!round) return;
    const running = round.finally(() => rounds.delete(running));
    rounds.add(running);
    await Promise.race([running, network.whenHeld()]);
  }

  async function later(): Promise<void> {
    await delivering.makeDue();
    await delivering.age(uuid, 700_000);
  }

  async function setEnabled(isEnabled: boolean): Promise<void> {
    const body = { is_enabled: isEnabled };
    await delivering.handlers.updateEndpoint({ ...delivering.request, params: { id: uuid }, body });
    for (const { book } of nodes) book.forget(null);
  }

  async function resend(which: number): Promise<void> {
    const rows = await delivering.deliveries();
    const row = rows[which % Math.max(rows.length, 1)];
    if (!row) return;
    const query = { force: "false" } as const;
    // Refused where it arrived, is under way, or its endpoint is disabled.
    await delivering.handlers.retryDelivery({ ...delivering.request, params: { id: row.id }, query }).catch(() => {});
  }

  async function open(): Promise<number> {
    return (await delivering.deliveries()).filter(({ state }) => state === "due" || state === "claimed").length;
  }

  /** What arrived stays so. */
  async function look(): Promise<void> {
    const arrived = (await delivering.deliveries()).filter(({ state }) => state === "delivered").map(({ id }) => id);
    expect(arrived).toEqual(expect.arrayContaining([...delivered]));
    for (const id of arrived) delivered.add(id);
  }
}

test("whatever workers, crashes, answers, disabling and resends come in whatever order: nothing is lost, and every delivery ends once", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyStep, { minLength: 5, maxLength: 25 }),
      fc.constantFrom("none", "skip", "strict"),
      async (steps, order) => {
        const delivering = await startDelivering(database.db);
        try {
          const { written, accepted } = await live(delivering, steps, order);
          const rows = await delivering.sql<Row>(
            `select d.message_id, d.state, d.reason, d.attempt_count, d.claim_id, d.finished_at,
                    (select count(*)::int from attempts a where a.delivery_id = d.id) as recorded
               from deliveries d`,
          );
          // Each message has one delivery, or the reason why it has none.
          const messages = await delivering.sql<{ unrouted_reason: string | null; count: number }>(
            `select m.unrouted_reason, (select count(*)::int from deliveries d where d.message_id = m.id) as count from messages m`,
          );
          expect(messages).toHaveLength(written);
          for (const message of messages) expect(message.count).toBe(message.unrouted_reason === null ? 1 : 0);
          const acceptedIds = new Set([...accepted].map((id) => fromPublicId("message", id)));
          for (const row of rows) {
            expect(row).toMatchObject({ claim_id: null, recorded: row.attempt_count });
            expect(row.finished_at).not.toBeNull();
            expect([
              "delivered null",
              "undelivered exhausted",
              "undelivered gone",
              "undelivered endpoint_disabled",
            ]).toContain(`${row.state} ${row.reason}`);
            expect(row.state !== "delivered" || acceptedIds.has(row.message_id)).toBe(true);
          }
        } finally {
          await delivering.close();
        }
      },
    ),
    { numRuns: 40, interruptAfterTimeLimit: 60_000, examples: [[foundBefore, "skip"]] },
  );
}, 120_000);

type Row = {
  readonly message_id: string;
  readonly state: string;
  readonly reason: string | null;
  readonly attempt_count: number;
  readonly recorded: number;
  readonly claim_id: string | null;
  readonly finished_at: Date | null;
};
