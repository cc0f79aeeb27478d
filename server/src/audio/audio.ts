import { Worker } from "node:worker_threads";

import type { Clock } from "#/kernel/clock.ts";

import { AudioRefused } from "./failure.ts";
import { audioLimits } from "./limits.ts";
import type { Heard, Interval } from "./listen.ts";
import type { ChannelFile } from "./split.ts";
import { type AudioReply, type AudioResult, type AudioTask, stopWord } from "./task.ts";

/** Work with sound in local files, each in a thread of its own, so that the event loop stays free. */
export type Audio = {
  /** Decodes once: facts, when somebody speaks on which channel, peaks. @throws AudioRefused */
  analyse(path: string, signal?: AbortSignal): Promise<Heard>;
  /** Each channel as a mono WAV file of at most 16 kHz, for speech-to-text. @throws AudioRefused */
  split(path: string, paths: readonly string[], signal?: AbortSignal): Promise<readonly ChannelFile[]>;
  /** A copy with silence in the windows, of the same length. @throws AudioRefused */
  mute(path: string, output: string, windows: readonly Interval[], signal?: AbortSignal): Promise<void>;
};

export type AudioOptions = {
  readonly clock: Clock;
  /** Threads at once in one process; the others wait. */
  readonly threadsMax?: number;
};

export function createAudio({ clock, threadsMax = 2 }: AudioOptions): Audio {
  let running = 0;
  const waiting: (() => void)[] = [];

  return {
    analyse: (path, signal) => perform({ kind: "listen", path }, signal),
    split: (path, paths, signal) => perform({ kind: "split", path, paths }, signal),
    async mute(path, output, windows, signal) {
      await perform({ kind: "mute", path, output, windows }, signal);
    },
  };

  async function perform<Task extends AudioTask>(task: Task, signal?: AbortSignal): Promise<AudioResult<Task>> {
    if (running >= threadsMax) await new Promise<void>((resolve) => waiting.push(resolve));
    running++;
    try {
      signal?.throwIfAborted();
      return (await inThread(task, clock, signal)) as AudioResult<Task>;
    } finally {
      running--;
      waiting.shift()?.();
    }
  }
}

/** Heap of a thread; blocks are small, and what grows with the length is 4 bytes per 20 ms and channel. */
const threadHeapMb = 128;
/** Blocks live for a moment: a small nursery has them collected before many pile up. */
const threadYoungMb = 8;
/** How long a thread that was told to stop may take to end its child. */
const stopMs = 1_000;

function inThread(task: AudioTask, clock: Clock, signal?: AbortSignal): Promise<AudioResult> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("thread.ts", import.meta.url), {
      workerData: task,
      resourceLimits: { maxOldGenerationSizeMb: threadHeapMb, maxYoungGenerationSizeMb: threadYoungMb },
    });
    const done = new AbortController();
    let stopped: Error | null = null;
    const stop = (why: Error) => {
      stopped ??= why;
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- A thread, not a window.
      worker.postMessage(stopWord);
      void clock.sleep(stopMs, done.signal).then(() => worker.terminate());
    };
    const onAbort = () => stop(new Error("Stopped by this server"));
    signal?.addEventListener("abort", onAbort, { once: true });
    void clock.sleep(audioLimits.decodeMsMax, done.signal).then(() => {
      if (!done.signal.aborted) stop(new AudioRefused("recording_too_long", "The recording takes too long to decode"));
    });
    const settle = (finish: () => void) => {
      done.abort();
      signal?.removeEventListener("abort", onAbort);
      finish();
    };
    worker.once("message", (reply: AudioReply) => {
      settle(() => {
        if (stopped) reject(stopped);
        else if (reply.kind === "done") resolve(reply.result);
        else if (reply.kind === "refused") reject(new AudioRefused(reply.reason, reply.message));
        else reject(new Error(reply.message));
      });
    });
    worker.once("error", (error: Error) => settle(() => reject(stopped ?? error)));
    worker.once("exit", () => settle(() => reject(stopped ?? new Error("A thread ended without an answer"))));
  });
}
