import { readdir } from "node:fs/promises";
import path from "node:path";

import { afterEach, expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";
import { createGuardedHttp } from "#/kernel/net/http.ts";

import { createFakeClock } from "../../../test/harness/clock.ts";
import { type Received, type Reply, startReceiver } from "../../../test/harness/receiver.ts";
import { GiveUp, Retry } from "../failure.ts";
import type { SpeechInterval, SplitChannels, Transcription } from "./answer.ts";
import type { SpeechEngine } from "./engine.ts";
import { withoutInvented } from "./guard.ts";
import type { Heard, Segment } from "./recognise.ts";
import { untold } from "./recognise.ts";
import { guessRoles } from "./roles.ts";
import { dialects, json, type Spoken } from "./test-engines.ts";
import { makeRecording, splitChannels } from "./test-sound.ts";
import { createTranscriber } from "./transcriber.ts";

const toClose: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(toClose.splice(0).map((close) => close()));
});

const [openai, deepgram, , assemblyai] = dialects;
if (!openai || !deepgram || !assemblyai) throw new Error("A dialect is missing");

async function engine(
  dialect = openai,
  more: Partial<SpeechEngine> = {},
  split: SplitChannels = splitChannels,
  clock = systemClock,
) {
  const receiver = await startReceiver();
  const http = createGuardedHttp({ privateTargets: ["127.0.0.0/8"], allowHttp: true, clock: systemClock });
  toClose.push(
    () => receiver.close(),
    () => http.close(),
  );
  const transcriber = createTranscriber(
    {
      kind: "speech",
      vendor: dialect?.vendor ?? "openai_compatible",
      provider: "test",
      baseUrl: receiver.url.replace(/\/$/, "") + (dialect === openai ? "/v1" : ""),
      model: dialect?.model ?? "",
      apiKey: null,
      price: null,
      origin: "tenant",
      privateTargets: [],
      settings: { diarise: true, uploadBytesMax: 10_000_000, language: null },
      ...more,
    },
    { http, clock, price: () => [], splitChannels: split },
  );
  return { receiver, transcriber };
}

async function recording(
  durationMs: number,
  ...speech: readonly (readonly SpeechInterval[])[]
): Promise<Transcription> {
  const { audio, remove } = await makeRecording(durationMs, speech);
  toClose.push(remove);
  return {
    audio,
    language: "en",
    hints: [],
    channelMap: [],
    direction: "inbound",
    signal: new AbortController().signal,
  };
}

/** Where in a WAV of a request the tone begins, in seconds of the recording's own 8 kHz: tells the channels apart. */
function firstTone({ body }: Received): number {
  const start = body.indexOf("RIFF") + 44;
  for (let at = start; at + 1 < body.length; at += 2) {
    if (Math.abs(body.readInt16LE(at)) > 500) return (at - start) / 2 / 8_000;
  }
  return -1;
}

test("each channel of a stereo recording is heard alone, and what was said stands in the order of time", async () => {
  const { receiver, transcriber } = await engine();
  const wanted = await recording(
    6_000,
    [
      [0, 2_000],
      [4_000, 6_000],
    ],
    [[2_200, 3_800]],
  );
  const agent: Spoken[] = [
    { from: 0, to: 2, text: "Thank you for calling, how can I help?" },
    { from: 4, to: 6, text: "Of course." },
  ];
  const customer: Spoken[] = [{ from: 0.2, to: 1.8, text: "I want to sell my flat." }];
  receiver.answer((request) => openai.answer(request, firstTone(request) < 0.1 ? agent : customer, "english"));
  const answer = await transcriber.transcribe({ ...wanted, channelMap: ["agent", "customer"] });
  expect(receiver.received).toHaveLength(2);
  expect(answer.transcript.turns).toMatchObject([
    { role: "agent", channel: 0, text: "Thank you for calling, how can I help?", start_ms: 0 },
    { role: "customer", channel: 1, text: "I want to sell my flat.", start_ms: 1_900 },
    { role: "agent", channel: 0, text: "Of course.", start_ms: 4_000 },
  ]);
  expect(answer.transcript.text).toBe(
    "Agent: Thank you for calling, how can I help?\nCustomer: I want to sell my flat.\nAgent: Of course.",
  );
  expect(answer).toMatchObject({
    timing: "word",
    quality: { role_source: "channel", flags: [] },
    usage: { audio_ms: 8_000 },
  });
});

test("what the other side said in a pause stands in the pause", async () => {
  const { receiver, transcriber } = await engine();
  const wanted = await recording(6_000, [[0, 6_000]], [[2_500, 3_500]]);
  const words = (from: number, text: string) =>
    text.split(" ").map((word, i) => ({ word, start: from + i * 0.4, end: from + i * 0.4 + 0.3 }));
  const long = [...words(0, "let me look that up"), ...words(4, "here it is")];
  receiver.answer((request) =>
    firstTone(request) < 0.1
      ? json({ text: "x", segments: [{ start: 0, end: 5.5, text: "let me look that up here it is" }], words: long })
      : openai.answer(request, [{ from: 0.5, to: 1.5, text: "take your time" }], "english"),
  );
  const { transcript } = await transcriber.transcribe({ ...wanted, channelMap: ["agent", "customer"] });
  expect(transcript.turns.map(({ text }) => text)).toEqual(["let me look that up", "take your time", "here it is"]);
});

test("a channel in which nobody speaks is not sent, and a silent recording costs nothing", async () => {
  const { receiver, transcriber } = await engine();
  receiver.answer((request) => openai.answer(request, [{ from: 0, to: 1, text: "Hello?" }], "english"));
  await transcriber.transcribe({ ...(await recording(3_000, [[0, 1_000]], [])), channelMap: ["agent", "customer"] });
  expect(receiver.received).toHaveLength(1);
  for (const speech of [[[]], [[], []]]) {
    const { transcript, quality, cost } = await transcriber.transcribe(await recording(3_000, ...speech));
    expect(transcript.turns).toEqual([]);
    expect(quality.flags).toContain("silent");
    expect(cost).toEqual([]);
  }
  expect(receiver.received).toHaveLength(1);
});

test("a file larger than the engine takes is cut in its pauses, and the times fit together again", async () => {
  const bytesMax = 8_000 * 2 * 5 + 44;
  const { receiver, transcriber } = await engine(openai, {
    settings: { diarise: false, uploadBytesMax: bytesMax, language: null },
  });
  const wanted = await recording(12_000, [
    [0, 3_000],
    [4_000, 7_000],
    [8_000, 11_500],
  ]);
  receiver.answer((request) =>
    openai.answer(request, [{ from: 0.6, to: 1.6, text: `part of ${request.body.length}` }], "english"),
  );
  const { transcript } = await transcriber.transcribe(wanted);
  expect(receiver.received.length).toBeGreaterThan(2);
  for (const { body } of receiver.received) expect(body.length).toBeLessThan(bytesMax + 2_000);
  expect(transcript.turns.map(({ start_ms: start }) => start)).toEqual([600, 4_100, 8_100]);
});

test("long silence is not sent", async () => {
  const { receiver, transcriber } = await engine(openai, {
    settings: { diarise: false, uploadBytesMax: 1_000_000, language: null },
  });
  const wanted = await recording(100_000, [
    [0, 2_000],
    [90_000, 92_000],
  ]);
  receiver.answer((request) => openai.answer(request, [{ from: 0.5, to: 1.5, text: "hello there" }], "english"));
  const { transcript } = await transcriber.transcribe(wanted);
  expect(receiver.received).toHaveLength(2);
  for (const { body } of receiver.received) expect(body.length).toBeLessThan(8_000 * 2 * 4);
  expect(transcript.turns.map(({ start_ms: start }) => start)).toEqual([500, 90_000]);
});

test("speakers of a mono recording are named by what they say, with how sure that is", async () => {
  const { receiver, transcriber } = await engine(deepgram);
  const spoken: Spoken[] = [
    { from: 0, to: 1, text: "Good morning, thank you for calling, how can I help?", speaker: 0 },
    { from: 1.5, to: 2.5, text: "I want to sell my flat.", speaker: 1 },
  ];
  receiver.answer((request) => deepgram.answer(request, spoken, "en"));
  const { transcript, quality } = await transcriber.transcribe(await recording(3_000, [[0, 3_000]]));
  expect(transcript.turns.map(({ role }) => role)).toEqual(["agent", "customer"]);
  expect(quality).toMatchObject({ role_source: "heuristic", role_confidence: 0.95, flags: [] });
});

test("speakers that nothing tells apart are uncertain, and one alone is nobody", async () => {
  const voice = (speaker: string, text: string): Segment & { speaker: string } => ({
    ...untold,
    speaker,
    text,
    startMs: 0,
    endMs: 1,
  });
  expect(guessRoles([voice("0", "Yes"), voice("1", "No")], null).confidence).toBeLessThan(0.8);
  expect(guessRoles([voice("0", "Yes")], "inbound")).toEqual({ of: new Map([["0", "unknown"]]), confidence: 0 });
  const hebrew = guessRoles(
    [voice("A", "הלו?"), voice("B", "שלום, מדברת דנה מנדלן הזריחה, במה אפשר לעזור?")],
    "outbound",
  );
  expect(hebrew.of.get("B")).toBe("agent");
  expect(hebrew.confidence).toBeGreaterThanOrEqual(0.8);
});

test("a server that tells nothing but the text gives a text without times", async () => {
  const { receiver, transcriber } = await engine();
  receiver.answer(json({ text: "Hello, is anybody there?" }));
  const { transcript, timing, quality } = await transcriber.transcribe(await recording(3_000, [[0, 2_000]]));
  expect(transcript).toMatchObject({
    text: "Speaker: Hello, is anybody there?",
    turns: [{ start_ms: null, role: "unknown" }],
  });
  expect(timing).toBe("none");
  expect(quality.flags).toContain("no_timestamps");
});

test.each([
  ["gpt-4o-transcribe", "json", false],
  ["gpt-4o-transcribe-diarize", "diarized_json", false],
  ["whisper-1", "verbose_json", true],
  ["some-new-model", "verbose_json", true],
])("%s is asked for %s", async (model, format, withWords) => {
  const { receiver, transcriber } = await engine(openai, { model });
  receiver.answer(json({ text: "Hi", segments: [{ start: 0, end: 1, text: "Hi", speaker: "A" }] }));
  await transcriber.transcribe({ ...(await recording(2_000, [[0, 1_000]])), hints: ["Beit Shean", "נדל״ן"] });
  const body = receiver.received[0]?.body.toString() ?? "";
  expect(body).toContain(`name="response_format"\r\n\r\n${format}\r\n`);
  expect(body.includes('name="timestamp_granularities[]"\r\n\r\nword\r\n')).toBe(withWords);
  expect(body.includes("Beit Shean, נדל״ן")).toBe(!model.endsWith("diarize"));
});

test("more hints than fit into an address are cut, the first ones stay", async () => {
  const { receiver, transcriber } = await engine(deepgram);
  receiver.answer((request) => deepgram.answer(request, [], "he"));
  const hints = Array.from({ length: 100 }, (_, i) => `שיווק נכסים ${i}`);
  await transcriber.transcribe({ ...(await recording(2_000, [[0, 1_000]])), hints });
  const sent = new URL(receiver.received[0]?.path ?? "", "http://localhost").searchParams.getAll("keyterm");
  expect(sent.length).toBeGreaterThan(5);
  expect(sent).toEqual(hints.slice(0, sent.length));
});

test("a form of file that engines do not know is sent as WAV", async () => {
  const { receiver, transcriber } = await engine();
  receiver.answer((request) => openai.answer(request, [{ from: 0, to: 1, text: "Hello" }], "english"));
  const wanted = await recording(2_000, [[0, 1_000]]);
  await transcriber.transcribe({ ...wanted, audio: { ...wanted.audio, mime: "audio/amr" } });
  expect(receiver.received[0]?.body.toString("latin1")).toContain("Content-Type: audio/wav");
  expect(receiver.received[0]?.body.length).toBeLessThan(wanted.audio.bytes);
});

test("what was heard and kept is not sent again", async () => {
  const { receiver, transcriber } = await engine();
  const kept = new Map<string, Heard>();
  const answers = {
    find: async (hash: Buffer) => kept.get(hash.toString("hex")) ?? null,
    keep: async (hash: Buffer, heard: Heard) => void kept.set(hash.toString("hex"), heard),
  };
  const wanted = {
    ...(await recording(3_000, [[0, 1_000]], [[1_500, 2_500]])),
    answers,
    channelMap: ["agent", "customer"] as const,
  };
  receiver.answer((request, count) =>
    count === 1 ? openai.answer(request, [{ from: 0, to: 1, text: "Hello" }], "en") : json({}, 503),
  );
  const failure: unknown = await transcriber.transcribe(wanted).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Retry);
  expect(failure).toMatchObject({ spent: { usage: { audio_ms: 4_000 } } });
  receiver.answer((request) => openai.answer(request, [{ from: 0.2, to: 0.9, text: "Hi" }], "en"));
  const { transcript, usage } = await transcriber.transcribe(wanted);
  expect(receiver.received).toHaveLength(3);
  expect(transcript.turns.map(({ text }) => text)).toEqual(["Hello", "Hi"]);
  expect(usage.audio_ms).toBe(4_000);
});

test("the files that a recording was split into are removed, whatever happens", async () => {
  const folders: string[] = [];
  const split: SplitChannels = async (audio, signal) => {
    const made = await splitChannels(audio, signal);
    folders.push(path.dirname(made.files[0]?.path ?? ""));
    return made;
  };
  const { receiver, transcriber } = await engine(openai, {}, split);
  receiver.answer(json({ error: "no" }, 400));
  const wanted = await recording(2_000, [[0, 1_000]], [[0, 1_000]]);
  await expect(transcriber.transcribe(wanted)).rejects.toBeInstanceOf(GiveUp);
  await expect(readdir(folders[0] ?? "")).rejects.toThrow("ENOENT");
});

test("a job that never ends is left after the time it has, and one that fails is given up", async () => {
  const clock = createFakeClock();
  const { receiver, transcriber } = await engine(assemblyai, {}, splitChannels, clock);
  const answer =
    (status: string): ((request: Received) => Reply) =>
    (request) =>
      request.method === "GET"
        ? json({ id: "job-1", status, error: "Bad file" })
        : assemblyai.answer(request, [], "en");
  const wanted = await recording(2_000, [[0, 1_000]]);
  receiver.answer(answer("processing"));
  const failing = transcriber.transcribe(wanted).catch((error: unknown) => error);
  while ((await Promise.race([failing, systemClock.sleep(5).then(() => null)])) === null) await clock.advance(10_000);
  expect(await failing).toMatchObject({ name: "Retry", reason: "engine_timeout" });
  receiver.answer(answer("error"));
  await expect(transcriber.transcribe(wanted)).rejects.toMatchObject({
    name: "GiveUp",
    reason: "engine_rejected",
    message: "The speech engine failed: Bad file",
  });
});

test("the guard goes by the engine's own doubts, by repetition, and by where there is sound", () => {
  const segment = (startMs: number, text: string, more: Partial<Segment> = {}): Segment => ({
    ...untold,
    startMs,
    endMs: startMs + 1_000,
    text,
    ...more,
  });
  const speech = [[0, 20_000]] as const;
  const { kept, dropped } = withoutInvented(
    [
      segment(0, "Hello"),
      segment(1_000, "Thanks for watching", { noSpeechProb: 0.9, avgLogprob: -1.4 }),
      segment(2_000, "quiet but sure", { noSpeechProb: 0.9, avgLogprob: -0.2 }),
      segment(3_000, "la la la la la la", { compressionRatio: 3 }),
      segment(4_000, "Yes."),
      segment(5_000, "yes"),
      segment(6_000, "Okay."),
      segment(7_000, "Okay."),
      segment(8_000, "okay!"),
      segment(30_000, "Subtitles by the community"),
    ],
    speech,
    1,
  );
  expect(kept.map(({ text }) => text)).toEqual(["Hello", "quiet but sure", "Yes.", "yes", "Okay."]);
  expect(dropped.map(({ why }) => why)).toEqual(["no_speech", "compression", "repeated", "repeated", "no_energy"]);
  expect(withoutInvented([segment(30_000, "Nobody measured")], null, null).dropped).toEqual([]);
});
