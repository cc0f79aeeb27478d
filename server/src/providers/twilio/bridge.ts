import type { RecordingInfo, Turn } from "@aftercall/contract/call.ts";
import { MomentKind } from "@aftercall/contract/moment.ts";

import { chargedLines } from "../costs.ts";
import type { JsonObject } from "../json.ts";
import { readJsonObject } from "../json.ts";
import { momentsOf } from "../moment.ts";
import { callEvent, MalformedBody, type CallEvent, type ParseInput } from "../provider.ts";
import { idIfAny, keyOf, listOf, numberOf, objectAt, requiredId, textOf, timeOf, wordOf } from "../read.ts";
import { storedAudioIn } from "../recording.ts";
import { transcriptOf } from "../transcript.ts";
import type { TwilioSetup } from "./setup.ts";

/**
 * What our own bridge notes of a call that it carries: that it began, what is being said, its recording, and what it came to. It says
 * less surely than Twilio how and when the call began and ended, and alone what was said.
 */
export const bridge = { recorded: "bridge.recorded", read: readNote };

/** @throws MalformedBody */
function readNote({ request }: ParseInput<TwilioSetup>): CallEvent[] {
  const note = readJsonObject(request.body);
  const callSid = requiredId(note["call_sid"], "call_sid");
  const told = { aliases: [{ kind: "call_sid", value: callSid } as const], occurredAt: timeOf(note["at"]), weight: 4 };
  const key = (...rest: string[]) => keyOf(callSid, "bridge", requiredId(note["session"], "session"), ...rest);
  switch (note["note"]) {
    case "began":
      return [
        callEvent({
          ...told,
          ...{ key: key("began"), type: "bridge.began" },
          heard: { status: "in_progress", outcome: null },
          facts: { awaits_recording: true },
          guesses: { answered_at: timeOf(note["at"]), ...agentIn(note) },
          // A call whose end nobody notes has ended nevertheless: this is waited for no longer than for any report.
          awaitsReport: true,
        }),
      ];
    case "said": {
      const [turn] = turnsIn([note["turn"]]);
      if (!turn) throw new MalformedBody("Missing required field: turn", "turn");
      const { role, text, start_ms } = turn;
      const number = textOf(note["number"]) ?? "";
      return [
        callEvent({
          ...told,
          ...{ key: key("said", number), type: "bridge.said" },
          turn: { role, text, start_ms, is_final: true },
        }),
      ];
    }
    case "recorded":
      return [
        callEvent({
          ...told,
          ...{ key: key("recorded"), type: bridge.recorded },
          facts: { recording: recordingIn(note) },
        }),
      ];
    case "ended":
      return [{ ...endOf(note), ...told, key: key("ended") }];
    default:
      throw new MalformedBody("Unknown note", "note");
  }
}

function endOf(note: JsonObject): CallEvent {
  return callEvent({
    ...{ key: "", type: "bridge.ended" },
    // With TwiML of its own for a lost model, the call may go on without us: then Twilio alone knows when it ends.
    heard: note["is_over"] === true ? { status: "ended", outcome: "completed" } : null,
    facts: { cost_lines: costLinesIn(note) },
    guesses: {
      ...agentIn(note),
      answered_at: timeOf(note["began_at"]),
      ...(note["is_over"] === true && {
        ended_at: timeOf(note["at"]),
        duration_ms: numberOf(note["duration_ms"]),
        ended_reason: wordOf(note["reason"]),
      }),
    },
    transcript: transcriptOf({ turns: turnsIn(listOf(note["turns"])), language: textOf(note["language"]) }),
    moments: momentsOf(
      listOf(note["moments"]).flatMap((item) => {
        const { kind, ref, name, at_ms, args, result, is_error } = objectAt(item);
        const known = MomentKind.safeParse(kind);
        if (!known.success) return [];
        const given = { ref: idIfAny(ref), name: textOf(name), at_ms: numberOf(at_ms), args, result };
        return [{ kind: known.data, ...given, ...(is_error === true && { is_error }) }];
      }),
    ),
    isReport: true,
  });
}

/** Our own recording, or why there is none. Where it lies says {@link bridgedAudioIn}. */
function recordingIn(note: JsonObject): RecordingInfo {
  const { audio } = objectAt(note["data"]);
  if (storedAudioIn(audio))
    return { status: "available", url: null, duration_ms: numberOf(note["sound_ms"]), channels: 2 };
  return { status: audio === "lost" ? "failed" : "absent", url: null, duration_ms: null, channels: null };
}

/** Where the recording lies in our own store; null in all that Twilio itself sends. */
export function bridgedAudioIn(body: Buffer) {
  try {
    return storedAudioIn(objectAt(readJsonObject(body)["data"])["audio"]);
  } catch {
    return null;
  }
}

function turnsIn(items: readonly unknown[]): Turn[] {
  return items.map(objectAt).flatMap(({ role, text, start_ms, end_ms, interrupted }) => {
    const said = textOf(text);
    if (said === null || (role !== "agent" && role !== "customer")) return [];
    const times = { start_ms: numberOf(start_ms), end_ms: numberOf(end_ms) };
    return [{ role, text: said, ...times, ...(interrupted === true && { interrupted }) }];
  });
}

function costLinesIn(note: JsonObject) {
  const { provider, model, transcription_model } = note;
  const usage = objectAt(note["usage"]);
  const maker = textOf(provider) ?? "openai";
  const cached = numberOf(usage["cached_input_tokens"]) ?? 0;
  return chargedLines([
    {
      ...{ component: "llm", provider: maker, model: textOf(model) },
      consumed: [
        // What came from the cache is part of what was read, and cheaper.
        ["input_token", Math.max(0, (numberOf(usage["input_tokens"]) ?? 0) - cached)],
        ["cached_input_token", cached],
        ["output_token", usage["output_tokens"]],
      ],
    },
    {
      ...{ component: "stt", provider: maker, model: textOf(transcription_model) },
      consumed: [
        ["ms", usage["transcription_ms"]],
        ["input_token", usage["transcription_input_tokens"]],
        ["output_token", usage["transcription_output_tokens"]],
      ],
    },
  ]);
}

function agentIn(note: JsonObject) {
  const name = textOf(note["agent_name"]);
  return name === null ? {} : { agent_name: name };
}
