import { listOf, numberOf, objectAt, textOf } from "../read.ts";
import { fileAt, nameOf, type RecordingAsk, type RecordingInput, secretOf } from "../recording.ts";
import { bridgedAudioIn } from "./bridge.ts";
import type { TwilioSetup } from "./setup.ts";

/**
 * Where a Twilio recording is fetched: its media, with the account's credentials, which go to Twilio's own hosts and nowhere
 * else. Without a callback the account is asked for the recordings of the call (https://www.twilio.com/docs/voice/api/recording).
 */
export function recordingAsks({ info, body, aliases, secrets, setup }: RecordingInput<TwilioSetup>): RecordingAsk[] {
  const stored = body && bridgedAudioIn(body);
  if (stored) return [{ kind: "stored", stored, channelMap: ["customer", "agent"] }];
  const token = secretOf(secrets, "auth_token");
  if (info?.url) {
    const basic = credentialsFor(info.url, token?.keyId ?? null, token?.value ?? null);
    const mono = fileAt(info.url, { credentials: basic });
    return info.channels === 2 ? [stereo(info.url, basic), mono] : [mono];
  }
  const call = nameOf(aliases, "call_sid");
  if (!call || !token?.keyId || info) return [];
  const account = encodeURIComponent(token.keyId);
  const url = `https://api.twilio.com/2010-04-01/Accounts/${account}/Calls/${encodeURIComponent(call)}/Recordings.json`;
  return [
    {
      kind: "lookup",
      url,
      credentials: credentialsFor(url, token.keyId, token.value),
      read: (answer) => recordingsIn(answer, setup, token.keyId, token.value),
    },
  ];
}

/** The newest finished recording of the list; the list names it without host or extension. */
function recordingsIn(answer: unknown, setup: TwilioSetup, account: string | null, token: string): RecordingAsk[] {
  const finished = listOf(objectAt(answer)["recordings"])
    .map(objectAt)
    .find((recording) => recording["status"] === "completed");
  const path = textOf(finished?.["uri"])?.replace(/\.json$/, "");
  if (!finished || !path?.startsWith("/2010-04-01/")) return [];
  const url = `https://api.twilio.com${path}.${setup.recording_format}`;
  const credentials = credentialsFor(url, account, token);
  const mono = fileAt(url, { credentials });
  return numberOf(finished["channels"]) === 2 ? [stereo(url, credentials), mono] : [mono];
}

/**
 * Both channels, also where the recording was asked for as mono. The leg that is recorded, the other party, is on the left
 * (https://www.twilio.com/docs/flex/developer/insights/enable-dual-channel-recordings).
 */
function stereo(url: string, credentials: Record<string, string>): RecordingAsk {
  const both = `${url}${url.includes("?") ? "&" : "?"}RequestedChannels=2`;
  return fileAt(both, { credentials, channelMap: ["customer", "agent"] });
}

const ownHosts = /^api(?:\.[a-z0-9-]+){0,2}\.twilio\.com$/;

/** Basic authentication with account and token. An account that is not set is read from the URL, where Twilio always names it. */
function credentialsFor(text: string, account: string | null, token: string | null): Record<string, string> {
  const url = URL.parse(text);
  if (token === null || url?.protocol !== "https:" || url.port !== "" || !ownHosts.test(url.hostname)) return {};
  const user = account ?? /\/Accounts\/(AC[0-9a-f]{32})\//i.exec(url.pathname)?.[1];
  if (user === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${user}:${token}`).toString("base64")}` };
}
