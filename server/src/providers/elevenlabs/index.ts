import { defineProvider } from "../provider.ts";
import { answer } from "./answer.ts";
import { parse } from "./events.ts";
import { pull } from "./pull.ts";
import { recordingAsks } from "./recording-ask.ts";
import { ElevenLabsSetup } from "./setup.ts";
import { beginVerification, verify } from "./verify.ts";

/** Post-call webhooks of ElevenLabs Agents (https://elevenlabs.io/docs/agents-platform/workflows/post-call-webhooks). */
export const elevenlabs = defineProvider({
  name: "elevenlabs",
  title: "ElevenLabs",
  callAlias: "conversation_id",
  setup: ElevenLabsSetup,
  secrets: [
    { slot: "secret", title: "Webhook secret (wsec_…)", env: ["ELEVENLABS_WEBHOOK_SECRET"] },
    { slot: "api_key", title: "API key, for fetching recordings and conversations whose webhooks were lost", env: [] },
  ],
  givenRoutes: [{ method: "POST", path: "/webhooks/elevenlabs/post-call" }],
  givenRoutesCreate: false,
  accepts: ["json"],
  bodyBytesMax: 10_000_000,
  verify,
  parse,
  tells: ["tool_call", "tool_result", "transfer", "handoff", "dtmf"],
  recordings: recordingAsks,
  pull,
  // Four hours at 128 kbit/s, as base64.
  large: { bytesMax: 320_000_000, type: "post_call_audio", member: "full_audio", begin: beginVerification },
  answer,
});
