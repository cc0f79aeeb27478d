import type { Turn } from "@aftercall/contract/call.ts";

import { jsonOrText, type FoundMoment } from "#/providers/moment.ts";

import { bridgeLimits } from "./limits.ts";
import type { ModelEvent } from "./model-events.ts";
import { createPlayback, type Placed } from "./playback.ts";
import { type BridgedTurn, createTurns } from "./turns.ts";
import { type BridgeUsage, createUsage } from "./usage.ts";

export type ConversationOptions = {
  /** Says something to the model. */
  readonly say: (event: object) => void;
  readonly play: (payload: string, mark: string) => void;
  /** Drops what Twilio has not played. */
  readonly clear: () => void;
  /** Sound of the agent was heard. */
  readonly onPlayed: (placed: readonly Placed[]) => void;
  /** A turn is over and all of it is known. */
  readonly onTurn: (turn: Turn) => void;
  /** Milliseconds of the call. */
  readonly nowMs: () => number;
  readonly toCallMs: (modelMs: number) => number;
};

/** What caller and model say to each other, and who breaks in on whom. */
export function createConversation(options: ConversationOptions) {
  const { say, nowMs } = options;
  const playback = createPlayback();
  const turns = createTurns();
  const usage = createUsage();
  const moments: FoundMoment[] = [];
  const told = new Set<number | null>();
  const unfinished = new Set<string>();
  let active: string | null = null;
  let owesAnswer = false;

  return {
    hear,
    /** A mark came back. */
    echoed(mark: string): void {
      options.onPlayed(playback.echoed(mark, nowMs()));
      if (playback.unplayedMs === 0) tellAgent();
    },
    pressed(digit: string): void {
      note({ kind: "dtmf", at_ms: nowMs(), args: { digits: digit } });
      const text = `(The caller pressed ${digit} on the telephone.)`;
      const content = [{ type: "input_text", text }];
      say({ type: "conversation.item.create", item: { type: "message", role: "user", content } });
    },
    /** The model is another one from now on. True: the one before was in the middle of an answer. */
    modelLost(): boolean {
      const wasAnswering = active !== null;
      active = null;
      owesAnswer = false;
      unfinished.clear();
      playback.forgetModel();
      return wasAnswering;
    },
    /** The stream is over: what was being played was heard up to now. */
    stop(): void {
      options.onPlayed(playback.stop(nowMs()));
      if (active !== null) say({ type: "response.cancel" });
    },
    /** No sound of the agent will be placed before this moment of the call. */
    settledMs(): number {
      presume();
      return playback.settledMs(nowMs());
    },
    get unplayedMs() {
      return playback.unplayedMs;
    },
    /** Whether words that were said are still to be understood, or an answer still to be counted. */
    get isWaiting() {
      return turns.isWaiting || unfinished.size > 0;
    },
    turns: (): BridgedTurn[] => turns.all(playback.heard()).slice(0, bridgeLimits.turnsMax),
    moments: (): readonly FoundMoment[] => moments,
    usage: (): BridgeUsage => usage.total(),
  };

  function hear(event: ModelEvent): void {
    switch (event.kind) {
      case "speech_started":
        turns.callerBegan(event.itemId, options.toCallMs(event.atMs));
        return interrupt();
      case "speech_stopped":
        return turns.callerStopped(event.itemId, options.toCallMs(event.atMs));
      case "caller_said": {
        usage.transcription(event.usage);
        const turn = turns.callerSaid(event.itemId, event.text, nowMs());
        return turn ? options.onTurn(turn) : undefined;
      }
      case "caller_not_understood":
        return void turns.callerSaid(event.itemId, null, nowMs());
      case "response_began":
        active = event.responseId;
        unfinished.add(active);
        return;
      case "sound": {
        const mark = playback.queue(event, Buffer.from(event.payload, "base64"), nowMs());
        return mark === null ? undefined : options.play(event.payload, mark);
      }
      case "sound_done":
        return playback.whole(event);
      case "words":
        return turns.agentWords(event.itemId, event.text, false);
      case "said":
        return turns.agentWords(event.itemId, event.text, true);
      case "tool":
        return refuseTool(event);
      case "response_done":
        usage.response(event.usage);
        unfinished.delete(event.responseId);
        if (active === event.responseId) active = null;
        if (playback.unplayedMs === 0) tellAgent();
        return goOn();
      default:
        // Its errors about what is over already (nothing to cut off, nothing to cancel) are no reason to end a call.
        return;
    }
  }

  /** The caller speaks: whatever is left of an answer is neither played nor remembered. */
  function interrupt(): void {
    presume();
    if (playback.unplayedMs === 0 && active === null) return;
    const { placed, truncated, unheard } = playback.interrupt(nowMs(), active);
    active = null;
    options.clear();
    options.onPlayed(placed);
    for (const { itemId, contentIndex, endMs } of truncated) {
      say({ type: "conversation.item.truncate", item_id: itemId, content_index: contentIndex, audio_end_ms: endMs });
    }
    for (const itemId of unheard) say({ type: "conversation.item.delete", item_id: itemId });
    tellAgent();
  }

  /** What must have been played although its mark did not come back. */
  function presume(): void {
    const placed = playback.presumed(nowMs());
    if (placed.length === 0) return;
    options.onPlayed(placed);
    if (playback.unplayedMs === 0) tellAgent();
  }

  /** No tools are offered, so a call of one is an invention: the model is told, and goes on. */
  function refuseTool({ callId, name, args }: Extract<ModelEvent, { kind: "tool" }>): void {
    const error = { error: "There is no such tool." };
    const at_ms = nowMs();
    note({ kind: "tool_call", ref: callId, name, at_ms, args: jsonOrText(args) });
    note({ kind: "tool_result", ref: callId, name, at_ms, result: error, is_error: true });
    const output = JSON.stringify(error);
    say({ type: "conversation.item.create", item: { type: "function_call_output", call_id: callId, output } });
    owesAnswer = true;
    goOn();
  }

  /** The model answers to a tool when it is asked to, and not before its last answer is done. */
  function goOn(): void {
    if (!owesAnswer || active !== null) return;
    owesAnswer = false;
    say({ type: "response.create" });
  }

  function note(moment: FoundMoment): void {
    if (moments.length < bridgeLimits.momentsMax) moments.push(moment);
  }

  function tellAgent(): void {
    for (const turn of turns.all(playback.heard().filter(({ isOver }) => isOver))) {
      if (turn.role !== "agent" || told.has(turn.start_ms)) continue;
      told.add(turn.start_ms);
      const { generated: _generated, ...said } = turn;
      options.onTurn(said);
    }
  }
}
