import type { Turn } from "@aftercall/contract/call.ts";

import type { Clock } from "#/kernel/clock.ts";
import type { SocketEvents, SocketWire } from "#/kernel/net/web-socket.ts";
import type { FoundMoment } from "#/providers/moment.ts";
import type { BridgeSetup } from "#/providers/twilio/bridge-setup.ts";

import { createConversation } from "./conversation.ts";
import { bridgeLimits } from "./limits.ts";
import { openModel } from "./model-link.ts";
import { sessionUpdate } from "./model-session.ts";
import { bytesPerMs } from "./mulaw.ts";
import { createRecorder, type Track } from "./recorder.ts";
import type { BridgedTurn } from "./turns.ts";
import { clearFrame, markFrame, mediaFrame, type TwilioFrame } from "./twilio-frames.ts";
import type { BridgeUsage } from "./usage.ts";

export type EndReason =
  | "caller_hung_up"
  | "stream_lost"
  | "model_lost"
  | "model_refused"
  | "slow_stream"
  | "too_long"
  | "stopping";

export type SessionOptions = {
  readonly clock: Clock;
  readonly setup: BridgeSetup;
  readonly streamSid: string;
  /** Opens a connection to the model. @throws HttpFailure */
  readonly connect: (events: SocketEvents) => SocketWire;
  readonly twilio: SocketWire;
  readonly track: Track;
  readonly onTurn: (turn: Turn) => void;
  /** Told exactly once, when both connections are closed or closing. */
  readonly onEnd: (ended: Ended) => void;
};

/** What a call came to. Times in milliseconds from its start. */
export type Ended = {
  readonly reason: EndReason;
  readonly detail: string | null;
  readonly durationMs: number;
  /** Samples of one channel of the track. */
  readonly frames: number;
  readonly turns: readonly BridgedTurn[];
  readonly moments: readonly FoundMoment[];
  readonly usage: BridgeUsage;
};

export type Session = {
  hear(frame: TwilioFrame): void;
  /** Ends the call from our side, or because the stream is gone. */
  end(reason: EndReason, detail?: string): void;
};

/** One call between Twilio and a model: two connections, and nothing that another call could see. */
export function startSession(options: SessionOptions): Session {
  const { clock, setup, streamSid, twilio } = options;
  const recorder = createRecorder(options.track);
  const over = new AbortController();
  let nowMs = 0;
  let isEnded = false;
  let wasAnswering = false;

  const model = openModel({
    clock,
    connect: options.connect,
    greet: () => sessionUpdate(setup, conversation.turns()),
    onReady(isSecond) {
      if (isSecond ? wasAnswering : setup.speaks_first) model.say({ type: "response.create" });
    },
    onEvent(event) {
      if (isEnded && event.kind === "sound") return;
      conversation.hear(event);
      if (isEnded && !conversation.isWaiting) over.abort();
    },
    onLost() {
      wasAnswering = conversation.modelLost();
    },
    onGone(reason, detail) {
      if (isEnded) over.abort();
      else end(reason, detail);
    },
  });
  const conversation = createConversation({
    say: (event) => model.say(event),
    play(payload, mark) {
      twilio.send(mediaFrame(streamSid, payload));
      twilio.send(markFrame(streamSid, mark));
      if (twilio.pendingBytes > bridgeLimits.twilioPendingBytesMax) end("slow_stream", "Twilio takes no more sound");
      else if (conversation.unplayedMs > bridgeLimits.unplayedMsMax) end("slow_stream", "Nothing is played any more");
    },
    clear: () => twilio.send(clearFrame(streamSid)),
    onPlayed: recorder.agent,
    onTurn: options.onTurn,
    nowMs: () => nowMs,
    toCallMs: (modelMs) => model.toCallMs(modelMs),
  });
  void clock.sleep(setup.minutes_max * 60_000, over.signal).then(() => end("too_long"));

  return { hear, end };

  function hear(frame: TwilioFrame): void {
    if (isEnded) return;
    switch (frame.kind) {
      case "media": {
        const bytes = Buffer.from(frame.payload, "base64");
        const endMs = recorder.caller(bytes, frame.atMs);
        model.append(frame.payload, bytes.length, endMs - bytes.length / bytesPerMs);
        nowMs = endMs;
        recorder.settle(conversation.settledMs());
        return;
      }
      case "mark":
        return conversation.echoed(frame.name);
      case "dtmf":
        return conversation.pressed(frame.digit);
      case "stop":
        return end("caller_hung_up");
      case "start":
        // Twilio says it once; another one is of no stream that we know.
        return;
    }
  }

  function end(reason: EndReason, detail: string | null = null): void {
    if (isEnded) return;
    isEnded = true;
    conversation.stop();
    const frames = recorder.end();
    twilio.close(1000, reason);
    void lastWords(reason).then(() => {
      over.abort();
      model.close();
      const { turns, moments, usage } = conversation;
      const said = { turns: turns(), moments: moments(), usage: usage() };
      options.onEnd({ reason, detail, durationMs: Math.round(nowMs), frames, ...said });
    });
  }

  /** What the caller said last, and what the last answer cost, is often known only after the call. */
  async function lastWords(reason: EndReason): Promise<void> {
    const canCome = reason !== "model_lost" && reason !== "model_refused" && reason !== "stopping";
    if (canCome && conversation.isWaiting) await clock.sleep(bridgeLimits.lastWordsMs, over.signal);
  }
}
