import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { createAudio } from "../../server/src/audio/audio.ts";
import { systemClock } from "../../server/src/kernel/clock.ts";

// Hears recordings of two hours: how long that takes the processor, how much memory above idle, and how late the event loop runs
// meanwhile. The recordings are the committed ones, over and over.

const hours = 2;
const fixtures = path.join(import.meta.dirname, "../../server/test/fixtures/audio");
const folder = mkdtempSync(path.join(tmpdir(), "bench-recordings-"));
const audio = createAudio({ clock: systemClock });

try {
  console.log(
    "recording                 length  channels  size MB  wall ms  CPU ms  CPU ms per h and channel  MB above idle  loop late ms",
  );
  for (const make of [longWav, longMp3]) {
    // oxlint-disable-next-line no-await-in-loop -- One after the other: they would share the processor.
    await measure(await make());
  }
} finally {
  rmSync(folder, { recursive: true });
}

async function measure(file: string): Promise<void> {
  const idle = process.memoryUsage().rss;
  let [highest, latest, seen] = [idle, 0, performance.now()];
  const watching = setInterval(() => {
    const now = performance.now();
    latest = Math.max(latest, now - seen - 10);
    seen = now;
    highest = Math.max(highest, process.memoryUsage().rss);
  }, 10);
  const [before, startedAt] = [process.cpuUsage(), performance.now()];
  const { facts } = await audio.analyse(file);
  const wall = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(before);
  clearInterval(watching);
  const cpu = (user + system) / 1000;
  const length = facts.durationMs / 3_600_000;
  const cells = [
    path.basename(file).padEnd(24),
    `${length.toFixed(2)} h`.padStart(8),
    String(facts.channels).padStart(9),
    ((await stat(file)).size / 1e6).toFixed(0).padStart(8),
    wall.toFixed(0).padStart(8),
    cpu.toFixed(0).padStart(7),
    (cpu / length / facts.channels).toFixed(0).padStart(25),
    ((highest - idle) / 1e6).toFixed(0).padStart(14),
    latest.toFixed(0).padStart(13),
  ];
  console.log(cells.join(" "));
}

/** µ-law, two channels, as telephone systems record. */
async function longWav(): Promise<string> {
  const whole = readFileSync(path.join(fixtures, "call.mulaw.wav"));
  const start = whole.indexOf("data", 0, "latin1") + 8;
  const [head, samples] = [Buffer.from(whole.subarray(0, start)), whole.subarray(start)];
  const times = Math.ceil((hours * 3_600 * 16_000) / samples.length);
  head.writeUInt32LE(times * samples.length, start - 4);
  return repeated("stereo-mulaw-8khz.wav", head, samples, times);
}

async function longMp3(): Promise<string> {
  const whole = readFileSync(path.join(fixtures, "call.mono.mp3"));
  return repeated("mono-8khz-16kbit.mp3", Buffer.alloc(0), whole, Math.ceil((hours * 3_600) / 13));
}

async function repeated(name: string, head: Buffer, part: Buffer, times: number): Promise<string> {
  const file = path.join(folder, name);
  await using handle = await open(file, "w");
  await handle.write(head);
  // oxlint-disable-next-line no-await-in-loop -- A file is written in its order.
  for (let i = 0; i < times; i++) await handle.write(part);
  return file;
}
