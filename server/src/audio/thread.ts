import { parentPort, workerData } from "node:worker_threads";

import { messageOf } from "#/kernel/errors.ts";

import { AudioRefused } from "./failure.ts";
import { listen } from "./listen.ts";
import { muteWindows } from "./mute.ts";
import { splitChannels } from "./split.ts";
import type { AudioReply, AudioResult, AudioTask } from "./task.ts";
import { stopWord } from "./task.ts";

// A worker thread that does one task and ends: decoding keeps a processor busy, and the event loop must stay free. Whatever a
// decoder held in WebAssembly memory, which never shrinks, goes with the thread.

const stopping = new AbortController();
parentPort?.on("message", (word) => {
  if (word === stopWord) stopping.abort();
});
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- A thread, not a window.
parentPort?.postMessage(await run(workerData as AudioTask, stopping.signal));
parentPort?.close();

async function run(task: AudioTask, signal: AbortSignal): Promise<AudioReply> {
  try {
    return { kind: "done", result: await perform(task, signal) };
  } catch (error) {
    if (error instanceof AudioRefused) return { kind: "refused", reason: error.reason, message: error.message };
    return { kind: "failed", message: messageOf(error) };
  }
}

async function perform(task: AudioTask, signal: AbortSignal): Promise<AudioResult> {
  switch (task.kind) {
    case "listen":
      return listen(task.path, signal);
    case "split":
      return splitChannels(task.path, task.paths, signal);
    case "mute":
      await muteWindows(task.path, task.output, task.windows, signal);
      return null;
  }
}
