import { defineProvider } from "../provider.ts";
import { answer } from "./answer.ts";
import { eventIn } from "./payload.ts";
import { recordingAsks } from "./recording-ask.ts";
import { WonderfulSetup } from "./setup.ts";
import { verify } from "./verify.ts";

export const wonderful = defineProvider({
  name: "wonderful",
  title: "Wonderful",
  callAlias: "communication_id",
  setup: WonderfulSetup,
  secrets: [
    { slot: "secret", title: "Webhook secret", env: ["WONDERFUL_WEBHOOK_SECRET"] },
    { slot: "api_key", title: "API key for fetching transcripts", env: ["WONDERFUL_API_KEY"] },
  ],
  givenRoutes: [{ method: "POST", path: "/api/webhooks/wonderful/call-complete" }],
  givenRoutesCreate: true,
  accepts: ["json"],
  bodyBytesMax: 1_000_000,
  verify,
  parse: ({ request, setup }) => [eventIn(request.body, setup)],
  recordings: recordingAsks,
  answer,
});
