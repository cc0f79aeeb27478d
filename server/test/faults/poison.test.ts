import { afterAll, beforeAll, expect, test } from "vitest";

import { known, running } from "../harness/app.ts";
import { startDatabaseProxy, type DatabaseProxy } from "../harness/database-proxy.ts";
import { discardDatabase, ownDatabase, type TestDatabase } from "../harness/database.ts";
import { startReceiver } from "../harness/receiver.ts";
import { startServerProcess, type ServerProcess } from "../harness/server-process.ts";

let own: TestDatabase;
let proxy: DatabaseProxy;
const processes: ServerProcess[] = [];
beforeAll(async () => {
  own = await ownDatabase();
  proxy = await startDatabaseProxy(own.connection);
});
afterAll(async () => {
  await Promise.all(processes.map((process) => process.kill()));
  await proxy.close();
  await discardDatabase(own);
});

async function start(role: "api" | "worker"): Promise<ServerProcess> {
  const process = await startServerProcess(proxy.url, { AFTERCALL_ROLE: role });
  processes.push(process);
  return process;
}

const others = 10;

test(
  "a message that every process dies of is set aside and listed, and what was under way beside it arrives",
  { timeout: 240_000 },
  async () => {
    const receiver = await startReceiver();
    const { ask } = running((await start("api")).url, own.db);
    let deaths = 0;
    let died = Promise.withResolvers<void>();
    // Whoever sends the poison dies of it. The others are not answered until they have died with it as often as it takes to be
    // suspected too.
    receiver.answer(({ body }) => {
      if (body.includes("poison")) died.resolve();
      return body.includes("poison") || deaths < 4 ? "hang" : { status: 200 };
    });
    await ask(known.apiKey, "POST", "/v1/event-types", { name: "pill.given", description: "One of them is deadly" });
    const endpoint = { url: receiver.url, types: ["pill.given"], in_flight_max: 50 };
    await ask(known.apiKey, "POST", "/v1/endpoints", endpoint);
    const publish = (what: string) => ask(known.apiKey, "POST", "/v1/messages", { type: "pill.given", data: { what } });
    await Promise.all(Array.from({ length: others }, (_, n) => publish(`other ${n}`)));
    const poison = await publish("poison");

    const list = async (state: string) =>
      (await ask(known.apiKey, "GET", `/v1/deliveries?state=${state}&limit=100`)).json.data;
    const listed = untilListed(list);
    let process = await start("worker");
    while (await Promise.race([died.promise.then(() => true), listed.then(() => false)])) {
      await process.kill();
      deaths++;
      died = Promise.withResolvers<void>();
      process = await start("worker");
    }
    while ((await list("delivered")).length < others) await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await list("undelivered")).toMatchObject([{ message_id: poison.json.id, reason: "render_failed" }]);
    expect(await list("due")).toEqual([]);
    expect(deaths).toBeLessThan(20);
    await receiver.close();
  },
);

async function untilListed(list: (state: string) => Promise<unknown[]>): Promise<void> {
  while ((await list("undelivered")).length === 0) await new Promise((resolve) => setTimeout(resolve, 100));
}
