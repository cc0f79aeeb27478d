import { z } from "zod";

/** Settings of a Twilio source. */
export const TwilioSetup = z.object({
  recording_format: z
    .enum(["wav", "mp3"])
    .default("wav")
    .describe("Which form of a recording to fetch: Twilio's RecordingUrl has no extension and takes either"),
});
export type TwilioSetup = z.infer<typeof TwilioSetup>;
