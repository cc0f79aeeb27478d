import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";

import { AudioRefused } from "./failure.ts";
import { audioLimits } from "./limits.ts";
import { extensionOf, type Container } from "./sniff.ts";

export type FfmpegRun = {
  readonly stdout: Readable;
  /** Resolves when it ended well. @throws AudioRefused otherwise, with its own words. */
  done(): Promise<void>;
  stop(): void;
};

/**
 * Runs ffmpeg on one local file whose format was decided here. It may open files and pipes and nothing else, guesses no format,
 * reads no environment, waits for other work, and is limited in time and memory; without these a file can make it fetch an
 * address. `-t` bounds what comes out, whatever the header says.
 * @throws AudioRefused recording_unreadable when it is not installed.
 */
export async function runFfmpeg(
  { input, container, args }: { input: string; container: Container; args: readonly string[] },
  signal?: AbortSignal,
): Promise<FfmpegRun> {
  const seconds = Math.ceil(audioLimits.durationMsMax / 1000) + 1;
  const child = start([
    ...["-nostdin", "-hide_banner", "-loglevel", "error", "-protocol_whitelist", "file,pipe"],
    ...["-f", demuxers[container], "-i", `file:${input}`, "-t", String(seconds), "-vn", "-sn", "-dn"],
    ...args,
  ]);
  const words = wordsOf(child);
  const stop = () => void child.kill("SIGKILL");
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted) stop();
  const ended = once(child, "close") as Promise<[code: number | null, signal: string | null]>;
  ended.catch(() => {});
  await once(child, "spawn").catch((error: unknown) => {
    throw new AudioRefused("recording_unreadable", missing(container), error);
  });
  return {
    stdout: child.stdout,
    stop,
    async done() {
      const [code, killed] = await ended;
      signal?.removeEventListener("abort", stop);
      signal?.throwIfAborted();
      if (code === 0) return;
      if (code === 127) throw new AudioRefused("recording_unreadable", missing(container));
      const why = words().trim().split("\n").at(-1) ?? "";
      throw new AudioRefused(
        "recording_unreadable",
        `ffmpeg could not decode it: ${why || (killed ?? `exit ${code}`)}`,
      );
    },
  };
}

const demuxers: Readonly<Record<Container, string>> = {
  wav: "wav",
  mp3: "mp3",
  ogg_opus: "ogg",
  ogg: "ogg",
  flac: "flac",
  mp4: "mov",
  aac: "aac",
  webm: "matroska",
  amr: "amr",
};

function missing(container: Container): string {
  return `Recordings of this kind (${extensionOf(container)}) are decoded by ffmpeg: install ffmpeg on this server`;
}

/** A shell sets the limits and becomes ffmpeg; arguments reach it as arguments, never as text of the script. */
function start(args: readonly string[]): ChildProcess & { stdout: Readable; stderr: Readable } {
  const { ffmpegCpuSeconds, ffmpegMemoryKb } = audioLimits;
  const options = { stdio: ["ignore", "pipe", "pipe"] as ["ignore", "pipe", "pipe"], env: { PATH: searchPath } };
  const script = `ulimit -t ${ffmpegCpuSeconds}; ulimit -v ${ffmpegMemoryKb}; exec nice -n 10 ffmpeg "$@"`;
  return spawn("/bin/sh", ["-c", script, "ffmpeg", ...args], options);
}

const searchPath = "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin";

function wordsOf(child: { stderr: Readable }): () => string {
  let words = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-audioLimits.ffmpegWordsMax);
  });
  return () => words;
}
