import { createAudio } from "../../server/src/audio/audio.ts";
import { systemClock } from "../../server/src/kernel/clock.ts";
import { serve } from "../machine/remote.ts";

/** Hears one recording in a process of its own, as the server does: decoding, speech detection, peaks. */
export type Hearer = {
  hear(input: { file: string }): Promise<{
    readonly durationMs: number;
    readonly channels: number;
    readonly wallMs: number;
    readonly cpuMs: number;
    readonly bytesAboveIdle: number;
    /** How late the event loop ran at worst. */
    readonly lateMs: number;
  }>;
};

const handlers: Hearer = {
  async hear({ file }) {
    const audio = createAudio({ clock: systemClock });
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
    const { user, system } = process.cpuUsage(before);
    clearInterval(watching);
    return {
      durationMs: facts.durationMs,
      channels: facts.channels,
      wallMs: performance.now() - startedAt,
      cpuMs: (user + system) / 1000,
      bytesAboveIdle: highest - idle,
      lateMs: latest,
    };
  },
};
serve(handlers);
