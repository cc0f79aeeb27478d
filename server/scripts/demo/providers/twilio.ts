import { createHmac, randomBytes } from "node:crypto";

import type { Player, Stage } from "../play.ts";

/**
 * An inbound call, told in four status callbacks and one of its recording: forms, not JSON. Proof: `X-Twilio-Signature`, a
 * HMAC over the URL as it was entered in the console and all fields.
 */
export const twilio: Player = {
  provider: "twilio",
  language: "Hebrew",
  async play(stage) {
    const callSid = `CA${randomBytes(16).toString("hex")}`;
    const accountSid = `AC${"0".repeat(32)}`;
    const call = {
      CallSid: callSid,
      AccountSid: accountSid,
      ApiVersion: "2010-04-01",
      Direction: "inbound",
      From: "+972529876543",
      Caller: "+972529876543",
      CallerName: "יוסי כהן",
      To: "+97233764400",
      Called: "+97233764400",
      ToCountry: "IL",
      CallbackSource: "call-progress-events",
    };
    const status = (number: number, word: string, secondsAgo: number, more: Readonly<Record<string, string>> = {}) =>
      callback(stage, `status ${word}`, "/webhook/call_status", {
        ...call,
        CallStatus: word,
        SequenceNumber: String(number),
        Timestamp: rfc2822(stage.now - secondsAgo * 1000),
        ...more,
      });
    return {
      providerCallId: callSid,
      completedBy: "status completed",
      webhooks: [
        status(0, "queued", 43),
        status(1, "ringing", 41),
        status(2, "in-progress", 37),
        // Duration is billed minutes, CallDuration seconds.
        status(3, "completed", 6, { Duration: "1", CallDuration: "31", SipResponseCode: "200" }),
        callback(stage, "recording completed", "/webhook/recording_status", {
          CallSid: callSid,
          AccountSid: accountSid,
          RecordingSid: `RE${randomBytes(16).toString("hex")}`,
          RecordingStatus: "completed",
          RecordingUrl: `https://api.twilio.example/2010-04-01/Accounts/${accountSid}/Recordings/RE0`,
          RecordingDuration: "30",
          RecordingChannels: "2",
          RecordingStartTime: rfc2822(stage.now - 37_000),
        }),
      ],
    };
  },
};

function callback({ publicUrl, secret }: Stage, what: string, path: string, fields: Readonly<Record<string, string>>) {
  const sorted = Object.keys(fields).toSorted();
  const signature = createHmac("sha1", secret("TWILIO_AUTH_TOKEN"))
    .update(publicUrl + path + sorted.map((name) => name + (fields[name] ?? "")).join(""))
    .digest("base64");
  return {
    what,
    path,
    headers: {
      "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
      "x-twilio-signature": signature,
    },
    body: new URLSearchParams(fields).toString(),
  };
}

/** `Wed, 10 Dec 2025 14:23:45 +0000`. */
function rfc2822(ms: number): string {
  return new Date(ms).toUTCString().replace("GMT", "+0000");
}
