import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, describe, expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";

import { audioDir, hasFfmpeg, trueSpeech, truth, wavFile } from "../../test/harness/audio.ts";
import { createRandom } from "../../test/harness/random.ts";
import { createAudio } from "./audio.ts";
import { AudioRefused } from "./failure.ts";
import { audioLimits } from "./limits.ts";
import type { Interval } from "./listen.ts";
import { peakMs } from "./listen.ts";
import { muLawTable } from "./wav/g711.ts";

const audio = createAudio({ clock: systemClock });
const folder = await mkdtemp(path.join(tmpdir(), "audio-"));
const fixture = (name: string) => path.join(audioDir, name);
const temporary = (name: string) => path.join(folder, name);

afterAll(() => rm(folder, { recursive: true }));

describe("speech by loudness, against the known times of a synthetic call", () => {
  // What is found of each side and how much of that is right, agent's share of talk (0.610), silence (0.246), overlap (280 ms).
  test.each([
    [
      "no noise",
      "none",
      0,
      { agent: "1.000 / 0.995", customer: "1.000 / 0.997", ratio: 0.611, silence: 0.243, overlap: 280 },
    ],
    [
      "line noise",
      "white",
      30,
      { agent: "1.000 / 0.995", customer: "1.000 / 0.997", ratio: 0.611, silence: 0.243, overlap: 280 },
    ],
    [
      "loud noise",
      "white",
      90,
      { agent: "0.963 / 0.997", customer: "0.941 / 1.000", ratio: 0.616, silence: 0.274, overlap: 200 },
    ],
    [
      "loud low noise",
      "pink",
      90,
      { agent: "0.989 / 0.997", customer: "0.962 / 1.000", ratio: 0.617, silence: 0.262, overlap: 280 },
    ],
    [
      "swelling noise",
      "swelling",
      90,
      { agent: "0.999 / 0.988", customer: "0.956 / 1.000", ratio: 0.623, silence: 0.254, overlap: 280 },
    ],
  ] as const)(
    "%s: nobody is missed, nobody is mistaken, the talk ratio is within 2 points",
    async (_name, colour, loudness, table) => {
      const file = temporary(`noise-${colour}-${loudness}.wav`);
      await writeFile(file, withNoise(await readFile(fixture("call.mulaw.wav")), colour, loudness));
      const { speechByChannel, facts } = await audio.analyse(file);
      expect(facts).toMatchObject({ channels: 2, durationMs: truth.duration_ms, sampleRateHz: 8_000 });
      const [customer = [], agent = []] = speechByChannel;
      const known = { agent: trueSpeech("agent"), customer: trueSpeech("customer") };
      const found = { agent: shares(agent, known.agent), customer: shares(customer, known.customer) };
      expect({
        agent: found.agent.map((share) => share.toFixed(3)).join(" / "),
        customer: found.customer.map((share) => share.toFixed(3)).join(" / "),
        ratio: rounded(ratioOf(agent, customer)),
        silence: rounded(silenceOf(agent, customer)),
        overlap: lengthOf(common(agent, customer)),
      }).toEqual(table);
      for (const [recall, precision] of Object.values(found)) {
        expect(recall).toBeGreaterThan(loudness === 0 ? 0.98 : 0.914);
        expect(precision).toBeGreaterThan(0.98);
      }
      expect(Math.abs(ratioOf(agent, customer) - ratioOf(known.agent, known.customer))).toBeLessThan(0.02);
      expect(Math.abs(silenceOf(agent, customer) - silenceOf(known.agent, known.customer))).toBeLessThan(0.05);
    },
  );
});

test.each([
  ["call.mono.mp3", { codec: "mp3", mime: "audio/mpeg", sampleRateHz: 8_000, channels: 1, durationMs: 13_000 }],
  ["call.mono.opus", { codec: "opus", mime: "audio/ogg", sampleRateHz: 48_000, channels: 1, durationMs: 13_000 }],
])("%s is decoded without any program beside this one", async (name, facts) => {
  const heard = await audio.analyse(fixture(name));
  expect(heard.facts).toEqual(facts);
  const all = union([...trueSpeech("agent"), ...trueSpeech("customer")]);
  expect(lengthOf(common(heard.speechByChannel[0] ?? [], all)) / lengthOf(all)).toBeGreaterThan(0.95);
});

test.skipIf(!hasFfmpeg).each([
  ["call.mono.m4a", { codec: "aac", mime: "audio/mp4", channels: 1 }],
  ["start.flac", { codec: "flac", mime: "audio/flac", channels: 2, durationMs: 3_000 }],
])("%s is decoded by ffmpeg", async (name, facts) => {
  expect((await audio.analyse(fixture(name))).facts).toMatchObject(facts);
});

test.each([
  [1, 8, (view: DataView, at: number, v: number) => view.setUint8(at, Math.round(v * 127) + 128)],
  [1, 16, (view: DataView, at: number, v: number) => view.setInt16(at * 2, v * 32_767, true)],
  [1, 24, (view: DataView, at: number, v: number) => view.setInt16(at * 3 + 1, v * 32_767, true)],
  [1, 32, (view: DataView, at: number, v: number) => view.setInt32(at * 4, v * 0x7fff_ffff, true)],
  [3, 32, (view: DataView, at: number, v: number) => view.setFloat32(at * 4, v, true)],
  [3, 64, (view: DataView, at: number, v: number) => view.setFloat64(at * 8, v, true)],
])("WAV of format %i with %i bits is read sample by sample", async (format, bits, write) => {
  const rate = 11_025;
  const view = new DataView(new ArrayBuffer((rate * bits) / 8));
  for (let i = 0; i < rate; i++) write(view, i, i < rate / 2 ? 0 : Math.sin(i) / 2);
  const file = temporary(`${format}-${bits}.wav`);
  await writeFile(file, wavFile(format, bits, 1, rate, Buffer.from(view.buffer)));
  const { facts, peaks, speechByChannel } = await audio.analyse(file);
  expect(facts).toMatchObject({ channels: 1, sampleRateHz: rate, durationMs: 1_000 });
  expect(peaks).toHaveLength(200);
  expect([...peaks.slice(0, 90)].every((peak) => peak >= -1 && peak <= 0)).toBe(true);
  expect(peaks[151]).toBeGreaterThanOrEqual(62);
  expect(peaks[150]).toBeLessThanOrEqual(-63);
  expect(speechByChannel[0]?.[0]?.[0]).toBeGreaterThanOrEqual(480);
});

test("peaks say for each 10 ms and channel how low and how high it goes", async () => {
  const { peaks, facts } = await audio.analyse(fixture("call.mulaw.wav"));
  expect(peaks).toHaveLength((facts.durationMs / peakMs) * 2 * 2);
  // At 600 ms the agent, on the second channel, speaks alone.
  const at = (600 / peakMs) * 4;
  expect([...peaks.slice(at, at + 2)]).toEqual([0, 0]);
  expect((peaks[at + 3] ?? 0) - (peaks[at + 2] ?? 0)).toBeGreaterThan(10);
});

test("each channel becomes a mono file of the same length", async () => {
  const files = await audio.split(fixture("call.mulaw.wav"), [temporary("left.wav"), temporary("right.wav")]);
  expect(files).toMatchObject([
    { channel: 0, durationMs: 13_000, sampleRateHz: 8_000, bytes: 208_044 },
    { channel: 1, durationMs: 13_000 },
  ]);
  const whole = await audio.analyse(fixture("call.mulaw.wav"));
  const left = await audio.analyse(temporary("left.wav"));
  expect(left.speechByChannel[0]).toEqual(whole.speechByChannel[0]);
  expect(left.facts).toMatchObject({ codec: "pcm_s16le", channels: 1, durationMs: 13_000 });

  const [down] = await audio.split(fixture("call.mono.opus"), [temporary("down.wav")]);
  expect(down).toMatchObject({ sampleRateHz: 16_000, durationMs: 13_000 });
});

test("muted windows are silent, everything else is as it was, and the length is the same", async () => {
  const source = fixture("call.mulaw.wav");
  await audio.mute(source, temporary("muted.wav"), [
    [600, 1_000],
    [12_900, 20_000],
  ]);
  const [before, after] = [await readFile(source), await readFile(temporary("muted.wav"))];
  expect(after).toHaveLength(before.length);
  const sample = (ms: number) => before.length - 208_000 + ms * 16;
  expect(after.subarray(sample(600), sample(1_000)).every((byte) => byte === 0xff)).toBe(true);
  expect(after.subarray(0, sample(600)).equals(before.subarray(0, sample(600)))).toBe(true);
  expect(after.subarray(sample(1_000), sample(12_900)).equals(before.subarray(sample(1_000), sample(12_900)))).toBe(
    true,
  );
});

test.skipIf(!hasFfmpeg)("muting an MP3 keeps its length within a frame", async () => {
  await audio.mute(fixture("call.mono.mp3"), temporary("muted.mp3"), [[500, 1_500]]);
  const { facts, peaks } = await audio.analyse(temporary("muted.mp3"));
  expect(facts.codec).toBe("mp3");
  expect(Math.abs(facts.durationMs - 13_000)).toBeLessThanOrEqual(72);
  expect([...peaks.slice((700 / peakMs) * 2, (1_300 / peakMs) * 2)].every((peak) => Math.abs(peak) <= 1)).toBe(true);
});

test.each([
  ["a web page", "<!DOCTYPE html><title>Sign in</title>"],
  ["a playlist (HLS)", "#EXTM3U\n#EXTINF:10,\nhttp://169.254.169.254/latest"],
  ["a list of other files (ffconcat)", "ffconcat version 1.0\nfile /etc/passwd\n"],
  ["XML or HTML", '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'],
  ["a playlist", "[playlist]\nFile1=file:///etc/passwd"],
  ["JSON", '{"error":"not found"}'],
])("%s is refused by its first bytes, whatever it is called", async (what, content) => {
  const file = temporary("disguised.wav");
  await writeFile(file, content);
  const refused = await audio.analyse(file).catch((error: unknown) => error);
  expect(refused).toEqual(new AudioRefused("recording_refused", `The file is no sound but ${what}`));
});

test.each([
  ["empty", Buffer.alloc(0), "recording_refused"],
  ["noise", Buffer.from("0123456789".repeat(100)), "recording_refused"],
  ["a header alone", Buffer.from("RIFF\0\0\0\0WAVE"), "recording_unreadable"],
  ["an MP3 tag alone", Buffer.from("ID3\x04\0\0\0\0\0\0"), "recording_unreadable"],
  ["300 channels", wavFile(1, 16, 300, 8_000, Buffer.alloc(6_000)), "recording_unreadable"],
])("%s: a reason, not a crash", async (_name, content, reason) => {
  const file = temporary("broken.bin");
  await writeFile(file, content);
  await expect(audio.analyse(file)).rejects.toMatchObject({ reason });
});

test("a WAV file that states more than it has is read to its end", async () => {
  const lying = wavFile(1, 16, 1, 8_000, Buffer.alloc(16_000));
  lying.writeUInt32LE(0x7fff_fff0, 40);
  await writeFile(temporary("lying.wav"), lying);
  expect((await audio.analyse(temporary("lying.wav"))).facts.durationMs).toBe(1_000);
});

test("more than four hours end the decoding, not the memory", async () => {
  // 4,000 samples a second, one byte each: the limit is reached after 57.6 MB that exist only as a hole in the file.
  const hours = audioLimits.durationMsMax / 3_600_000;
  const header = wavFile(7, 8, 1, 4_000, Buffer.alloc(0));
  header.writeUInt32LE(0xffff_ffff, 40);
  const file = temporary("long.wav");
  await writeFile(file, header);
  await truncate(file, 44 + 4_000 * (3_600 * hours + 2));
  await expect(audio.analyse(file)).rejects.toMatchObject({ reason: "recording_too_long" });
  await rm(file);
});

test.skipIf(!hasFfmpeg)("work that is stopped ends its child and leaves nothing behind", async () => {
  const stopping = new AbortController();
  const before = (await readdir(folder)).length;
  const working = audio.analyse(fixture("start.flac"), stopping.signal);
  stopping.abort();
  await expect(working).rejects.toThrow("Stopped by this server");
  expect(await readdir(folder)).toHaveLength(before);
});

test("the committed recordings stay small", async () => {
  const sizes = await Promise.all((await readdir(audioDir)).map(async (name) => (await stat(fixture(name))).size));
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(400_000);
});

/**
 * The same call with noise of this loudness on both channels, as 16-bit samples: white, pink (most of it low), or swelling
 * to three times its quietest and back every 3 s.
 */
function withNoise(mulaw: Buffer, colour: "none" | "white" | "pink" | "swelling", loudness: number): Buffer {
  const table = muLawTable();
  const random = createRandom(3);
  const data = mulaw.subarray(-208_000);
  const out = Buffer.alloc(data.length * 2);
  const noise = random(data.length);
  const low = [0, 0];
  data.forEach((byte, i) => {
    // Uniform, so its root mean square is its bound divided by the root of three.
    const white = ((noise[i] ?? 0) / 127.5 - 1) * Math.sqrt(3);
    const pink = 0.95 * (low[i % 2] ?? 0) + white * Math.sqrt(1 - 0.95 ** 2);
    low[i % 2] = pink;
    const swell = 1 + 0.5 * Math.sin((2 * Math.PI * i) / (2 * 8000 * 3));
    const added = loudness * (colour === "pink" ? pink : colour === "swelling" ? white * swell : white);
    out.writeInt16LE(Math.max(-32_768, Math.min(32_767, Math.round((table[byte] ?? 0) + added))), i * 2);
  });
  return wavFile(1, 16, 2, 8_000, out);
}

/** How much of what there is was found, and how much of what was found is there. */
function shares(found: readonly Interval[], known: readonly Interval[]): [recall: number, precision: number] {
  const both = lengthOf(common(found, known));
  return [both / lengthOf(known), both / lengthOf(found)];
}

function ratioOf(agent: readonly Interval[], customer: readonly Interval[]): number {
  return lengthOf(agent) / (lengthOf(agent) + lengthOf(customer));
}

function silenceOf(agent: readonly Interval[], customer: readonly Interval[]): number {
  return 1 - lengthOf(union([...agent, ...customer])) / truth.duration_ms;
}

function rounded(share: number): number {
  return Number(share.toFixed(3));
}

function lengthOf(intervals: readonly Interval[]): number {
  return intervals.reduce((sum, [start, end]) => sum + end - start, 0);
}

function common(one: readonly Interval[], other: readonly Interval[]): Interval[] {
  return one.flatMap(([a, b]) =>
    other.flatMap(([c, d]) => (Math.min(b, d) > Math.max(a, c) ? [[Math.max(a, c), Math.min(b, d)] as const] : [])),
  );
}

function union(intervals: readonly Interval[]): Interval[] {
  const spans: [number, number][] = [];
  for (const [start, end] of intervals.toSorted((a, b) => a[0] - b[0])) {
    const last = spans.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else spans.push([start, end]);
  }
  return spans;
}
