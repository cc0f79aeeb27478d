import { z } from "zod";

import { apiSetup } from "../pull.ts";
import { BridgeSetup } from "./bridge-setup.ts";

/** Settings of a Twilio source. */
export const TwilioSetup = z.object({
  api: apiSetup(
    "https://api.twilio.com",
    "Twilio's API, the one host that is asked with the account's auth token; empty: it is not asked",
  ),
  recording_format: z
    .enum(["wav", "mp3"])
    .default("wav")
    .describe("Which form of a recording to fetch: Twilio's RecordingUrl has no extension and takes either"),
  expects_recording: z
    .boolean()
    .default(false)
    .describe(
      "Calls of this source are recorded: call.completed waits for the recording, which Twilio tells of after the end, for up to 15 minutes",
    ),
  bridge: BridgeSetup,
});
export type TwilioSetup = z.infer<typeof TwilioSetup>;
