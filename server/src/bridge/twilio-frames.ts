import { numberOf, objectAt, objectOf, textOf } from "#/providers/read.ts";

/** What Twilio says on a media stream (https://www.twilio.com/docs/voice/media-streams/websocket-messages). Its numbers are texts. */
export type TwilioFrame =
  | ({ readonly kind: "start" } & StreamStart)
  /** `atMs`: from the start of the stream to the beginning of this sound. */
  | { readonly kind: "media"; readonly payload: string; readonly atMs: number | null }
  | { readonly kind: "mark"; readonly name: string }
  | { readonly kind: "dtmf"; readonly digit: string }
  | { readonly kind: "stop" };

export type StreamStart = {
  readonly streamSid: string;
  readonly callSid: string;
  readonly accountSid: string | null;
  readonly token: string | null;
  /** False: other sound than 8 kHz µ-law of one channel. */
  readonly isTelephone: boolean;
};

/** Null for what is no frame, and for frames that say nothing to us. */
export function readTwilioFrame(text: string): TwilioFrame | null {
  const frame = parsed(text);
  switch (frame?.["event"]) {
    case "start":
      return startIn(frame);
    case "media": {
      const { payload, timestamp, track } = objectAt(frame["media"]);
      if (typeof payload !== "string" || payload === "" || (track !== undefined && track !== "inbound")) return null;
      return { kind: "media", payload, atMs: numberOf(timestamp) };
    }
    case "mark": {
      const name = textOf(objectAt(frame["mark"])["name"]);
      return name === null ? null : { kind: "mark", name };
    }
    case "dtmf": {
      const digit = textOf(objectAt(frame["dtmf"])["digit"]);
      return digit === null ? null : { kind: "dtmf", digit: digit.slice(0, 1) };
    }
    case "stop":
      return { kind: "stop" };
    default:
      return null;
  }
}

function startIn(frame: Readonly<Record<string, unknown>>): TwilioFrame | null {
  const start = objectAt(frame["start"]);
  const streamSid = textOf(start["streamSid"]) ?? textOf(frame["streamSid"]);
  const callSid = textOf(start["callSid"]);
  if (streamSid === null || callSid === null) return null;
  const { encoding, sampleRate, channels } = objectAt(start["mediaFormat"]);
  return {
    kind: "start",
    streamSid,
    callSid,
    accountSid: textOf(start["accountSid"]),
    token: textOf(objectAt(start["customParameters"])["token"]),
    isTelephone: encoding === "audio/x-mulaw" && numberOf(sampleRate) === 8_000 && (numberOf(channels) ?? 1) === 1,
  };
}

function parsed(text: string) {
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Sound for the caller: Twilio plays what it is sent in its order. */
export function mediaFrame(streamSid: string, payload: string): string {
  return JSON.stringify({ event: "media", streamSid, media: { payload } });
}

/** Comes back when everything sent before it was played. */
export function markFrame(streamSid: string, name: string): string {
  return JSON.stringify({ event: "mark", streamSid, mark: { name } });
}

/** Drops what was not played; the marks in it come back at once. */
export function clearFrame(streamSid: string): string {
  return JSON.stringify({ event: "clear", streamSid });
}
