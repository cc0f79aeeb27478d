import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import type { MetricSet, MetricValue } from "@aftercall/contract/analysis/metrics.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { json } from "#/models/language/test-model.ts";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { englishScript, hebrewScript, layOut, type SpokenCall, trueSpeech } from "../harness/audio/calls.ts";
import { channelMap, mono, recordedForms, recordingFile, stereo } from "../harness/audio/files.ts";
import { lengthOf, talkRatio, union } from "../harness/audio/intervals.ts";
import { makeCustomer, newCallSid, type Customer, type Line } from "../harness/customer.ts";
import { verifiedMessages } from "../harness/messages.ts";
import { startReceiver, type Receiver } from "../harness/receiver.ts";
import { startRecordingHost, type RecordingHost } from "../harness/recording-host.ts";

// The whole way of a call that somebody spoke: Twilio's callbacks → the recording fetched → decoded, and speech found in it →
// heard by a scripted engine → call.completed. Every form of a recording, with one channel and two, in English and Hebrew.

let app: TestApp;
let host: RecordingHost;
let dataDir: string;
const recordings = new Map<string, Buffer>();
const toClose: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), "spoken-calls-"));
  [app, host] = await Promise.all([startTestApp({ AFTERCALL_DATA_DIR: dataDir }), startRecordingHost()]);
  host.serve(({ url }, response) => {
    const file = recordings.get(url ?? "");
    response.writeHead(file ? 200 : 404).end(file);
  });
});
afterAll(async () => {
  await Promise.all([host, ...toClose].map((one) => (typeof one === "function" ? one() : one.close())));
  await app.stop();
  await rm(dataDir, { recursive: true });
});

const languages = [
  { language: "en", call: layOut(englishScript), city: "Haifa" },
  { language: "he", call: layOut(hebrewScript), city: "בית שאן" },
];

describe.each(recordedForms)("%s", (form) => {
  test.each(languages)("stereo, $language: who spoke when, what was said, and the result", async (spoken) => {
    const { customer, message } = await resultOf(spoken, 2, await recordingFile(form, stereo(spoken.call)));
    expect(message?.data).toMatchObject({ call: { city: spoken.city, recording: { status: "stored", channels: 2 } } });
    expect(message?.data.transcript?.turns.map(({ role, text }) => [role, text])).toEqual(
      joined(spoken.call.turns.map(({ role, text }) => [role, text])),
    );
    const [agent, client] = [trueSpeech(spoken.call, "agent"), trueSpeech(spoken.call, "customer")];
    const found = await measured(customer, "talk_ratio", "agent");
    expect(found?.basis).toBe("audio_vad");
    expect(Math.abs((found?.value ?? 0) - talkRatio(agent, client))).toBeLessThan(0.02);
  });

  test.each(languages)("mono, $language: when somebody spoke, what was said, and the result", async (spoken) => {
    const { customer, message } = await resultOf(spoken, 1, await recordingFile(form, mono(spoken.call)));
    expect(message?.data).toMatchObject({ call: { city: spoken.city, recording: { status: "stored", channels: 1 } } });
    expect(message?.data.transcript?.text).toContain(spoken.call.turns.at(-1)?.text);
    const found = await measured(customer, "silence_ratio", null);
    const silence = 1 - lengthOf(union(trueSpeech(spoken.call))) / spoken.call.durationMs;
    expect(found?.basis).toBe("audio_vad");
    expect(Math.abs((found?.value ?? 0) - silence)).toBeLessThan(0.02);
    expect(await measured(customer, "talk_ratio", "agent")).toMatchObject({ value: null });
  });
});

type Spoken = (typeof languages)[number];

/** A call of Twilio that was recorded, and the message it ends in. */
async function resultOf({ call, language }: Spoken, channels: 1 | 2, file: Buffer) {
  const [customer, receiver] = [await makeCustomer(app), await startReceiver()];
  toClose.push(() => receiver.close());
  await hearWith(customer, call, language, channels);
  const endpoint = await customer.subscribe(receiver, { types: ["call.completed"] });
  const twilio = await customer.connect("twilio", { setup: { expects_recording: true } });
  await tellOf(twilio, channels, file);
  await customer.settled();
  const [message] = await verifiedMessages(receiver, endpoint.secret, 1);
  // The account's token goes to Twilio's own hosts and nowhere else.
  expect(host.requests.filter(({ headers }) => headers.authorization)).toEqual([]);
  return { customer, message };
}

/** The callbacks of a call that is over and of its recording, which this host has with as many channels as it was made with. */
async function tellOf(twilio: Line, channels: 1 | 2, file: Buffer): Promise<void> {
  const callSid = newCallSid();
  const place = `/2010-04-01/Accounts/${twilio.keyId}/Recordings/RE${callSid.slice(2)}`;
  recordings.set(`${place}.wav${channels === 2 ? "?RequestedChannels=2" : ""}`, file);
  const common = { AccountSid: twilio.keyId, CallSid: callSid };
  const status = { CallStatus: "completed", CallDuration: "14", Direction: "inbound", SequenceNumber: "3" };
  const numbers = { From: "+14155550123", To: "+14155550199", Timestamp: new Date().toUTCString() };
  const recording = {
    RecordingSid: `RE${callSid.slice(2)}`,
    RecordingUrl: host.url + place,
    RecordingStatus: "completed",
    RecordingDuration: "14",
    RecordingChannels: String(channels),
  };
  for (const fields of [
    { ...common, ...status, ...numbers },
    { ...common, ...recording },
  ]) {
    // oxlint-disable-next-line no-await-in-loop -- A recording is told of after the end.
    expect((await twilio.own(new URLSearchParams(fields).toString())).status).toBe(204);
  }
}

/** An engine that hears what was truly said: of one side after the other, or of both at once. */
async function hearWith(customer: Customer, call: SpokenCall, language: string, channels: 1 | 2): Promise<void> {
  const engine: Receiver = await startReceiver();
  toClose.push(() => engine.close());
  engine.answer((_request, count) => {
    const turns = channels === 1 ? call.turns : call.turns.filter(({ role }) => role === channelMap[(count - 1) % 2]);
    // The silence before the first word of a channel is not sent, but for half a second.
    const sentFrom = channels === 1 ? 0 : Math.max(0, (turns[0]?.start_ms ?? 0) - 500);
    const at = (ms: number) => (ms - sentFrom) / 1000;
    const segments = turns.map((turn) => ({ start: at(turn.start_ms), end: at(turn.end_ms), text: turn.text }));
    return json({ text: turns.map(({ text }) => text).join(" "), language, duration: 14, segments });
  });
  const settings = { model: "whisper-1", base_url: `${engine.url}v1` };
  expect((await customer.ask("PUT", "/v1/engines/speech", settings)).status).toBe(200);
}

async function measured(customer: Customer, key: string, role: string | null): Promise<MetricValue | undefined> {
  const [call] = await customer.calls();
  const { data }: { data: MetricSet[] } = await customer.get(`/v1/calls/${call?.id}/metrics`);
  return data.find(({ basis }) => basis === "audio")?.values.find((one) => one.key === key && one.role === role);
}

/** What one side says in two breaths is one turn. */
function joined(turns: readonly (readonly [role: string, text: string])[]): [role: string, text: string][] {
  const whole: [string, string][] = [];
  for (const [role, text] of turns) {
    const last = whole.at(-1);
    if (last?.[0] === role) last[1] += ` ${text}`;
    else whole.push([role, text]);
  }
  return whole;
}
