import { readFileSync } from "node:fs";

import { ServerFrame } from "@aftercall/contract/live-frames.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { makeCustomer, newCallSid, newUuid, randomToken, type Customer } from "../harness/customer.ts";
import { fixture, fixtureIds } from "../harness/fixture.ts";
import { createFollower, follow, openSocket, withoutCursor } from "./clients.ts";
import { startTwoServers, type LiveServer, type LiveServers } from "./servers.ts";

let live: LiveServers;
let one: LiveServer;
let other: LiveServer;
beforeAll(async () => {
  live = await startTwoServers();
  [one, other] = live.servers;
});
afterAll(() => live.stop());

/** Calls of Vapi that are told to the server of the customer. */
async function vapi(customer: Customer) {
  const line = await customer.connect("vapi");
  // Vapi's events have no ids: two of one millisecond would be taken for one.
  let now = Date.now();
  const send = async (id: string, message: object) => {
    const { status } = await line.own({ message: { timestamp: now++, call: { id }, ...message } });
    expect(status).toBe(200);
  };
  return {
    say: (id: string, transcript: string) =>
      send(id, { type: "transcript", transcriptType: "final", role: "user", transcript }),
    end: (id: string) => send(id, { type: "end-of-call-report", endedReason: "customer-ended-call" }),
  };
}

test("a socket that is cut off and comes back, to either server, is told every turn and every completion once, in order", async () => {
  const customer = await makeCustomer(one);
  const { say, end } = await vapi(customer);
  const [first, second, stranger] = [newUuid(), newUuid(), newUuid()];
  const follower = createFollower(customer.key, [first, second]);
  // What is said before anybody listens is not missed.
  await follower.listen(one.url, (client) =>
    client.until(() => client.frames.filter(({ type }) => type === "subscribed").length === 2),
  );
  let isTold = false;
  const said: string[] = [];
  const telling = (async () => {
    for (let n = 0; n < 15; n++) {
      said.push(`${n} first`, `${n} second`);
      await say(first, `${n} first`);
      await say(second, `${n} second`);
      await say(stranger, `${n} nobody`);
    }
    for (const id of [first, stranger, second]) await end(id);
    isTold = true;
  })();
  for (let round = 0; !isTold; round++) {
    const { url } = round % 2 === 0 ? other : one;
    await follower.listen(url, (client) => Promise.race([client.until(() => client.frames.length >= 6), telling]));
  }
  if (follower.completions.length < 2) {
    await follower.listen(other.url, (client) =>
      client.until(() => follower.completions.length + client.frames.filter(({ type }) => type === "data").length >= 2),
    );
  }
  expect(follower.turns).toEqual(said);
  const calls = (await customer.calls()).map(({ id }) => `${id}.completed`);
  expect(new Set(follower.completions).size).toBe(2);
  expect(calls).toEqual(expect.arrayContaining(follower.completions));
});

test("the client of the guide, word for word, is told everything once, whatever is cut", async () => {
  const customer = await makeCustomer(one);
  const { say, end } = await vapi(customer);
  const id = newUuid();
  const shown: ServerFrame[] = [];
  const waiting = new Set<() => void>();
  const until = (fits: (frame: ServerFrame) => boolean) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (shown.some(fits)) resolve();
      };
      waiting.add(check);
      check();
    });
  const sockets: WebSocket[] = [];
  class Socket extends WebSocket {
    constructor(_url: string, protocols: string[]) {
      // The guide's server has two processes; each connection meets another one.
      super(`${(sockets.length % 2 === 0 ? one : other).url.replace("http", "ws")}/v1/ws`, protocols);
      sockets.push(this);
    }
  }
  const guide = readFileSync(new URL("../../../docs/guides/live-updates.md", import.meta.url), "utf8");
  const [, snippet] = /```js\n(let cursor[^]+?)```/.exec(guide) ?? [];
  // oxlint-disable-next-line no-implied-eval, typescript/no-implied-eval -- It is the guide that is tested.
  const run = new Function("token", "show", "WebSocket", "setTimeout", "wanted", `${snippet}; connect(wanted);`);
  const show = (frame: ServerFrame) => {
    shown.push(frame);
    for (const check of waiting) check();
  };
  let isAway = false;
  const again = (connect: (wanted: string[]) => void, _ms: number, wanted: string[]) => {
    if (!isAway) connect(wanted);
  };
  run(customer.key, show, Socket, again, [id]);
  await until(({ type }) => type === "subscribed");
  for (let n = 0; n < 4; n++) {
    await say(id, `turn ${n}`);
    await until((frame) => frame.type === "transcription" && frame.turn.text === `turn ${n}`);
    sockets.at(-1)?.close();
  }
  await end(id);
  await until(({ type }) => type === "data");
  expect(shown.flatMap((frame) => (frame.type === "transcription" ? [frame.turn.text] : []))).toEqual(
    Array.from({ length: 4 }, (_, n) => `turn ${n}`),
  );
  expect(shown.filter(({ type }) => type === "data")).toHaveLength(1);
  isAway = true;
  sockets.at(-1)?.close();
});

test("a cursor that leads nowhere is answered by a reset and by how things stand, then it goes on live", async () => {
  const customer = await makeCustomer(one);
  const { say, end } = await vapi(customer);
  const [over, running] = [newUuid(), newUuid()];
  await say(running, "before");
  await end(over);
  const first = await openSocket(one.url, customer.key);
  await first.subscribe(running);
  const answer = await first.subscribe(over);
  await first.until(({ type }) => type === "data");
  // Its completion follows, so there is nothing to go on from between them.
  expect(answer).not.toHaveProperty("cursor");
  const completion = first.frames.find(({ type }) => type === "data");
  const cursor = completion?.type === "data" ? (completion.cursor ?? "") : "";
  const [version, cluster, at = "", ...rest] = cursor.split(".");
  const older = (Number.parseInt(at, 36) - 49 * 3_600_000).toString(36);
  for (const [given, reason] of [
    [[version, cluster, older, ...rest].join("."), "too_old"],
    [[version, "1", at, ...rest].join("."), "unknown_cursor"],
    ["'; drop table changes", "unknown_cursor"],
  ] as const) {
    const client = await openSocket(other.url, customer.key);
    client.send({ action: "resume", cursor: given, identifiers: [over, running, over] });
    await client.until(({ type }) => type === "resumed");
    await say(running, reason);
    await client.until(({ type }) => type === "transcription");
    expect(client.frames.map((frame) => withoutCursor(frame))).toMatchObject([
      { type: "subscribed", identifier: over, kind: "uuid", call_id: expect.stringMatching(/^call_/) },
      { type: "subscribed", identifier: running, kind: "uuid", call_id: expect.stringMatching(/^call_/) },
      { type: "reset", reason },
      { type: "status", status: "COMPLETED" },
      { type: "data" },
      { type: "resumed" },
      { type: "transcription", turn: { text: reason } },
    ]);
    // Somebody who is cut off in the middle of it begins anew once more.
    expect(client.frames.slice(0, 5).filter((frame) => "cursor" in frame)).toEqual([]);
    for (const frame of client.frames) expect(ServerFrame.parse(frame)).toEqual(frame);
    client.close();
  }
  first.close();
});

test("what was told before the cut is not told again, and somebody else's cursor shows nothing of theirs", async () => {
  const [customer, stranger] = [await makeCustomer(one), await makeCustomer(one)];
  const [{ end, say }, theirs] = [await vapi(customer), await vapi(stranger)];
  const [id, other] = [newUuid(), newUuid()];
  const client = await openSocket(one.url, customer.key);
  await client.subscribe("*");
  await end(id);
  await client.until(({ type }) => type === "data");
  client.close();
  const told = client.frames.at(-1);
  const cursor = told?.type === "data" ? told.cursor : "";
  await theirs.say(other, "secret");
  await say(newUuid(), "later");
  const back = await openSocket(one.url, customer.key);
  back.send({ action: "resume", cursor, identifiers: ["*", id, other] });
  await back.until(({ type }) => type === "resumed");
  expect(back.frames.map(({ type }) => type)).toEqual([...Array(3).fill("subscribed"), "transcription", "resumed"]);
  expect(JSON.stringify(back.frames)).not.toContain("secret");
  // It listens already, so where it stopped cannot be said any more.
  back.send({ action: "resume", cursor, identifiers: ["*"] });
  await back.until(({ type }) => type === "error");
  expect(back.frames.at(-1)).toMatchObject({ type: "error", code: "too_late_to_resume" });
  back.send({ action: "resume", cursor, identifiers: [] });
  back.send({ action: "resume", identifiers: ["*"] });
  await back.until(7);
  expect(back.frames.slice(-2)).toMatchObject([1, 2].map(() => ({ type: "error", code: "malformed" })));
  back.close();
});

test("a record that turned out to be another call while its client was away: the client is told of that call", async () => {
  const customer = await makeCustomer(one);
  const [eleven, twilio] = [await customer.connect("elevenlabs"), await customer.connect("twilio")];
  const callSid = newCallSid();
  const conversationId = `conv_${randomToken("c")}`;
  await customer.post("/v1/calls", { provider: "elevenlabs", provider_call_id: conversationId });
  const ids = { [fixtureIds.callSid]: callSid, [fixtureIds.accountSid]: twilio.keyId };
  await twilio.given(fixture("twilio", "real/status.1-ringing.txt", ids));
  const records = (await customer.calls()).map(({ id }) => id);
  expect(records).toHaveLength(2);
  const before = await Promise.all(records.map((id) => follow(one.url, customer.key, { topics: `call:${id}` })));
  const sockets = records.map((id) => createFollower(customer.key, [id]));
  for (const socket of sockets) await socket.listen(one.url, (client) => client.until(1));
  for (const stream of before) {
    stream.cut();
    await stream.ended;
  }

  const told = fixture("elevenlabs", "real/post_call_transcription.twilio-inbound.json", {
    [fixtureIds.callSid]: callSid,
  });
  const was = (JSON.parse(told) as { data: { conversation_id: string } }).data.conversation_id;
  expect((await eleven.own(told.replaceAll(was, conversationId))).status).toBe(200);
  const [call] = await customer.calls();

  for (const [index, socket] of sockets.entries()) {
    await socket.listen(other.url, (client) => client.until(({ type }) => type === "data"));
    expect(socket.completions).toEqual([`${call?.id}.completed`]);
    const topics = `call:${records[index]}`;
    const lastEventId = before[index]?.lastEventId() ?? "";
    const back = await follow(other.url, customer.key, { topics, lastEventId });
    await back.until(({ data }) => data.types.includes("call.completed"));
    back.cut();
  }
  // Who begins only now waits for the call as well.
  const late = await Promise.all(records.map((id) => follow(one.url, customer.key, { topics: `call:${id}` })));
  await twilio.given(fixture("twilio", "real/status.3-completed.txt", ids));
  for (const stream of late) {
    const [item] = await stream.until(({ event }) => event === "call");
    expect(item?.data.call.id).toBe(call?.id);
    stream.cut();
  }
});
