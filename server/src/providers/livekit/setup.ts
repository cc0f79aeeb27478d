import { z } from "zod";

/** Settings of a LiveKit source. */
export const LivekitSetup = z.object({
  country_code: z
    .string()
    .regex(/^[1-9]\d{0,2}$/)
    .default("1")
    .describe("Calling code put before a national number of ten digits in a room name (sip-7678189426__…)"),
});
export type LivekitSetup = z.infer<typeof LivekitSetup>;
