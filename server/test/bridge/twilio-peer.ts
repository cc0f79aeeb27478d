import { once } from "node:events";

import { WebSocket } from "ws";

import { createSaid, type Said } from "./said.ts";

/** A frame that we sent to Twilio, and at which millisecond of the stream it came. */
export type ToTwilio = {
  readonly event: string;
  readonly media?: { readonly payload: string };
  readonly mark?: { readonly name: string };
};

export type TwilioPeer = {
  readonly said: Said<ToTwilio>;
  /** What it was sent and has not played, in milliseconds. */
  readonly queuedMs: number;
  /** All that the caller heard. */
  heard(): Buffer;
  /** Sends `connected` and `start`. */
  start(changes?: Record<string, unknown>): void;
  /** Time goes by: the caller says `sound` (one byte for the whole of it), and what is queued is played. */
  play(ms: number, sound?: number): void;
  /** Marks do not come back any more. */
  loseMarks(): void;
  send(frame: object | string): void;
  /** How the stream was closed by us. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  /** Resolves when we pinged. */
  readonly pinged: Promise<void>;
  /** Breaks the connection. */
  cut(): void;
};

export const streamSid = "MZ00000000000000000000000000000001";

/**
 * Twilio's end of a media stream, as its documentation describes it: frames of 20 ms in, a queue of sound and marks out that is played
 * as time goes by. Time is the test's.
 */
export async function openTwilio(
  url: string,
  options: { callSid: string; token: string; headers?: Record<string, string>; answersPings?: boolean },
): Promise<TwilioPeer> {
  const socket = new WebSocket(url, {
    headers: options.headers ?? {},
    autoPong: options.answersPings ?? true,
    perMessageDeflate: false,
  });
  const pinged = new Promise<void>((resolve) => socket.once("ping", () => resolve()));
  const said = createSaid<ToTwilio>();
  const heard: Buffer[] = [];
  let queue: (Buffer | string)[] = [];
  let atMs = 0;
  let isDeaf = false;
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once("close", (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  socket.on("message", (data) => {
    const frame = JSON.parse(String(data)) as ToTwilio;
    if (frame.media) queue.push(Buffer.from(frame.media.payload, "base64"));
    if (frame.mark) queue.push(frame.mark.name);
    if (frame.event === "clear") {
      const dropped = queue;
      queue = [];
      for (const item of dropped) if (typeof item === "string") mark(item);
    }
    said.add(frame);
  });
  socket.on("error", () => {});
  await once(socket, "open");

  return {
    said,
    closed,
    pinged,
    get queuedMs() {
      return queue.reduce((sum, item) => sum + (typeof item === "string" ? 0 : item.length / 8), 0);
    },
    heard: () => Buffer.concat(heard),
    start(changes = {}) {
      send({ event: "connected", protocol: "Call", version: "1.0.0" });
      send({
        event: "start",
        sequenceNumber: "1",
        streamSid,
        start: {
          accountSid: "AC00000000000000000000000000000000",
          callSid: options.callSid,
          streamSid,
          tracks: ["inbound"],
          customParameters: { token: options.token },
          mediaFormat: { encoding: "audio/x-mulaw", sampleRate: 8000, channels: 1 },
          ...changes,
        },
      });
    },
    play(ms, sound = 0xff) {
      for (let played = 0; played < ms; played += 20) {
        playOut(160);
        while (typeof queue[0] === "string") mark(queue.shift() as string);
        const payload = Buffer.alloc(160, sound).toString("base64");
        const media = { track: "inbound", chunk: String(atMs / 20 + 1), timestamp: String(atMs), payload };
        atMs += 20;
        // Marks go before it: who hears this sound has heard of all that was played until then.
        send({ event: "media", sequenceNumber: "2", streamSid, media });
      }
    },
    loseMarks() {
      isDeaf = true;
    },
    send,
    cut: () => socket.terminate(),
  };

  function playOut(bytes: number): void {
    for (let left = bytes; left > 0 && queue.length > 0;) {
      const next = queue[0];
      if (typeof next === "string") {
        mark(next);
        queue.shift();
      } else if (next) {
        heard.push(next.subarray(0, left));
        if (next.length > left) queue[0] = next.subarray(left);
        else queue.shift();
        left -= Math.min(left, next.length);
      }
    }
  }

  function mark(name: string): void {
    if (!isDeaf) send({ event: "mark", sequenceNumber: "3", streamSid, mark: { name } });
  }

  function send(frame: object | string): void {
    socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }
}
