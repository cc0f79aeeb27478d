import { afterAll, beforeAll, expect, test } from "vitest";

import { makeCustomer, newUuid } from "../harness/customer.ts";
import { follow, openSocket } from "./clients.ts";
import { startTwoServers, type LiveServer, type LiveServers } from "./servers.ts";

let live: LiveServers;
let one: LiveServer;
let other: LiveServer;
beforeAll(async () => {
  live = await startTwoServers();
  [one, other] = live.servers;
});
afterAll(() => live.stop());

test.each(["a word", "a UUID"])(
  "who names a campaign as another system does, by %s, hears of its calls on the socket and the stream",
  async (form) => {
    const customer = await makeCustomer(one);
    const external = form === "a UUID" ? newUuid() : `spring-${newUuid()}`;
    const campaign = await customer.post("/v1/campaigns", { name: "Spring", external_id: external });
    const vapi = await customer.connect("vapi");
    const socket = await openSocket(other.url, customer.key);
    expect(await socket.subscribe(external)).toMatchObject({ kind: "campaign", call_id: null });
    const stream = await follow(other.url, customer.key, { topics: `campaign:${external}` });
    expect(stream.status).toBe(200);

    const providerId = newUuid();
    const call = await customer.post("/v1/calls", {
      provider: "vapi",
      provider_call_id: providerId,
      campaign: external,
    });
    expect(call.campaign_id).toBe(campaign.id);
    const report = { type: "end-of-call-report", endedReason: "customer-ended-call", call: { id: providerId } };
    expect((await vapi.own({ message: report })).status).toBe(200);
    await socket.until((frame) => frame.type === "data");
    await stream.until(({ event, data }) => event === "call" && data.call.id === call.id);
    await stream.until(({ event }) => event === "campaign");
    socket.close();
    stream.cut();
  },
);

test("a campaign's name in another system means nothing to another tenant: 422 on the stream, a name on the socket", async () => {
  const [owner, stranger] = [await makeCustomer(one), await makeCustomer(one)];
  const external = `spring-${newUuid()}`;
  await owner.post("/v1/campaigns", { name: "Spring", external_id: external });
  const socket = await openSocket(one.url, stranger.key);
  expect(await socket.subscribe(external)).toMatchObject({ kind: "name", call_id: null });
  socket.close();
  expect((await follow(one.url, stranger.key, { topics: `campaign:${external}` })).status).toBe(422);
});
