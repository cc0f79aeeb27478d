import { messageOf } from "#/kernel/errors.ts";
import type { SocketWire } from "#/kernel/net/web-socket.ts";
import type { StoredAudio } from "#/providers/recording.ts";

import type { BridgedSource, BridgeDeps, Connect } from "./deps.ts";
import { keepAlive } from "./keep-alive.ts";
import { bridgeLimits } from "./limits.ts";
import { beganNote, endedNote, type Noted, recordedNote, saidNote } from "./notes.ts";
import { type Ended, type Session, startSession } from "./session.ts";
import { sessionIn } from "./token.ts";
import { readTwilioFrame, type StreamStart } from "./twilio-frames.ts";

export type StreamOptions = BridgedSource &
  Pick<BridgeDeps, "clock" | "key" | "log" | "note" | "newTrack" | "keep" | "discard"> & {
    readonly wire: SocketWire;
    /** How the model is reached. */
    readonly connect: () => Promise<Connect>;
  };

/** One media stream of Twilio. */
export type Stream = {
  hear(text: string): void;
  pong(): void;
  /** The connection is closed. */
  closed(): void;
  /** This server stops. */
  stop(): void;
  /** Resolves when the call is over and its end is stored, or was given up. */
  readonly done: Promise<void>;
};

/**
 * A stream from its first frame on: it shows its token, its beginning is stored, which makes the token worthless, and then the call
 * is carried until it ends. Sound that comes meanwhile waits.
 */
export function openStream(options: StreamOptions): Stream {
  const { clock, wire, log } = options;
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const over = new AbortController();
  const early: string[] = [];
  let session: Session | null = null;
  let leaving: "stream_lost" | "stopping" | null = null;
  let state: "new" | "beginning" | "open" | "over" = "new";
  const pong = keepAlive(wire, clock, over.signal);
  void clock.sleep(bridgeLimits.startMs, over.signal).then(() => {
    if (state === "new") refuse("no start came");
  });

  return {
    hear(text) {
      // Who speaks lives, whether or not it answers pings.
      pong();
      if (state === "over") return;
      if (state === "beginning") {
        if (early.length < earlyFramesMax) early.push(text);
        return;
      }
      const frame = readTwilioFrame(text);
      if (!frame) return;
      if (state === "open") return session?.hear(frame);
      if (frame.kind === "start") void begin(frame);
    },
    pong,
    closed: () => finish("stream_lost"),
    stop: () => finish("stopping"),
    done,
  };

  function finish(reason: "stream_lost" | "stopping"): void {
    leaving ??= reason;
    if (session) session.end(reason);
    // What has begun in the log has to end there.
    else if (state === "new") refuse(reason);
  }

  /** Before its beginning is stored there is nothing to tell of a call. */
  function refuse(why: string): void {
    if (state === "over") return;
    state = "over";
    over.abort();
    wire.close(1008, why);
    resolve();
  }

  async function begin(start: StreamStart): Promise<void> {
    const { source, setup } = options;
    state = "beginning";
    const call = { sourceId: source.id, callSid: start.callSid };
    const id = start.token === null ? null : sessionIn(options.key, start.token, call, clock.now());
    if (id === null) return refuse("the token is not good");
    if (!start.isTelephone) return refuse("the sound is not telephone sound");
    const noted: Noted = { start, session: id, setup };
    const beganAt = clock.now();
    try {
      if ((await options.note(source, beganNote(noted, beganAt))) === "repeat") return refuse("the token was used");
    } catch (error) {
      return refuse(messageOf(error).slice(0, 100));
    }
    const connect = await options.connect().catch((error: unknown) => () => {
      throw error;
    });
    carry(noted, beganAt, connect);
  }

  function carry(noted: Noted, beganAt: number, connect: Connect): void {
    const { source, setup } = options;
    const track = options.newTrack();
    let number = 0;
    session = startSession({
      ...{ clock, setup, connect, twilio: wire, track, streamSid: noted.start.streamSid },
      onTurn(turn) {
        // For those who listen live; the whole is told at the end.
        void options.note(source, saidNote(noted, clock.now(), ++number, turn)).catch(() => {});
      },
      onEnd(ended) {
        state = "over";
        over.abort();
        void store(ended).then(resolve);
      },
    });
    state = "open";
    for (const text of early.splice(0)) {
      const frame = readTwilioFrame(text);
      if (frame) session.hear(frame);
    }
    if (leaving) session.end(leaving);

    async function store(ended: Ended): Promise<void> {
      const at = clock.now();
      await using file = track;
      const audio = await keep(ended, file.wav);
      const { reason, detail, frames } = ended;
      log.info({ source: source.slug, reason, detail, frames }, "bridged call");
      const isKept = await storeNote(recordedNote(noted, at, frames, audio));
      if (!isKept && audio !== null && audio !== "lost") await options.discard(audio).catch(() => {});
      await storeNote(endedNote(noted, at, beganAt, ended));
    }

    async function keep({ frames }: Ended, wav: typeof track.wav): Promise<StoredAudio | "lost" | null> {
      try {
        const file = await wav(frames);
        if (frames === 0) return null;
        return file ? await options.keep(source.tenantId, file) : "lost";
      } catch (error) {
        log.error({ err: error }, "the recording of a bridged call is lost");
        return "lost";
      }
    }

    /** The database may be away for a while: nobody else knows what was said. */
    async function storeNote(note: object): Promise<boolean> {
      const startedAt = clock.monotonic();
      for (let pauseMs = 500; ; pauseMs = Math.min(pauseMs * 2, bridgeLimits.storePauseMsMax)) {
        try {
          // oxlint-disable-next-line no-await-in-loop -- Another try is for when this one fails.
          return (await options.note(source, note)) === "new";
        } catch (error) {
          const patienceMs = leaving === "stopping" ? bridgeLimits.storeStoppingMs : bridgeLimits.storeMs;
          if (clock.monotonic() - startedAt > patienceMs) {
            log.error({ err: error }, "the end of a bridged call could not be stored");
            return false;
          }
          // oxlint-disable-next-line no-await-in-loop -- As above.
          await clock.sleep(pauseMs);
        }
      }
    }
  }
}

/** Frames that come while the beginning is being stored: ten seconds of sound. */
const earlyFramesMax = 500;
