import { afterAll, beforeAll, expect, test } from "vitest";

import { running } from "../harness/app.ts";
import { makeCustomer, newUuid } from "../harness/customer.ts";
import { startDatabaseProxy, type DatabaseProxy } from "../harness/database-proxy.ts";
import { discardDatabase, ownDatabase, type TestDatabase } from "../harness/database.ts";
import { verifiedMessages } from "../harness/messages.ts";
import { startReceiver } from "../harness/receiver.ts";
import { startServerProcess } from "../harness/server-process.ts";

let own: TestDatabase;
let proxy: DatabaseProxy;
beforeAll(async () => {
  own = await ownDatabase();
  proxy = await startDatabaseProxy(own.connection);
});
afterAll(async () => {
  await proxy.close();
  await discardDatabase(own);
});

/** The texts by which the intake transaction is known on the wire. */
const inTransaction = ["inbox.insert-events"];
const atCommit = ["inbox.insert-events", "commit"];

test.each([
  ["before the events were committed", inTransaction, "before", 0],
  ["with the commit on its way", atCommit, "before", 0],
  ["after the commit, before the answer", atCommit, "after", 1],
] as const)(
  "killed in mid-batch, %s: the provider's repeat is recognised, and nothing is lost or doubled",
  async (_name, texts, where, stored) => {
    const receiver = await startReceiver();
    const first = await startServerProcess(proxy.url);
    const customer = await makeCustomer(running(first.url, own.db));
    const endpoint = await customer.subscribe(receiver, { types: ["call.completed"] });
    const vapi = await customer.connect("vapi");
    const sent = Array.from({ length: 20 }, () => ({
      type: "call.ended",
      call: { id: newUuid(), endedReason: "customer-ended-call" },
    }));

    const stopped = proxy.stopAt(texts, where);
    const answers = sent.map((body) => vapi.own(body).catch(() => null));
    await stopped;
    await first.kill();
    // Nobody was told 200, so the provider sends everything again.
    expect(await Promise.all(answers)).toEqual(sent.map(() => null));
    proxy.restore();

    const second = await startServerProcess(proxy.url);
    const app = running(second.url, own.db);
    // What the dead had in hand is leased to it for a minute; here the minute is over. By now its last
    // commit, which may still have been on its way when it died, has arrived.
    await own.db.inTransaction([customer.tenantId], (tx) =>
      tx.run("update deliveries set lease_until = now() where state = 'claimed'"),
    );
    for (const body of sent) {
      expect((await app.post(`/webhooks/${vapi.source.slug}`, vapi.sign(body))).said).toEqual([200, "OK"]);
    }
    await customer.settled();
    const counts = await own.db.inTransaction([customer.tenantId], (tx) =>
      tx.rows<{ events: number; calls: number; repeats: number; messages: number }>(
        `select (select count(*) from events)::int as events, (select count(*) from calls where status = 'ended')::int as calls,
              (select count(*) from event_keys where seen_count > 1)::int as repeats,
              (select count(*) from messages where type = 'call.completed')::int as messages`,
      ),
    );
    expect(counts).toMatchObject([{ events: 20, calls: 20, messages: 20 }]);
    expect((counts[0]?.repeats ?? 0) > 0).toBe(stored === 1);

    const messages = await verifiedMessages(receiver, endpoint.secret, 20);
    expect(new Set(messages.map(({ data }) => data.call.provider_call_id))).toEqual(
      new Set(sent.map(({ call }) => call.id)),
    );
    expect(await second.stop()).toBe(0);
    await receiver.close();
  },
);
