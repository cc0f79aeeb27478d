import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newUuid, type Customer } from "../harness/customer.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

/** What happens while a list is read: the page size, and how many rows are written during each page. */
const reading = fc.record({
  limit: fc.integer({ min: 1, max: 9 }),
  before: fc.integer({ min: 0, max: 25 }),
  during: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 8 }),
});

async function register(customer: Customer, count: number): Promise<string[]> {
  const made = await inParallel(count, () =>
    customer.post("/v1/calls", { provider: "vapi", provider_call_id: newUuid() }),
  );
  return made.map(({ id }) => id);
}

/** Four at a time: as many as there are would take all connections from the tests beside this one. */
async function inParallel<T>(count: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  const lane = async () => {
    while (results.length + busy < count) {
      busy++;
      const result = await work();
      busy--;
      results.push(result);
    }
  };
  let busy = 0;
  await Promise.all([lane(), lane(), lane(), lane()]);
  return results;
}

test("calls: while new ones come at every page, what was there is read once each, in order, and nothing twice", async () => {
  await fc.assert(
    fc.asyncProperty(reading, async ({ limit, before, during }) => {
      const customer = await makeCustomer(app);
      const there = await register(customer, before);
      const seen: string[] = [];
      let next = "";
      for (let page = 0; ; page++) {
        const [{ data, has_more, next_cursor }] = await Promise.all([
          customer.get(`/v1/calls?limit=${limit}${next}`),
          register(customer, during[page % during.length] ?? 0),
        ]);
        seen.push(...data.map(({ id }: { id: string }) => id));
        if (!has_more) break;
        next = `&cursor=${next_cursor}`;
      }
      expect(new Set(seen).size).toBe(seen.length);
      expect(there.filter((id) => !seen.includes(id))).toEqual([]);
      expect(seen).toEqual(seen.toSorted().toReversed());
    }),
    { numRuns: 8 },
  );
}, 120_000);

test("events: somebody who keeps the cursor and comes again reads everything once, while webhooks commit in any order", async () => {
  await fc.assert(
    fc.asyncProperty(reading, async ({ limit, before, during }) => {
      const customer = await makeCustomer(app);
      const vapi = await customer.connect("vapi");
      const send = async (count: number) => {
        const sent = await inParallel(count, () =>
          vapi.own({ message: { type: "status-update", status: "ringing", call: { id: newUuid() } } }),
        );
        for (const { status } of sent) expect(status).toBeLessThan(300);
      };
      await send(before);
      const total = before + during.reduce((sum, count) => sum + count, 0);
      const seen: string[] = [];
      let next = "";
      let pages = 0;
      // What is younger than a transaction that is still open anywhere comes later: the reader asks again.
      while (seen.length < total && pages < 2_000) {
        const [{ data, next_cursor }] = await Promise.all([
          customer.get(`/v1/events?limit=${limit}${next}`),
          send(during[pages] ?? 0),
        ]);
        pages++;
        seen.push(...data.map(({ id }: { id: string }) => id));
        if (next_cursor !== null) next = `&cursor=${next_cursor}`;
        if (data.length === 0 && pages > during.length) await systemClock.sleep(2);
      }
      expect([seen.length, new Set(seen).size]).toEqual([total, total]);
    }),
    { numRuns: 8 },
  );
}, 120_000);

test("422: a search of more words than are looked for, in the list and in one call", async () => {
  const customer = await makeCustomer(app);
  await register(customer, 1);
  const [call] = await customer.calls();
  const words = "q=one+two+three+four+five+six+seven+eight";
  for (const path of ["/v1/calls?", `/v1/calls/${call?.id}/matches?`]) {
    expect((await customer.ask("GET", path + words)).status).toBe(200);
    const { status, json } = await customer.ask("GET", `${path}${words}+nine`);
    expect([status, json.errors]).toEqual([422, [{ pointer: "?q", detail: "9 words and phrases; 8 at most" }]]);
  }
});

test("422: a cursor that was altered, of another list, of another filter, of another tenant", async () => {
  const [customer, stranger] = [await makeCustomer(app), await makeCustomer(app)];
  await register(customer, 3);
  await register(stranger, 3);
  const { next_cursor: cursor } = await customer.get("/v1/calls?limit=1");
  expect((await customer.ask("GET", `/v1/calls?limit=2&cursor=${cursor}`)).status).toBe(200);
  const refused = [
    await customer.ask("GET", `/v1/calls?cursor=${cursor.slice(0, -2)}AA`),
    await customer.ask("GET", `/v1/calls?cursor=${(await customer.calls())[0]?.id}`),
    await customer.ask("GET", `/v1/campaigns?cursor=${cursor}`),
    await customer.ask("GET", `/v1/calls?status=ended&cursor=${cursor}`),
    await stranger.ask("GET", `/v1/calls?cursor=${cursor}`),
  ];
  for (const { status, json } of refused) {
    expect([status, json.code, json.errors]).toMatchObject([422, "invalid", [{ pointer: "?cursor" }]]);
  }
});

const asked = "include=total_estimate";

test("a list says how long it is when asked, with its filters and of its tenant only, on every page", async () => {
  const [customer, stranger] = [await makeCustomer(app), await makeCustomer(app)];
  await register(customer, 5);
  await register(stranger, 2);
  await customer.post("/v1/calls", { provider: "vapi", provider_call_id: newUuid(), business_id: "10" });
  const totalOf = async (path: string) => (await customer.get(path)).total_estimate;
  expect(await totalOf("/v1/calls?limit=2")).toBeUndefined();
  expect(await totalOf(`/v1/calls?limit=2&${asked}`)).toEqual({ value: 6, is_exact: true });
  expect(await totalOf(`/v1/calls?limit=2&business_id=10&${asked}`)).toEqual({ value: 1, is_exact: true });
  expect(await totalOf(`/v1/calls?limit=2&campaign=nobody&${asked}`)).toEqual({ value: 0, is_exact: true });
  const first = await customer.get(`/v1/calls?limit=2&${asked}`);
  const second = await customer.get(`/v1/calls?limit=2&cursor=${first.next_cursor}&${asked}`);
  expect(second.total_estimate).toEqual({ value: 6, is_exact: true });
  // Asked for once: the cursor of that page goes on without it.
  expect(await totalOf(`/v1/calls?limit=2&cursor=${first.next_cursor}`)).toBeUndefined();
});

test("422: something to include that lists do not have", async () => {
  const customer = await makeCustomer(app);
  const { status, json } = await customer.ask("GET", "/v1/calls?include=everything");
  expect([status, json.errors]).toMatchObject([422, [{ pointer: "?include" }]]);
});
