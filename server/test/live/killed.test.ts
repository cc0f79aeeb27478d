import { expect, test } from "vitest";

import { running } from "../harness/app.ts";
import { makeCustomer, newUuid } from "../harness/customer.ts";
import { startDatabaseProxy } from "../harness/database-proxy.ts";
import { discardDatabase, ownDatabase } from "../harness/database.ts";
import { startServerProcess } from "../harness/server-process.ts";
import { createFollower, follow, type SocketClient } from "./clients.ts";

test(
  "a server that is killed loses its clients nothing: sockets and streams go on at the other, nothing missed or doubled",
  { timeout: 180_000 },
  async () => {
    const own = await ownDatabase();
    const proxy = await startDatabaseProxy(own.connection);
    const start = () => startServerProcess(proxy.url, { AFTERCALL_ANALYSIS: "off" });
    const [doomed, heir] = await Promise.all([start(), start()]);
    const customer = await makeCustomer(running(heir.url, own.db));
    const line = await customer.connect("vapi");
    // Vapi's events have no ids: two of one millisecond would be taken for one.
    let now = Date.now();
    const say = async (id: string, transcript: string) => {
      const said = { type: "transcript", transcriptType: "final", role: "user", transcript };
      expect((await line.own({ message: { timestamp: now++, call: { id }, ...said } })).status).toBe(200);
    };
    const ids = Array.from({ length: 6 }, () => newUuid());
    const tell = (from: number, to: number) =>
      Promise.all(
        ids.map(async (id) => {
          for (let n = from; n < to; n++) await say(id, `turn ${n}`);
        }),
      );
    const streams = await Promise.all(ids.map((id) => follow(doomed.url, customer.key, { topics: `call:${id}` })));
    const sockets = ids.map((id) => createFollower(customer.key, [id]));
    const open = Promise.withResolvers<void>();
    let openCount = 0;
    const listening = sockets.map((socket) =>
      socket.listen(doomed.url, async (client) => {
        await client.until(1);
        if (++openCount === ids.length) open.resolve();
        await client.closed;
      }),
    );
    await open.promise;
    const telling = tell(0, 12);
    await Promise.all(streams.map((stream) => stream.until(() => stream.items.length >= 3)));
    await doomed.kill();
    await Promise.all([telling, ...listening, ...streams.map(({ ended }) => ended)]);
    await tell(12, 15);

    const said = Array.from({ length: 15 }, (_, n) => `turn ${n}`);
    for (const socket of sockets) {
      const left = said.length - socket.turns.length;
      const turnsOf = ({ frames }: SocketClient) => frames.filter(({ type }) => type === "transcription");
      await socket.listen(heir.url, (client) => client.until(() => turnsOf(client).length >= left));
      expect(socket.turns).toEqual(said);
    }
    for (const [index, stream] of streams.entries()) {
      const lastEventId = stream.lastEventId();
      const again = await follow(heir.url, customer.key, { topics: `call:${ids[index]}`, lastEventId });
      const turns = () =>
        [...stream.items, ...again.items].flatMap(({ event, data }) =>
          event === "transcription" ? data.turn.text : [],
        );
      await again.until(() => turns().length >= said.length);
      expect(turns()).toEqual(said);
      again.cut();
    }
    expect(await heir.stop()).toBe(0);
    await proxy.close();
    await discardDatabase(own);
  },
);
