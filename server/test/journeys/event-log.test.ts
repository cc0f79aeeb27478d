import type { Event } from "@aftercall/contract/event.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newUuid, type Customer, type Line } from "../harness/customer.ts";
import { fixture } from "../harness/fixture.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

type Page = { readonly data: Event[]; readonly next_cursor: string | null; readonly has_more: boolean };

/** Reads the log as a poller does: from the oldest on, keeping the cursor, until `isOver` and nothing more comes. */
async function follow(customer: Customer, limit: number, isOver: () => boolean): Promise<Event[]> {
  const seen: Event[] = [];
  let isSettled = false;
  for (let cursor: string | null = null; ;) {
    const wasSettled = isSettled;
    if (!isSettled && isOver()) {
      // What is held back for older transactions shows once these are over.
      await customer.events();
      isSettled = true;
    }
    const query: string = cursor === null ? "" : `&cursor=${cursor}`;
    const page: Page = await customer.get(`/v1/events?order=oldest&limit=${limit}${query}`);
    seen.push(...page.data);
    cursor = page.next_cursor ?? cursor;
    if (page.data.length > 0) continue;
    if (wasSettled) return seen;
    await systemClock.sleep(10);
  }
}

/** Sends from several connections at once, each one after the other. */
async function sendAll(vapi: Line, ids: readonly string[], lanes: number): Promise<void> {
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      for (let i = lane; i < ids.length; i += lanes) await vapi.own({ type: "call.ringing", call: { id: ids[i] } });
    }),
  );
}

test.each([3, 100])(
  "a cursor over the oldest-first log in pages of %s skips and repeats nothing while events come in",
  async (limit) => {
    const customer = await makeCustomer(app);
    const [vapi, other] = [await customer.connect("vapi"), await customer.connect("vapi")];
    const ids = Array.from({ length: 150 }, () => newUuid());
    let isOver = false;
    const sending = Promise.all([sendAll(vapi, ids.slice(0, 75), 5), sendAll(other, ids.slice(75), 5)]).then(() => {
      isOver = true;
    });
    const seen = await follow(customer, limit, () => isOver);
    await sending;
    const counts = ids.map((id) => seen.filter(({ key }) => key.includes(id)).length);
    expect(new Set(counts)).toEqual(new Set([1]));
    expect(seen).toHaveLength(150);
  },
);

test("a transaction that commits late is not skipped by a cursor that was handed out before", async () => {
  const customer = await makeCustomer(app);
  const vapi = await customer.connect("vapi");
  const held = { type: "call.ringing", call: { id: newUuid() } };
  const other = await customer.connect("vapi");
  await vapi.own({ type: "call.ringing", call: { id: newUuid() } });
  await customer.events();

  // An older transaction stays open while a younger one commits.
  let release = () => {};
  const opened = new Promise<void>((isOpen) => {
    void app.db.inTransaction([customer.tenantId], async (tx) => {
      await tx.run("select pg_current_xact_id()");
      isOpen();
      await new Promise<void>((resolve) => (release = resolve));
    });
  });
  await opened;
  await other.own(held);
  const during: Page = await customer.get("/v1/events?order=oldest&limit=100");
  release();
  await customer.events();
  const after: Page = await customer.get(`/v1/events?order=oldest&limit=100&cursor=${during.next_cursor}`);
  expect(during.data).toHaveLength(1);
  expect([...during.data, ...after.data].map(({ source_id }) => source_id)).toEqual([vapi.source.id, other.source.id]);
});

test("newest first, filtered by provider, type, call and effect", async () => {
  const customer = await makeCustomer(app);
  const [vapi, elevenlabs] = [await customer.connect("vapi"), await customer.connect("elevenlabs")];
  const id = newUuid();
  for (const type of ["call.ringing", "call.answered", "call.ended"]) await vapi.own({ type, call: { id } });
  await elevenlabs.own(fixture("elevenlabs", "real/unrelated.voice_removal_notice.json"));
  await vapi.given({ type: "call.ended", call: { id: newUuid() } });
  const [call] = await customer.calls();
  const typesOf = async (query: string) =>
    (await customer.events(query)).map(({ type, effect }) => `${type} ${effect}`);
  expect(await typesOf(`order=newest&call=${call?.id}`)).toEqual([
    "call.ended applied",
    "call.answered applied",
    "call.ringing applied",
  ]);
  expect(await typesOf("provider=elevenlabs")).toEqual(["voice_removal_notice recorded"]);
  expect(await typesOf("effect=unmatched")).toEqual(["call.ended unmatched"]);
  expect(await typesOf("type=call.answered")).toEqual(["call.answered applied"]);
  expect((await customer.ask("GET", "/v1/events?cursor=bm9uc2Vuc2U")).status).toBe(422);
});

test("an event shows its bytes and headers, secrets blanked", async () => {
  const customer = await makeCustomer(app);
  const vapi = await customer.connect("vapi");
  await vapi.own(fixture("vapi", "real/end-of-call-report.json"));
  const [event] = await customer.events();
  const detail = await customer.get(`/v1/events/${event?.id}`);
  const text = JSON.stringify(detail);
  expect(detail.headers["x-vapi-secret"]).toEqual(["[redacted]"]);
  for (const secret of [vapi.secret, "REDACT-ME", 'controlUrl\\": \\"https']) expect(text).not.toContain(secret);
  expect(detail.body).toContain("בית שאן");
  expect(JSON.parse(detail.body).message.phoneNumber.twilioAuthToken).toBe("[redacted]");
});

test("the log is append-only: not even the application may change or remove a row", async () => {
  const customer = await makeCustomer(app);
  const vapi = await customer.connect("vapi");
  await vapi.own({ type: "call.ringing", call: { id: newUuid() } });
  for (const sql of ["update events set type = 'x'", "delete from events", "truncate events"]) {
    const change = app.db.inTransaction([customer.tenantId], (tx) => tx.run(sql));
    await expect(change).rejects.toMatchObject({ code: "42501" });
  }
});
