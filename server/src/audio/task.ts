import type { AudioRefusal } from "./failure.ts";
import type { Heard, Interval } from "./listen.ts";
import type { ChannelFile } from "./split.ts";

/** What a thread is asked to do, and what it answers. Paths are those of files made here. */
export type AudioTask =
  | { readonly kind: "listen"; readonly path: string }
  | { readonly kind: "split"; readonly path: string; readonly paths: readonly string[] }
  | { readonly kind: "mute"; readonly path: string; readonly output: string; readonly windows: readonly Interval[] };

export type AudioResult<Task extends AudioTask = AudioTask> = Task extends { kind: "listen" }
  ? Heard
  : Task extends { kind: "split" }
    ? readonly ChannelFile[]
    : null;

export type AudioReply =
  | { readonly kind: "done"; readonly result: AudioResult }
  | { readonly kind: "refused"; readonly reason: AudioRefusal; readonly message: string }
  | { readonly kind: "failed"; readonly message: string };

/** Said to a thread that is to end: its child processes end with it. */
export const stopWord = "stop";
