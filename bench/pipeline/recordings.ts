import { createReadStream, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { mono, mp3Of } from "../../server/test/harness/audio/files.ts";
import { knownCall, knownWav } from "../../server/test/harness/audio/known-call.ts";
import { startRemote } from "../machine/remote.ts";
import { type Bench, cpuOf, perOne, withServer } from "./bench.ts";
import type { Hearer } from "./hearer.ts";

export type Heard = {
  readonly name: string;
  readonly hours: number;
  readonly channels: number;
  readonly megabytes: number;
  /** Milliseconds for each hour of one channel: decoding, speech detection and peaks together. */
  readonly cpuMsPerHour: number;
  readonly megabytesAboveIdle: number;
  readonly lateMs: number | null;
};

/** Hears long recordings: each alone in a process, and one by a whole server that fetches, seals and keeps it. */
export async function measureRecordings(bench: Bench, hours: number): Promise<Heard[]> {
  const folder = mkdtempSync(join(tmpdir(), "bench-recordings-"));
  try {
    const [wav, mp3] = [await longWav(folder, hours), await longMp3(folder, hours)];
    return [await heard(wav, "µ-law WAV, stereo"), await heard(mp3, "MP3, mono"), await heardByServer(bench, wav)];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function heard(file: string, name: string): Promise<Heard> {
  const hearer = startRemote<Hearer>(join(import.meta.dirname, "hearer.ts"));
  const told = await hearer.call("hear", { file });
  await hearer.stop();
  const hours = told.durationMs / 3_600_000;
  return {
    name,
    hours,
    channels: told.channels,
    megabytes: (await stat(file)).size / 1e6,
    cpuMsPerHour: told.cpuMs / hours / told.channels,
    megabytesAboveIdle: told.bytesAboveIdle / 1e6,
    lateMs: told.lateMs,
  };
}

/** From the webhook that names the recording to its numbers; idle is a server that has heard a short one before. */
async function heardByServer(bench: Bench, file: string): Promise<Heard> {
  const host = createServer((request, response) => {
    response.writeHead(200, { "content-type": "audio/wav" });
    if (request.url === "/short.wav") response.end(knownWav);
    else createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => void host.listen(0, "127.0.0.1", resolve));
  const { port } = host.address() as AddressInfo;
  try {
    return await withServer(bench, "on", async (server) => {
      const secret = "bench-recordings-0123456789";
      const secrets = [{ slot: "secret", value: secret }];
      await server.ask("POST", "/v1/sources", { slug: "recordings", provider: "generic", secrets });
      const hear = async (name: string) => {
        const answer = await fetch(`${server.url}/webhooks/recordings`, {
          method: "POST",
          headers: { "content-type": "application/json", "x-webhook-secret": secret },
          body: JSON.stringify({
            id: name,
            status: "completed",
            recording_url: `http://127.0.0.1:${port}/${name}.wav`,
          }),
        });
        const { call_id: callId } = (await answer.json()) as { call_id: string };
        let highest = 0;
        for (;;) {
          // oxlint-disable no-await-in-loop -- It is watched.
          type Steps = { steps: { step: string; state: string; detail: string | null }[] };
          const { steps } = await server.ask<Steps>("GET", `/v1/calls/${callId}/steps`);
          const step = steps.find((one) => one.step === "measure_audio");
          highest = Math.max(highest, residentBytes(server.pid));
          if (step?.state === "succeeded" || step?.state === "partial") return highest;
          if (step?.state === "failed" || step?.state === "skipped") throw new Error(`${name}: ${step.detail}`);
          await sleep(20);
          // oxlint-enable no-await-in-loop
        }
      };
      await hear("short");
      const [idle, before] = [residentBytes(server.pid), cpuOf(bench, server)];
      const highest = await hear("long");
      const { server: cpuMs } = perOne(before, cpuOf(bench, server), 1);
      const megabytes = (await stat(file)).size / 1e6;
      const hours = (megabytes * 1e6) / 16_000 / 3_600;
      return {
        name: "the same WAV, by the server: fetched, sealed, kept, heard",
        hours,
        channels: 2,
        megabytes,
        cpuMsPerHour: (cpuMs ?? Number.NaN) / hours / 2,
        megabytesAboveIdle: (highest - idle) / 1e6,
        lateMs: null,
      };
    });
  } finally {
    host.close();
  }
}

/** Linux only, as all that is read of other processes here. */
function residentBytes(pid: number): number {
  const pages = readFileSync(`/proc/${pid}/statm`, "latin1").split(" ")[1];
  return Number(pages) * 4096;
}

/** The call of the tests, over and over. µ-law, two channels: as telephone systems record. */
async function longWav(folder: string, hours: number): Promise<string> {
  const start = knownWav.indexOf("data", 0, "latin1") + 8;
  const [head, samples] = [Buffer.from(knownWav.subarray(0, start)), knownWav.subarray(start)];
  const times = Math.ceil((hours * 3_600 * 16_000) / samples.length);
  head.writeUInt32LE(times * samples.length, start - 4);
  return repeated(join(folder, "long.wav"), head, samples, times);
}

async function longMp3(folder: string, hours: number): Promise<string> {
  const whole = await mp3Of(mono(knownCall));
  return repeated(join(folder, "long.mp3"), Buffer.alloc(0), whole, Math.ceil((hours * 3_600) / 13));
}

async function repeated(file: string, head: Buffer, part: Buffer, times: number): Promise<string> {
  await using handle = await open(file, "w");
  await handle.write(head);
  // oxlint-disable-next-line no-await-in-loop -- A file is written in its order.
  for (let i = 0; i < times; i++) await handle.write(part);
  return file;
}
