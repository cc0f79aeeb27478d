import { z } from "zod";

import { apiSetup } from "../pull.ts";

/** The object store that egress writes to. Recordings in it are fetched with the secret in the slot `recordings`. */
const RecordingStore = z.object({
  endpoint: z
    .union([z.literal(""), z.url({ protocol: /^https?$/ })])
    .default("")
    .describe("https://s3.eu-central-1.amazonaws.com: the one host that the credentials are used for; empty: none"),
  region: z.string().min(1).default("us-east-1").describe("Region that requests are signed for"),
});

/** Settings of a LiveKit source. */
export const LivekitSetup = z.object({
  country_code: z
    .string()
    .regex(/^[1-9]\d{0,2}$/)
    .default("1")
    .describe("Calling code put before a national number of ten digits in a room name (sip-7678189426__…)"),
  api: apiSetup("", "https://<project>.livekit.cloud: the API of the project; empty: it is not asked"),
  expects_session_report: z
    .boolean()
    .default(false)
    .describe("The agent sends its session report when a call is over: call.completed waits for it, within a limit"),
  recordings: RecordingStore.prefault({}).describe("The object store that egress writes to, where it is private"),
});
export type LivekitSetup = z.infer<typeof LivekitSetup>;
