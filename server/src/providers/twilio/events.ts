import { createHash } from "node:crypto";

import type { CallOutcome, CallStatus } from "@aftercall/contract/call.ts";

import type { JsonObject } from "../json.ts";
import { callEvent, MalformedBody } from "../provider.ts";
import type { Alias, CallEvent, Facts, Heard, ProviderRequest } from "../provider.ts";
import { durationOf, emailTimeOf, idIfAny, idOf, keyOf, phoneOf, textOf, timeOf, wordOf } from "../read.ts";
import { holdEvent } from "./hold.ts";
import type { Callback } from "./payload.ts";
import { recordingEvent, recordingIn } from "./recording.ts";
import type { TwilioSetup } from "./setup.ts";

/**
 * What one callback says. Which kind it is shows in its fields: a recording's has a RecordingStatus, a call's a CallStatus, the
 * result of answering machine detection only AnsweredBy, and a conference's a StatusCallbackEvent of its own.
 * @throws MalformedBody when nothing in it names a call or an account.
 */
export function eventOf(callback: Callback, request: ProviderRequest, setup: TwilioSetup): CallEvent {
  const { fields } = callback;
  // One odd event of a stream must not turn the others away.
  const callSid = callback.envelope ? idIfAny(fields["CallSid"]) : idOf(fields["CallSid"] || null, "CallSid");
  if (callSid === null) return unrelated(callback, request);
  if (wordOf(fields["RecordingStatus"])) return recordingEvent(fields, callSid, setup);
  if (wordOf(fields["CallStatus"])) return statusEvent(callback, callSid, setup);
  const answeredBy = wordOf(fields["AnsweredBy"]);
  if (answeredBy) return machineEvent(callSid, answeredBy);
  const hold = holdEvent(fields, callSid, timestampOf(fields) ?? callback.envelope?.time ?? null);
  if (hold) return hold;
  return { ...unrelated(callback, request), aliases: [{ kind: "call_sid", value: callSid }] };
}

const heardByStatus: ReadonlyMap<string, { status: CallStatus; outcome: CallOutcome | null }> = new Map([
  ["queued", { status: "queued", outcome: null }],
  ["initiated", { status: "queued", outcome: null }],
  ["ringing", { status: "ringing", outcome: null }],
  ["in-progress", { status: "in_progress", outcome: null }],
  ["completed", { status: "ended", outcome: "completed" }],
  ["busy", { status: "ended", outcome: "busy" }],
  ["no-answer", { status: "ended", outcome: "no_answer" }],
  ["failed", { status: "failed", outcome: "failed" }],
  ["canceled", { status: "canceled", outcome: "canceled" }],
]);

function statusEvent({ fields, envelope }: Callback, callSid: string, setup: TwilioSetup): CallEvent {
  const status = wordOf(fields["CallStatus"])?.slice(0, 50) ?? "";
  const at = timestampOf(fields) ?? envelope?.time ?? null;
  const heard = heardByStatus.get(status) ?? null;
  const parent = idIfAny(fields["ParentCallSid"]);
  const told = {
    key: keyOf(callSid, textOf(fields["SequenceNumber"]), status),
    type: `status.${status}`,
    occurredAt: at,
    isKnown: heard !== null,
    aliases: namesOf(callSid, parent),
  };
  // A leg that the call dialled is another name of that call; its status, numbers and times are the leg's own.
  if (parent !== null) return callEvent(told);
  const answeredBy = wordOf(fields["AnsweredBy"]);
  return callEvent({
    ...told,
    isProcessable: heard !== null,
    heard: heard && byWhoAnswered(heard, answeredBy),
    facts: {
      ...partyFacts(fields),
      ...timeFacts(heard, at, fields),
      ...present("answered_by", answeredBy),
      ...present("recording", recordingIn(fields, setup)),
      ...(setup.expects_recording && heard?.outcome === "completed" && { awaits_recording: true }),
    },
    // When the call was made; a completed one says better, by its length, when the talking began.
    guesses: {
      ...(heard?.status === "queued" && present("started_at", at)),
      ...present("customer_name", textOf(fields["CallerName"])),
    },
  });
}

function namesOf(callSid: string, parent: string | null): Alias[] {
  const child: Alias = { kind: "call_sid", value: callSid };
  return parent === null || parent === callSid ? [child] : [{ kind: "call_sid", value: parent }, child];
}

/** A machine that took a completed call is a voicemail; a fax is nobody. (https://www.twilio.com/docs/voice/answering-machine-detection) */
function byWhoAnswered(heard: Heard, answeredBy: string | null): Heard {
  if (heard.outcome !== "completed" || answeredBy === null) return heard;
  if (answeredBy.startsWith("machine_")) return { status: "ended", outcome: "voicemail" };
  return answeredBy === "fax" ? { status: "failed", outcome: "failed" } : heard;
}

function partyFacts(fields: JsonObject): Facts {
  const direction = wordOf(fields["Direction"]);
  return {
    ...(direction === "inbound" && { direction: "inbound" }),
    ...(direction?.startsWith("outbound") && { direction: "outbound" }),
    ...present("from_number", phoneOf(fields["From"]) ?? phoneOf(fields["Caller"])),
    ...present("to_number", phoneOf(fields["To"]) ?? phoneOf(fields["Called"])),
  };
}

/** CallDuration is seconds; Duration would be the minutes that are billed. */
function timeFacts(heard: Heard | null, at: number | null, fields: JsonObject): Facts {
  if (!heard) return {};
  if (heard.status === "in_progress") return present("answered_at", at);
  if (heard.outcome === null) return {};
  const durationMs = durationOf(fields["CallDuration"], "s");
  return {
    ...present("ended_at", at),
    ...present("duration_ms", durationMs),
    ...(at !== null && durationMs !== null && durationMs <= at && { started_at: at - durationMs }),
    ...present("ended_reason", wordOf(fields["CallStatus"])),
    ...(heard.outcome !== "completed" && present("failure_reason", failureIn(fields))),
  };
}

/** `SIP 404, error 32009: Your TwiML tried to Dial a user who is not registered`. */
function failureIn(fields: JsonObject): string | null {
  const sip = textOf(fields["SipResponseCode"]);
  const code = textOf(fields["ErrorCode"]);
  const message = textOf(fields["ErrorMessage"]);
  const parts = [sip && `SIP ${sip}`, code && code !== "0" && `error ${code}${message ? `: ${message}` : ""}`];
  return parts.filter(Boolean).join(", ") || null;
}

function machineEvent(callSid: string, answeredBy: string): CallEvent {
  return callEvent({
    key: keyOf(callSid, "amd", answeredBy),
    type: "amd",
    aliases: namesOf(callSid, null),
    facts: { answered_by: answeredBy },
  });
}

/** Callbacks of other products on the same URL are kept and change nothing. */
function unrelated({ fields, envelope }: Callback, request: ProviderRequest): CallEvent {
  if (!envelope && !textOf(fields["AccountSid"])) {
    throw new MalformedBody("Missing required field: CallSid", "CallSid");
  }
  const digest = createHash("sha256").update(request.body).digest("hex");
  return callEvent({
    key: keyOf("other", envelope?.id ?? digest),
    type: envelope?.type ?? "other",
    occurredAt: envelope?.time ?? timestampOf(fields),
    isProcessable: false,
    isKnown: false,
  });
}

/** Twilio's own Timestamp is an RFC 2822 date; Event Streams use ISO. */
function timestampOf(fields: JsonObject): number | null {
  return emailTimeOf(fields["Timestamp"]) ?? timeOf(fields["Timestamp"]);
}

function present<Name extends keyof Facts>(name: Name, value: Facts[Name] | null): Facts {
  return value === null || value === undefined ? {} : { [name]: value };
}
