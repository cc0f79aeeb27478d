import { defineProvider } from "../provider.ts";
import { answer } from "./answer.ts";
import { bridge } from "./bridge.ts";
import { eventOf } from "./events.ts";
import { readCallbacks } from "./payload.ts";
import { pull } from "./pull.ts";
import { recordingAsks } from "./recording-ask.ts";
import { TwilioSetup } from "./setup.ts";
import { verify } from "./verify.ts";

export const twilio = defineProvider({
  name: "twilio",
  title: "Twilio",
  callAlias: "call_sid",
  setup: TwilioSetup,
  secrets: [
    {
      slot: "auth_token",
      title: "Auth token of the account (primary or secondary)",
      env: ["TWILIO_AUTH_TOKEN"],
      keyIdEnv: "TWILIO_ACCOUNT_SID",
    },
    { slot: "realtime_key", title: "API key of the speech model that answers the phone (setting bridge)", env: [] },
  ],
  givenRoutes: [
    { method: "POST", path: "/webhook/call_status" },
    { method: "POST", path: "/webhook/recording_status" },
  ],
  givenRoutesCreate: true,
  accepts: ["form", "json"],
  bodyBytesMax: 1_000_000,
  verify,
  parse: ({ request, setup }) => readCallbacks(request).map((callback) => eventOf(callback, request, setup)),
  bridge,
  recordings: recordingAsks,
  pull,
  answer,
});
