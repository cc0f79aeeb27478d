import { ServerFrame } from "@aftercall/contract/live-frames.ts";
import { streamItems } from "@aftercall/contract/live.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newCallSid, newUuid, randomToken, type Customer } from "../harness/customer.ts";
import { fixture, fixtureIds } from "../harness/fixture.ts";
import { follow, openSocket, type SocketClient } from "./clients.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

/** A conversation of ElevenLabs, told when it is over. */
async function conversation(customer: Customer) {
  const line = await customer.connect("elevenlabs");
  const id = `conv_${randomToken("c")}`;
  const told = fixture("elevenlabs", "real/post_call_transcription.twilio-inbound.json", {
    [fixtureIds.callSid]: newCallSid(),
  });
  const was = (JSON.parse(told) as { data: { conversation_id: string } }).data.conversation_id;
  return { id, end: async () => expect((await line.own(told.replaceAll(was, id))).status).toBe(200) };
}

const isOver = ({ type }: ServerFrame) => type === "data";
const turnsOf = ({ frames }: SocketClient) =>
  frames.flatMap((frame) => (frame.type === "transcription" ? [frame] : []));

test("of a call that could not be heard while it ran, every turn is told when its transcript is there, before its completion", async () => {
  const customer = await makeCustomer(app);
  const { id, end } = await conversation(customer);
  const [socket, stream, list] = [
    await openSocket(app.url, customer.key),
    await follow(app.url, customer.key, { topics: `call:${id}` }),
    await follow(app.url, customer.key, { topics: "calls" }),
  ];
  const answer = await socket.subscribe(id);
  await end();
  await socket.until(isOver);
  const isCompleted = ({ event, data }: (typeof stream.items)[number]) =>
    event === "call" && data.types.includes("call.completed");
  await Promise.all([stream.until(isCompleted), list.until(isCompleted)]);
  const [call] = await customer.calls();
  const { turns } = await customer.get(`/v1/calls/${call?.id}/transcript`);
  const said = turns.map(({ role, text, start_ms }: { role: string; text: string; start_ms: number | null }) => ({
    ...{ role, text, start_ms },
    is_final: true,
  }));
  expect(said.length).toBeGreaterThan(1);
  expect(turnsOf(socket).map(({ turn }) => turn)).toEqual(said);
  expect(socket.frames.map(({ type }) => type).slice(-2)).toEqual(["status", "data"]);
  for (const frame of socket.frames) expect(ServerFrame.parse(frame)).toEqual(frame);
  // Only who heard the last turn goes on after it.
  expect(turnsOf(socket).map((frame) => frame.cursor !== undefined)).toEqual(
    said.map((_turn: object, n: number) => n === said.length - 1),
  );
  const items = stream.items.filter(({ event }) => event === "transcription");
  expect(items.map(({ data }) => data.turn)).toEqual(said);
  for (const { data } of items) expect(streamItems.transcription.parse(data)).toEqual(data);
  expect(list.items.filter(({ event }) => event === "transcription")).toEqual([]);

  const back = await openSocket(app.url, customer.key);
  const cursor = answer.type === "subscribed" ? answer.cursor : undefined;
  back.send({ action: "resume", cursor, identifiers: [id] });
  await back.until(isOver);
  expect(turnsOf(back).map(({ turn }) => turn)).toEqual(said);
  socket.close();
  back.close();
  stream.cut();
  list.cut();
});

test("what was told while it was said is not told again when the transcript is there", async () => {
  const customer = await makeCustomer(app);
  const line = await customer.connect("vapi");
  const id = newUuid();
  const send = (message: object) => line.own({ message: { timestamp: Date.now(), call: { id }, ...message } });
  const socket = await openSocket(app.url, customer.key);
  await socket.subscribe(id);
  await send({ type: "transcript", transcriptType: "partial", role: "user", transcript: "אני" });
  await send({ type: "transcript", transcriptType: "final", role: "user", transcript: "אני מחפשת דירה" });
  await send({ type: "end-of-call-report", endedReason: "customer-ended-call" });
  await socket.until(isOver);
  expect(turnsOf(socket).map(({ turn }) => [turn.text, turn.is_final])).toEqual([
    ["אני", false],
    ["אני מחפשת דירה", true],
  ]);
  socket.close();
});
