import { createReadStream, createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { finished } from "node:stream/promises";

import { stereoHeader } from "./mulaw.ts";
import type { Track } from "./recorder.ts";

/** A track in a file for a moment. Disposing removes it. */
export type TrackFile = Track &
  AsyncDisposable & {
    /** The whole as a WAV file; null when it could not be written. `frames`: samples of one channel. */
    wav(frames: number): Promise<AsyncIterable<Buffer> | null>;
  };

/** The sound goes to disk while the call goes on: memory does not grow with its length. */
export function createTrackFile(path: string): TrackFile {
  const file = createWriteStream(path, { flags: "wx", mode: 0o600 });
  const written = finished(file).then(
    () => true,
    // A full disk costs the recording and not the call.
    () => false,
  );
  return {
    append: (bytes) => void (file.errored || file.write(bytes)),
    async wav(frames) {
      file.end();
      return (await written) ? withHeader(path, frames) : null;
    },
    async [Symbol.asyncDispose]() {
      file.destroy();
      await written;
      await rm(path, { force: true });
    },
  };
}

async function* withHeader(path: string, frames: number): AsyncGenerator<Buffer> {
  yield stereoHeader(frames);
  for await (const chunk of createReadStream(path, { highWaterMark: 262_144 })) yield chunk as Buffer;
}
