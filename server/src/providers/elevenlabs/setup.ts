import { z } from "zod";

import { apiSetup } from "../pull.ts";

export const ElevenLabsSetup = z.object({
  api: apiSetup(
    "https://api.elevenlabs.io",
    "ElevenLabs' API, the one host that the API key is sent to (https://api.eu.residency.elevenlabs.io, say); empty: it is not asked",
  ),
  past_minutes: z
    .number()
    .int()
    .min(1)
    .max(120)
    .default(30)
    .describe("Oldest signature that is taken, in minutes. Later ones go to the quarantine and can be run again"),
});
export type ElevenLabsSetup = z.infer<typeof ElevenLabsSetup>;
