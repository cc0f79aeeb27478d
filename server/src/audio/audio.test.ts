import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, describe, expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";

import { trueSpeech } from "../../test/harness/audio/calls.ts";
import { byFfmpeg, hasFfmpeg, mono, mp3Of, stereo, wavFile } from "../../test/harness/audio/files.ts";
import { common, lengthOf, shares, talkRatio, union } from "../../test/harness/audio/intervals.ts";
import { knownCall, knownWav } from "../../test/harness/audio/known-call.ts";
import { audioDir } from "../../test/harness/audio/utterances.ts";
import { createRandom } from "../../test/harness/random.ts";
import { createAudio } from "./audio.ts";
import { AudioRefused } from "./failure.ts";
import { audioLimits } from "./limits.ts";
import type { Interval } from "./listen.ts";
import { peakMs } from "./listen.ts";

const audio = createAudio({ clock: systemClock });
const folder = await mkdtemp(path.join(tmpdir(), "audio-"));
const temporary = (name: string) => path.join(folder, name);
const whole = temporary("call.mulaw.wav");
await writeFile(whole, knownWav);

afterAll(() => rm(folder, { recursive: true }));

describe("speech by loudness, against the known times of a synthetic call", () => {
  // What is found of each side and how much of that is right, agent's share of talk (0.610), silence (0.246), overlap (280 ms).
  test.each([
    [
      "no noise",
      "none",
      0,
      { agent: "1.000 / 0.995", customer: "1.000 / 0.995", ratio: 0.611, silence: 0.243, overlap: 280 },
    ],
    [
      "line noise",
      "white",
      30,
      { agent: "1.000 / 0.995", customer: "1.000 / 0.995", ratio: 0.611, silence: 0.243, overlap: 280 },
    ],
    [
      "loud noise",
      "white",
      90,
      { agent: "0.976 / 0.998", customer: "0.944 / 1.000", ratio: 0.619, silence: 0.274, overlap: 280 },
    ],
    [
      "loud low noise",
      "pink",
      90,
      { agent: "0.989 / 0.997", customer: "0.959 / 1.000", ratio: 0.619, silence: 0.263, overlap: 280 },
    ],
    [
      "swelling noise",
      "swelling",
      90,
      { agent: "0.999 / 0.988", customer: "0.959 / 1.000", ratio: 0.623, silence: 0.254, overlap: 280 },
    ],
  ] as const)(
    "%s: nobody is missed, nobody is mistaken, the talk ratio is within 2 points",
    async (_name, colour, loudness, table) => {
      const file = temporary(`noise-${colour}-${loudness}.wav`);
      await writeFile(file, withNoise(stereo(knownCall), colour, loudness));
      const { speechByChannel, facts } = await audio.analyse(file);
      expect(facts).toMatchObject({ channels: 2, durationMs: knownCall.durationMs, sampleRateHz: 8_000 });
      const [customer = [], agent = []] = speechByChannel;
      const known = { agent: trueSpeech(knownCall, "agent"), customer: trueSpeech(knownCall, "customer") };
      const found = { agent: shares(agent, known.agent), customer: shares(customer, known.customer) };
      expect({
        agent: found.agent.map((share) => share.toFixed(3)).join(" / "),
        customer: found.customer.map((share) => share.toFixed(3)).join(" / "),
        ratio: rounded(talkRatio(agent, customer)),
        silence: rounded(silenceOf(agent, customer)),
        overlap: lengthOf(common(agent, customer)),
      }).toEqual(table);
      for (const [recall, precision] of Object.values(found)) {
        expect(recall).toBeGreaterThan(loudness === 0 ? 0.98 : 0.914);
        expect(precision).toBeGreaterThan(0.98);
      }
      expect(Math.abs(talkRatio(agent, customer) - talkRatio(known.agent, known.customer))).toBeLessThan(0.02);
      expect(Math.abs(silenceOf(agent, customer) - silenceOf(known.agent, known.customer))).toBeLessThan(0.05);
    },
  );
});

test("Opus is decoded without any program beside this one", async () => {
  const { facts, speechByChannel } = await audio.analyse(path.join(audioDir, "call.mono.opus"));
  expect(facts).toEqual({ codec: "opus", mime: "audio/ogg", sampleRateHz: 48_000, channels: 1, durationMs: 13_000 });
  const all = union(trueSpeech(knownCall));
  expect(lengthOf(common(speechByChannel[0] ?? [], all)) / lengthOf(all)).toBeGreaterThan(0.95);
});

test.skipIf(!hasFfmpeg).each([
  // AAC begins with what its encoder looked ahead.
  ["m4a", ["-c:a", "aac", "-b:a", "16k", "-f", "ipod", "-movflags", "frag_keyframe+empty_moov"], { codec: "aac" }],
  ["flac", ["-c:a", "flac", "-f", "flac"], { codec: "flac", mime: "audio/flac", durationMs: 13_000 }],
])("%s is decoded by ffmpeg", async (ending, args, facts) => {
  await writeFile(temporary(`call.${ending}`), byFfmpeg(knownWav, args));
  expect((await audio.analyse(temporary(`call.${ending}`))).facts).toMatchObject({ channels: 2, ...facts });
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
  const { peaks, facts } = await audio.analyse(whole);
  expect(peaks).toHaveLength((facts.durationMs / peakMs) * 2 * 2);
  // At 600 ms the agent, on the second channel, speaks alone.
  const at = (600 / peakMs) * 4;
  expect([...peaks.slice(at, at + 2)]).toEqual([0, 0]);
  expect((peaks[at + 3] ?? 0) - (peaks[at + 2] ?? 0)).toBeGreaterThan(10);
});

test("each channel becomes a mono file of the same length", async () => {
  const files = await audio.split(whole, [temporary("left.wav"), temporary("right.wav")]);
  expect(files).toMatchObject([
    { channel: 0, durationMs: 13_000, sampleRateHz: 8_000, bytes: 208_044 },
    { channel: 1, durationMs: 13_000 },
  ]);
  const both = await audio.analyse(whole);
  const left = await audio.analyse(temporary("left.wav"));
  expect(left.speechByChannel[0]).toEqual(both.speechByChannel[0]);
  expect(left.facts).toMatchObject({ codec: "pcm_s16le", channels: 1, durationMs: 13_000 });

  const [down] = await audio.split(path.join(audioDir, "call.mono.opus"), [temporary("down.wav")]);
  expect(down).toMatchObject({ sampleRateHz: 16_000, durationMs: 13_000 });
});

test("muted windows are silent, everything else is as it was, and the length is the same", async () => {
  await audio.mute(whole, temporary("muted.wav"), [
    [600, 1_000],
    [12_900, 20_000],
  ]);
  const [before, after] = [await readFile(whole), await readFile(temporary("muted.wav"))];
  expect(after).toHaveLength(before.length);
  const sample = (ms: number) => before.length - 208_000 + ms * 16;
  expect(after.subarray(sample(600), sample(1_000)).every((byte) => byte === 0xff)).toBe(true);
  expect(after.subarray(0, sample(600)).equals(before.subarray(0, sample(600)))).toBe(true);
  expect(after.subarray(sample(1_000), sample(12_900)).equals(before.subarray(sample(1_000), sample(12_900)))).toBe(
    true,
  );
});

test.skipIf(!hasFfmpeg)("muting an MP3 keeps its length within a frame", async () => {
  await writeFile(temporary("call.mp3"), await mp3Of(mono(knownCall)));
  await audio.mute(temporary("call.mp3"), temporary("muted.mp3"), [[500, 1_500]]);
  const before = await audio.analyse(temporary("call.mp3"));
  const { facts, peaks } = await audio.analyse(temporary("muted.mp3"));
  expect(facts.codec).toBe("mp3");
  expect(Math.abs(facts.durationMs - before.facts.durationMs)).toBeLessThanOrEqual(72);
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
  await writeFile(temporary("stopped.flac"), byFfmpeg(knownWav, ["-c:a", "flac", "-f", "flac"]));
  const stopping = new AbortController();
  const before = (await readdir(folder)).length;
  const working = audio.analyse(temporary("stopped.flac"), stopping.signal);
  stopping.abort();
  await expect(working).rejects.toThrow("Stopped by this server");
  expect(await readdir(folder)).toHaveLength(before);
});

test("the committed sounds stay small", async () => {
  const sizes = (await readdir(audioDir)).map(async (name) => (await stat(path.join(audioDir, name))).size);
  expect((await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)).toBeLessThan(200_000);
});

/**
 * The same call with noise of this loudness on both channels, as 16-bit samples: white, pink (most of it low), or swelling
 * to three times its quietest and back every 3 s.
 */
function withNoise(
  channels: readonly Int16Array[],
  colour: "none" | "white" | "pink" | "swelling",
  loudness: number,
): Buffer {
  const random = createRandom(3);
  const samples = (channels[0]?.length ?? 0) * 2;
  const out = Buffer.alloc(samples * 2);
  const noise = random(samples);
  const low = [0, 0];
  for (let i = 0; i < samples; i++) {
    // Uniform, so its root mean square is its bound divided by the root of three.
    const white = ((noise[i] ?? 0) / 127.5 - 1) * Math.sqrt(3);
    const pink = 0.95 * (low[i % 2] ?? 0) + white * Math.sqrt(1 - 0.95 ** 2);
    low[i % 2] = pink;
    const swell = 1 + 0.5 * Math.sin((2 * Math.PI * i) / (2 * 8000 * 3));
    const added = loudness * (colour === "pink" ? pink : colour === "swelling" ? white * swell : white);
    const sample = (channels[i % 2]?.[i >> 1] ?? 0) + added;
    out.writeInt16LE(Math.max(-32_768, Math.min(32_767, Math.round(sample))), i * 2);
  }
  return wavFile(1, 16, 2, 8_000, out);
}

function silenceOf(agent: readonly Interval[], customer: readonly Interval[]): number {
  return 1 - lengthOf(union([...agent, ...customer])) / knownCall.durationMs;
}

function rounded(share: number): number {
  return Number(share.toFixed(3));
}
