import { z } from "zod";

export const ElevenLabsSetup = z.object({
  past_minutes: z
    .number()
    .int()
    .min(1)
    .max(120)
    .default(30)
    .describe("Oldest signature that is taken, in minutes. Later ones go to the quarantine and can be run again"),
});
export type ElevenLabsSetup = z.infer<typeof ElevenLabsSetup>;
