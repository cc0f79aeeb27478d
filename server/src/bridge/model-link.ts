import type { Clock } from "#/kernel/clock.ts";
import { messageOf } from "#/kernel/errors.ts";
import type { SocketClosed, SocketEvents, SocketWire } from "#/kernel/net/web-socket.ts";

import { keepAlive } from "./keep-alive.ts";
import { bridgeLimits } from "./limits.ts";
import { type ModelEvent, readModelEvent } from "./model-events.ts";
import { bytesPerMs } from "./mulaw.ts";

export type ModelLinkOptions = {
  readonly clock: Clock;
  /** Opens a connection to the model. @throws HttpFailure */
  readonly connect: (events: SocketEvents) => SocketWire;
  /** What a new connection is told first. */
  readonly greet: () => object;
  /** The model takes sound from now on; `isSecond`: after the first was lost. */
  readonly onReady: (isSecond: boolean) => void;
  readonly onEvent: (event: ModelEvent) => void;
  /** The connection was lost and another one is being opened. */
  readonly onLost: () => void;
  /** There is no model any more; told once. */
  readonly onGone: (reason: "model_lost" | "model_refused", detail: string) => void;
};

type Sound = { readonly payload: string; readonly atMs: number; readonly ms: number };

/**
 * The way to the model: sound waits until it takes some, and one lost connection is replaced. The model counts time by the sound
 * that it was given, so where that lies in the call is kept beside it.
 */
export function openModel(options: ModelLinkOptions) {
  const { clock } = options;
  let wire: SocketWire | null = null;
  let connection = new AbortController();
  let isReady = false;
  let isClosed = false;
  let hasReconnected = false;
  let waiting: Sound[] = [];
  /** Where in the call the sound of this connection began, less what it never got. */
  let soundStartMs: number | null = null;
  let givenMs = 0;
  connect();

  return {
    /** Sound of the caller, as it came. `bytes`: its length once decoded. */
    append(payload: string, bytes: number, atMs: number): void {
      if (isClosed) return;
      waiting.push({ payload, atMs, ms: bytes / bytesPerMs });
      if (isReady) return flush();
      let waitingMs = waiting.reduce((sum, { ms }) => sum + ms, 0);
      while (waitingMs > bridgeLimits.waitingSoundMs) waitingMs -= waiting.shift()?.ms ?? 0;
    },
    say,
    /** A moment of the model's clock as one of the call. */
    toCallMs: (modelMs: number) => (soundStartMs ?? 0) + modelMs,
    close(): void {
      if (isClosed) return;
      isClosed = true;
      connection.abort();
      wire?.close(1000, "the call is over");
    },
  };

  function say(event: object): void {
    if (isReady) wire?.send(JSON.stringify(event));
  }

  function flush(): void {
    for (const { payload, atMs, ms } of waiting) {
      // Without this the queue to a model that takes nothing would grow for as long as the call lasts.
      if ((wire?.pendingBytes ?? 0) > bridgeLimits.modelPendingBytesMax) continue;
      soundStartMs = atMs - givenMs;
      givenMs += ms;
      say({ type: "input_audio_buffer.append", audio: payload });
    }
    waiting = [];
  }

  function connect(): void {
    const mine = (connection = new AbortController());
    let isMineReady = false;
    let pong = () => {};
    soundStartMs = null;
    givenMs = 0;
    try {
      const opening = options.connect({
        opened() {
          if (!mine.signal.aborted) pong = keepAlive(opening, clock, mine.signal);
        },
        heard(text) {
          pong();
          const event = mine.signal.aborted ? null : readModelEvent(text);
          if (event) hear(event, opening);
        },
        pong: () => pong(),
        closed(why) {
          if (mine.signal.aborted) return;
          mine.abort();
          lost(why);
        },
      });
      wire = opening;
      void clock.sleep(bridgeLimits.modelReadyMs, mine.signal).then(() => {
        if (!isMineReady && !mine.signal.aborted) opening.terminate();
      });
    } catch (error) {
      // Whoever opened this link does not hold it yet.
      void Promise.resolve().then(() => gone("model_refused", messageOf(error)));
    }

    function hear(event: ModelEvent, from: SocketWire): void {
      if (event.kind === "created") return from.send(JSON.stringify(options.greet()));
      if (event.kind === "error" && !isMineReady) return gone("model_refused", event.message);
      if (event.kind !== "ready") return options.onEvent(event);
      if (isMineReady) return;
      isMineReady = isReady = true;
      options.onReady(hasReconnected);
      flush();
    }
  }

  function lost({ code, reason, status }: SocketClosed): void {
    isReady = false;
    wire = null;
    const detail = reason || `closed with ${code}`;
    if (status !== null) return gone("model_refused", detail);
    if (hasReconnected) return gone("model_lost", detail);
    hasReconnected = true;
    options.onLost();
    connect();
  }

  function gone(reason: "model_lost" | "model_refused", detail: string): void {
    if (isClosed) return;
    isClosed = true;
    isReady = false;
    connection.abort();
    wire?.close(1000, "not needed");
    options.onGone(reason, detail);
  }
}
