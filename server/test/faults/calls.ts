import type { Sent } from "../harness/app.ts";
import { signElevenlabs, signVapi } from "../harness/sign.ts";

/** What one webhook of the run is called in the oracle's files: type and number of its call. */
export type EventName = string;

/** One webhook, ready to be sent as often as needed: every try has the same meaning. */
export type Webhook = { readonly name: EventName; readonly path: string; readonly sign: () => Sent };

export const faultSecrets = { elevenlabs: "wsec_of-the-fault-run-0123456789", vapi: "vapi-secret-of-the-fault-run" };
export const faultSources = { elevenlabs: "faults-elevenlabs", vapi: "faults-vapi" };

/** Webhooks that say that a call is over and reported; each call sends at least one of them. */
const finalTypes = ["post_call_transcription", "end-of-call-report"];

/**
 * What providers say about call `number`. Every third call is reported by two providers at once, which know it by the same
 * carrier's id: the server must see one call in them.
 */
export function webhooksOf(number: number): Webhook[] {
  const transcription = webhook("post_call_transcription", number, "elevenlabs", {
    type: "post_call_transcription",
    event_timestamp: 1_795_000_000 + number,
    data: {
      agent_id: "agent_faults",
      conversation_id: `conv_${markOf(number)}`,
      status: "done",
      transcript: [{ role: "agent", message: "שלום, במה אפשר לעזור?", time_in_call_secs: 0 }],
      metadata: {
        start_time_unix_secs: 1_795_000_000 + number - 60,
        call_duration_secs: 55,
        phone_call: { type: "twilio", direction: "inbound", call_sid: carrierIdOf(number) },
      },
    },
  });
  if (number % 3 !== 0) return [transcription];
  const call = { id: vapiIdOf(number), phoneCallProviderId: carrierIdOf(number), type: "inboundPhoneCall" };
  return [
    webhook("status-update", number, "vapi", {
      message: { type: "status-update", status: "in-progress", timestamp: 1_795_000_000_000 + number, call },
    }),
    webhook("end-of-call-report", number, "vapi", {
      message: {
        type: "end-of-call-report",
        timestamp: 1_795_000_060_000 + number,
        endedReason: "customer-ended-call",
        startedAt: "2026-11-18T10:00:00.000Z",
        endedAt: "2026-11-18T10:00:55.000Z",
        transcript: "AI: Hello.\nUser: Hi.",
        call,
      },
    }),
    transcription,
  ];
}

export function nameOf(type: string, number: number): EventName {
  return `${type} ${number}`;
}

/** Whether this webhook alone is enough for `call.completed`. */
export function isFinal(name: EventName): boolean {
  return finalTypes.some((type) => name.startsWith(`${type} `));
}

export function numberOf(name: EventName): number {
  return Number(name.split(" ")[1]);
}

/** The number of the call that a text speaks of, found by the mark that all ids of the run carry; null without one. */
export function numberIn(text: string): number | null {
  const found = /fa17(\d{8})/.exec(text)?.[1];
  return found === undefined ? null : Number(found);
}

function markOf(number: number): string {
  return `fa17${String(number).padStart(8, "0")}`;
}

function carrierIdOf(number: number): string {
  return `CA${markOf(number).padStart(32, "0")}`;
}

function vapiIdOf(number: number): string {
  return `00000000-0000-4000-8000-${markOf(number)}`;
}

function webhook(type: string, number: number, provider: "elevenlabs" | "vapi", payload: unknown): Webhook {
  const body = JSON.stringify(payload);
  return {
    name: nameOf(type, number),
    path: `/webhooks/${faultSources[provider]}`,
    sign: () =>
      provider === "vapi" ? signVapi(faultSecrets.vapi, body) : signElevenlabs(faultSecrets.elevenlabs, body),
  };
}
