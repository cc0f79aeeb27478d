import { readJsonObject } from "../json.ts";
import { defineProvider } from "../provider.ts";
import { answer } from "./answer.ts";
import { eventOf } from "./events.ts";
import { readPayload } from "./payload.ts";
import { pull } from "./pull.ts";
import { recordingAsks } from "./recording-ask.ts";
import { sessionReport } from "./session-report.ts";
import { LivekitSetup } from "./setup.ts";
import { verify } from "./verify.ts";

export const livekit = defineProvider({
  name: "livekit",
  title: "LiveKit",
  callAlias: "room_sid",
  setup: LivekitSetup,
  secrets: [
    { slot: "secret", title: "Webhook secret (X-LiveKit-Signature)", env: ["LIVEKIT_WEBHOOK_SECRET"] },
    {
      slot: "api_secret",
      title: "API secret of the key that signs webhooks",
      env: ["LIVEKIT_API_SECRET"],
      keyIdEnv: "LIVEKIT_API_KEY",
    },
    {
      slot: "recordings",
      title: "Secret access key of the store that egress writes to; its key id is the access key id",
      env: [],
    },
  ],
  givenRoutes: [{ method: "POST", path: "/api/webhooks/call_completed" }],
  givenRoutesCreate: true,
  accepts: ["json"],
  bodyBytesMax: 1_000_000,
  verify,
  parse({ request, setup }) {
    const report = sessionReport(readJsonObject(request.body));
    return [report ?? eventOf(readPayload(request.body), setup)];
  },
  tells: ["tool_call", "tool_result", "handoff"],
  recordings: recordingAsks,
  pull,
  answer,
});
