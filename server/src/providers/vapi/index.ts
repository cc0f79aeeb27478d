import { defineProvider } from "../provider.ts";
import { answer } from "./answer.ts";
import { parse } from "./events.ts";
import { pull } from "./pull.ts";
import { recordingAsks } from "./recording-ask.ts";
import { VapiSetup } from "./setup.ts";
import { verify } from "./verify.ts";

/** Vapi server messages (https://docs.vapi.ai/server-url/events), in their own envelope and in the flat one. */
export const vapi = defineProvider({
  name: "vapi",
  title: "Vapi",
  callAlias: "vapi_call",
  setup: VapiSetup,
  secrets: [
    { slot: "secret", title: "Server secret", env: ["VAPI_WEBHOOK_SECRET", "WEBHOOK_SHARED_SECRET"] },
    {
      slot: "api_key",
      title: "Private API key, for calls whose webhooks were lost and recordings whose signed URL has expired",
      env: [],
    },
  ],
  givenRoutes: [{ method: "POST", path: "/api/webhooks/vapi" }],
  givenRoutesCreate: false,
  accepts: ["json"],
  bodyBytesMax: 10_000_000,
  verify,
  parse,
  tells: ["tool_call", "tool_result", "transfer"],
  recordings: recordingAsks,
  pull,
  answer,
});
