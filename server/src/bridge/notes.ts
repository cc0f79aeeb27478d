import type { Turn } from "@aftercall/contract/call.ts";

import type { StoredAudio } from "#/providers/recording.ts";
import type { BridgeSetup } from "#/providers/twilio/bridge-setup.ts";

import { bytesPerMs } from "./mulaw.ts";
import type { Ended } from "./session.ts";
import type { StreamStart } from "./twilio-frames.ts";

/** Which call notes are about: `session` is in the token of its stream, so that each counts once. */
export type Noted = { readonly start: StreamStart; readonly session: string; readonly setup: BridgeSetup };

/** What our own server notes of a call that it carries. The provider reads it (`server/src/providers/twilio/bridge.ts`). Times are epoch milliseconds. */
export function beganNote(noted: Noted, at: number): object {
  return { note: "began", ...about(noted), at };
}

export function saidNote(noted: Noted, at: number, number: number, turn: Turn): object {
  return { note: "said", ...about(noted), at, number, turn };
}

/** `audio`: where the recording lies; null where nobody made a sound. It is alone in its note, so that it can be forgotten alone. */
export function recordedNote(noted: Noted, at: number, frames: number, audio: StoredAudio | "lost" | null): object {
  return { note: "recorded", ...about(noted), at, sound_ms: Math.round(frames / bytesPerMs), data: { audio } };
}

export function endedNote(noted: Noted, at: number, beganAt: number, ended: Ended): object {
  const { setup } = noted;
  const { reason, detail, durationMs, turns, moments, usage } = ended;
  return {
    ...{ note: "ended", ...about(noted), at, began_at: beganAt },
    ...{ reason, detail, is_over: isOver(noted, ended), duration_ms: durationMs },
    ...{ language: setup.language || null, turns, moments },
    ...{ provider: makerOf(setup.url), model: setup.model, transcription_model: setup.transcription_model, usage },
  };
}

function about({ start, session, setup }: Noted) {
  const { callSid, accountSid, streamSid } = start;
  const agent = setup.agent_name === "" ? {} : { agent_name: setup.agent_name };
  return { call_sid: callSid, account_sid: accountSid, stream_sid: streamSid, session, ...agent };
}

/** Where TwiML follows and the caller has not hung up, the call goes on without us. */
function isOver({ setup }: Noted, { reason }: Ended): boolean {
  return reason === "caller_hung_up" || (setup.say_on_failure === "" && setup.redirect_on_failure === "");
}

/** `openai` for OpenAI's own host, else the host. */
function makerOf(url: string): string {
  const { hostname } = new URL(url);
  return hostname === "api.openai.com" ? "openai" : hostname;
}
