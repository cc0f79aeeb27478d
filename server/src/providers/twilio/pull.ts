import { readJsonObject } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { type CallEvent, MalformedBody, type ParseInput } from "../provider.ts";
import { below, type ListedPage, type Pull, pulledWeight, type PullInput, type PullRequest } from "../pull.ts";
import { aliasOf, emailTimeOf, keyOf, listOf, moneyOf, objectAt, objectOf, textOf, wordOf } from "../read.ts";
import { nameOf, secretOf } from "../recording.ts";
import { eventOf } from "./events.ts";
import { recordingEvent } from "./recording.ts";
import type { TwilioSetup } from "./setup.ts";

/** Twilio's API: calls and their recordings (https://www.twilio.com/docs/voice/api/call-resource). */
export const pull: Pull<TwilioSetup> = {
  slot: "auth_token",
  call(input) {
    const sid = nameOf(input.aliases, "call_sid");
    if (sid === null) return [];
    const path = `/Calls/${encodeURIComponent(sid)}`;
    return [ask(input, `${path}.json`), ask(input, `${path}/Recordings.json`)].flatMap((request) => request ?? []);
  },
  read({ request, setup }) {
    const body = readJsonObject(request.body);
    const recordings = body["recordings"];
    if (Array.isArray(recordings)) return recordings.flatMap((item) => recordingIn(objectAt(item), setup));
    return [callIn(body, { request, setup })];
  },
  // Their list takes a whole second, and calls it the start.
  list: (input) =>
    ask(input, `/Calls.json?PageSize=100&StartTime%3E=${new Date(input.sinceMs).toISOString().replace(/\.\d{3}/, "")}`),
  readList,
};

const over: ReadonlySet<string> = new Set(["completed", "busy", "no-answer", "failed", "canceled"]);

/** A call of the API says what its last callback said, in other letters. */
function callIn(call: JsonObject, { request, setup }: Pick<ParseInput<TwilioSetup>, "request" | "setup">): CallEvent {
  const sid = textOf(call["sid"]);
  const status = wordOf(call["status"]);
  if (!sid || !status) throw new MalformedBody("Missing required field: sid", "sid");
  const isOver = over.has(status);
  const fields = {
    CallSid: sid,
    AccountSid: call["account_sid"],
    ParentCallSid: call["parent_call_sid"],
    CallStatus: status,
    Direction: call["direction"],
    From: call["from"],
    To: call["to"],
    CallDuration: call["duration"],
    AnsweredBy: call["answered_by"],
    CallerName: call["caller_name"],
    Timestamp: isOver ? (call["end_time"] ?? call["date_updated"]) : call["start_time"],
  };
  const event = eventOf({ fields, envelope: null }, request, setup);
  const startedAt = emailTimeOf(call["start_time"]);
  const cost = moneyOf(textOf(call["price"])?.replace(/^-/, ""), textOf(call["price_unit"]) ?? "USD");
  const isOwn = event.heard !== null;
  return {
    ...event,
    key: keyOf("pulled", sid, status, isOver ? textOf(call["price"]) : null),
    type: `pulled.${status}`.slice(0, 200),
    facts: {
      ...event.facts,
      ...(isOwn && startedAt !== null && { started_at: startedAt }),
      ...(isOwn && cost !== null && { cost }),
    },
    weight: pulledWeight,
  };
}

function recordingIn(recording: JsonObject, setup: TwilioSetup): CallEvent[] {
  const callSid = textOf(recording["call_sid"]);
  if (callSid === null || aliasOf("call_sid", callSid).length === 0) return [];
  const uri = textOf(recording["uri"])?.replace(/\.json$/, "");
  const isOurs = uri?.startsWith("/2010-04-01/") && setup.api.base_url !== "";
  const fields = {
    CallSid: callSid,
    RecordingSid: recording["sid"],
    RecordingStatus: recording["status"],
    RecordingUrl: recording["media_url"] ?? (isOurs ? below(setup.api.base_url, uri ?? "") : null),
    RecordingDuration: recording["duration"],
    RecordingChannels: recording["channels"],
    RecordingStartTime: recording["start_time"],
  };
  const event = recordingEvent(fields, callSid, setup);
  return [{ ...event, key: keyOf("pulled", event.key), type: `pulled.${event.type}`, weight: pulledWeight }];
}

function readList(input: PullInput<TwilioSetup> & { url: string; body: Buffer }): ListedPage {
  const page = readJsonObject(input.body);
  return {
    calls: listOf(page["calls"]).flatMap((item) => {
      const call = objectAt(item);
      const aliases = aliasOf("call_sid", call["sid"]);
      // A leg that a call dialled is that call: its own end is not the call's.
      if (aliases.length === 0 || textOf(call["parent_call_sid"]) !== null) return [];
      const hasRecording = objectOf(call["subresource_uris"]) === null ? false : input.setup.expects_recording;
      const isOver = over.has(wordOf(call["status"]) ?? "");
      return [{ aliases, roomName: null, isOver, endedAt: emailTimeOf(call["end_time"]), hasRecording }];
    }),
    next: further(input, textOf(page["next_page_uri"])),
  };
}

/** The next page by its path; a path outside of the account is not followed. */
function further(input: PullInput<TwilioSetup>, uri: string | null): PullRequest | null {
  const account = accountOf(input)?.keyId;
  const start = account && `/2010-04-01/Accounts/${account}`;
  return uri !== null && start && uri.startsWith(`${start}/Calls.json?`) ? ask(input, uri.slice(start.length)) : null;
}

function ask(input: PullInput<TwilioSetup>, path: string): PullRequest | null {
  const token = accountOf(input);
  const { base_url: baseUrl } = input.setup.api;
  if (!token?.keyId || baseUrl === "") return null;
  const authorization = `Basic ${Buffer.from(`${token.keyId}:${token.value}`).toString("base64")}`;
  const url = below(baseUrl, `/2010-04-01/Accounts/${encodeURIComponent(token.keyId)}${path}`);
  return { method: "GET", url, headers: { accept: "application/json", authorization }, body: null };
}

function accountOf({ secrets }: PullInput<TwilioSetup>) {
  return secretOf(secrets, "auth_token");
}
