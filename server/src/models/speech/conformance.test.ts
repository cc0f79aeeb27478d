import { Readable } from "node:stream";

import { afterEach, describe, expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";
import { createGuardedHttp } from "#/kernel/net/http.ts";

import { type Reply, startReceiver } from "../../../test/harness/receiver.ts";
import { GiveUp, Retry } from "../failure.ts";
import { assemble } from "./assemble.ts";
import type { SpeechEngine } from "./engine.ts";
import type { Recognition } from "./recognise.ts";
import { dialects, json, type Spoken } from "./test-engines.ts";
import { recogniseWith } from "./transcriber.ts";

const toClose: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(toClose.splice(0).map((close) => close()));
});

const key = "a-secret-key-0123456789abcdef";
const sound = Buffer.from("RIFF: four seconds of sound, as far as this test is concerned");
const english: readonly Spoken[] = [
  { from: 0.5, to: 1.5, text: "Hello, this is Dana." },
  { from: 2.5, to: 3.5, text: "How can I help?", speaker: 1 },
];

// Every engine that is spoken to passes all of this, against a server that answers as its vendor's does.
describe.each(dialects)("$vendor", (dialect) => {
  async function server(answer: Reply | null, spoken: readonly Spoken[] = english, language = dialect.languages.en) {
    const receiver = await startReceiver();
    receiver.answer((request) => answer ?? dialect.answer(request, spoken, language));
    const http = createGuardedHttp({ privateTargets: ["127.0.0.0/8"], allowHttp: true, clock: systemClock });
    toClose.push(
      () => receiver.close(),
      () => http.close(),
    );
    const engine: SpeechEngine = {
      kind: "speech",
      vendor: dialect.vendor,
      provider: "test",
      baseUrl: receiver.url.replace(/\/$/, "") + (dialect.vendor === "openai_compatible" ? "/v1" : ""),
      model: dialect.model,
      apiKey: key,
      price: null,
      origin: "tenant",
      privateTargets: [],
      settings: { diarise: true, uploadBytesMax: 1_000_000, language: null },
    };
    const recognise = recogniseWith(engine, { http, clock: systemClock });
    const hear = (more: Partial<Recognition> = {}) =>
      recognise({
        sound: {
          open: () => Readable.from([sound.subarray(0, 10), sound.subarray(10)]),
          bytes: sound.length,
          mime: "audio/wav",
          name: "recording.wav",
          channel: null,
          offsetMs: 0,
          durationMs: 4_000,
        },
        language: "en",
        hints: [],
        diarise: true,
        timeoutMs: 5_000,
        signal: new AbortController().signal,
        ...more,
      });
    const failure = (more: Partial<Recognition> = {}) =>
      hear(more).then(
        () => null,
        (error: unknown) => error,
      );
    return { receiver, hear, failure };
  }

  test("what is said comes back with its times, and the sound arrives byte by byte", async () => {
    const { receiver, hear } = await server(null);
    const heard = await hear();
    expect(
      heard.segments.map(({ text, startMs, endMs }) => [text, startMs, Math.round((endMs ?? 0) / 100) * 100]),
    ).toEqual([
      ["Hello, this is Dana.", 500, expect.any(Number)],
      ["How can I help?", 2_500, expect.any(Number)],
    ]);
    expect(heard.segments[0]?.words?.[0]).toMatchObject({ text: "Hello,", start_ms: 500 });
    expect(heard.segments[0]?.confidence).toBeGreaterThan(0.5);
    expect(heard.language).toBe("en");
    expect(heard.usage.audio_ms).toBe(4_000);
    const uploads = receiver.received.filter((request) => dialect.isUpload(request));
    expect(uploads).toHaveLength(1);
    expect(uploads[0]?.body.includes(sound)).toBe(true);
    expect(Number(uploads[0]?.headers["content-length"])).toBe(uploads[0]?.body.length);
    for (const request of receiver.received) expect(dialect.keySent(request)).toBe(key);
  });

  test("the language is sent where it is known, and asked for where it is not", async () => {
    const { receiver, hear } = await server(null);
    await hear({ language: "he-IL" });
    const told = receiver.received.map((request) => dialect.languageSent(request)).find((one) => one !== null);
    expect(told?.startsWith("he")).toBe(true);
    const count = receiver.received.length;
    await hear({ language: null });
    expect(
      receiver.received
        .slice(count)
        .map((request) => dialect.languageSent(request))
        .filter(Boolean),
    ).toEqual([]);
  });

  test("Hebrew comes back letter by letter", async () => {
    const text = "שלום, אני רוצה לשווק נכס בבית שאן";
    const { hear } = await server(null, [{ from: 0, to: 3, text }], dialect.languages.he);
    const heard = await hear({ language: null });
    expect(heard.language).toBe("he");
    expect(heard.segments.map((one) => one.text)).toEqual([text]);
    expect(heard.segments[0]?.words?.at(-1)?.text).toBe("שאן");
  });

  test("times of a part are times of the recording", async () => {
    const { hear } = await server(null);
    const heard = await hear({ sound: { ...(await soundAt(60_000)) } });
    expect(heard.segments[0]).toMatchObject({ startMs: 60_500 });
    expect(heard.segments[0]?.words?.[0]?.start_ms).toBe(60_500);
  });

  test("silence is no failure: nothing was said", async () => {
    const { hear } = await server(null, []);
    expect((await hear()).segments).toEqual([]);
  });

  test("what is invented on silence does not become a turn, and is kept aside", async () => {
    const { hear } = await server(null, [{ from: 2, to: 3, text: "Thank you for watching!" }]);
    const channel = { channel: 0, heard: [await hear()], speech: [[0, 500]] as const };
    const { transcript, quality } = assemble([channel], { language: "en", channelMap: ["agent"], direction: null });
    expect(transcript.turns).toEqual([]);
    expect(quality.dropped_segments).toMatchObject([{ text: "Thank you for watching!", why: "no_energy", channel: 0 }]);
  });

  test("a server that takes its time is waited for", async () => {
    const { receiver, hear } = await server(null);
    receiver.answer(
      (request) => ({ ...(dialect.answer(request, english, "en") as object), after: systemClock.sleep(150) }) as Reply,
    );
    expect((await hear()).segments).toHaveLength(2);
  });

  test("429 is tried later, when the server says", async () => {
    const { failure } = await server(json({ error: { message: "Slow down" } }, 429, { "retry-after": "30" }));
    const failed = await failure();
    expect(failed).toBeInstanceOf(Retry);
    expect(failed).toMatchObject({ reason: "engine_unavailable", afterMs: 30_000 });
  });

  test("500 is tried later", async () => {
    const { failure } = await server(json({ error: "oops" }, 500));
    expect(await failure()).toBeInstanceOf(Retry);
  });

  test("401 is given up, and the key is not in the words about it", async () => {
    const { failure } = await server(json({ error: { message: `Invalid key ${key}` } }, 401));
    const failed = await failure();
    expect(failed).toBeInstanceOf(GiveUp);
    expect(failed).toMatchObject({ reason: "engine_rejected" });
    expect(String(failed)).not.toContain(key);
  });

  test("a server that hangs is left after the time it has", async () => {
    const { failure } = await server("hang");
    const failed = await failure({ timeoutMs: 200 });
    expect(failed).toBeInstanceOf(Retry);
    expect(failed).toMatchObject({ reason: "engine_timeout" });
  });

  test("a connection that breaks is tried again", async () => {
    const { failure } = await server("reset");
    expect(await failure()).toBeInstanceOf(Retry);
  });

  test.each([
    ["stops in the middle", '{"text": "Hel'],
    ["has another form", '{"segments": "none", "results": 3}'],
    ["is empty", ""],
    ["is a page", "<html>Bad gateway</html>"],
  ])("an answer that %s is no transcript, and is tried again", async (_how, body) => {
    const { failure } = await server({ status: 200, headers: { "content-type": "application/json" }, body });
    expect(await failure()).toBeInstanceOf(Retry);
  });

  test("work that is stopped stops", async () => {
    const { failure } = await server("hang");
    const stopping = new AbortController();
    const failed = failure({ signal: stopping.signal });
    stopping.abort();
    expect(await failed).toMatchObject({ reason: "engine_unavailable", afterMs: 0 });
  });

  async function soundAt(offsetMs: number): Promise<Recognition["sound"]> {
    return {
      open: () => Readable.from([sound]),
      bytes: sound.length,
      mime: "audio/wav",
      name: "recording.wav",
      channel: null,
      offsetMs,
      durationMs: 4_000,
    };
  }
});
