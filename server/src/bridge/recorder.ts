import { bytesPerMs, silence } from "./mulaw.ts";
import type { Placed } from "./playback.ts";

/** Where the sound of a call is kept until it is over. */
export type Track = { append(bytes: Buffer): void };

/**
 * Puts both sides of a call into one track of two channels, the caller on the left. Memory holds only what is not settled: sound
 * that was sent and may still be cut off.
 */
export function createRecorder(track: Track) {
  let caller: Placed[] = [];
  let agent: Placed[] = [];
  let writtenFrames = 0;
  let callerEndMs = 0;
  let agentEndMs = 0;

  return {
    /** Sound of the caller; without a time it follows what came before. Gives when it ends. */
    caller(bytes: Buffer, atMs: number | null): number {
      const gapMs = (atMs ?? callerEndMs) - callerEndMs;
      // Rounded times make no gaps, and no time makes hours of silence.
      if (gapMs > frameMs && gapMs < gapMsMax) callerEndMs += gapMs;
      caller.push({ atMs: callerEndMs, bytes });
      callerEndMs += bytes.length / bytesPerMs;
      return callerEndMs;
    },
    agent(placed: readonly Placed[]): void {
      agent.push(...placed);
      for (const { atMs, bytes } of placed) agentEndMs = Math.max(agentEndMs, atMs + bytes.length / bytesPerMs);
    },
    /** Nothing will be said any more that lies before this moment. */
    settle(untilMs: number): void {
      if (untilMs * bytesPerMs - writtenFrames >= framesAtOnce) write(Math.floor(untilMs * bytesPerMs));
    },
    /** Gives the length of the whole: samples of one channel. */
    end(): number {
      write(Math.ceil(Math.max(callerEndMs, agentEndMs) * bytesPerMs));
      return writtenFrames;
    },
  };

  function write(until: number): void {
    if (until <= writtenFrames) return;
    const bytes = Buffer.alloc((until - writtenFrames) * 2, silence);
    caller = mixed(bytes, 0, caller, until);
    agent = mixed(bytes, 1, agent, until);
    writtenFrames = until;
    track.append(bytes);
  }

  /** Gives what lies beyond. */
  function mixed(into: Buffer, channel: 0 | 1, sounds: readonly Placed[], until: number): Placed[] {
    return sounds.flatMap(({ atMs, bytes }) => {
      const from = Math.round(atMs * bytesPerMs);
      for (let i = Math.max(0, writtenFrames - from); i < bytes.length && from + i < until; i++) {
        into[(from + i - writtenFrames) * 2 + channel] = bytes[i] ?? silence;
      }
      const rest = bytes.subarray(Math.max(0, until - from));
      return rest.length === 0 ? [] : [{ atMs: Math.max(atMs, until / bytesPerMs), bytes: rest }];
    });
  }
}

const frameMs = 20;
/** More than a minute is lost by nobody who goes on. */
const gapMsMax = 60_000;
const framesAtOnce = 8_000;
