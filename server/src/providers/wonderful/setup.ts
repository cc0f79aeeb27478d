import { z } from "zod";

/** The Communication API that a transcript is fetched from. Wonderful publishes no reference: everything it may do otherwise is a setting. */
const CommunicationApi = z.object({
  base_url: z
    .string()
    .default("")
    .describe("https://<tenant>.api.wonderful.ai: where transcripts are fetched from; empty: nothing is fetched"),
  transcript_path: z
    .string()
    .startsWith("/")
    .default("/api/v1/communications/{communication_id}/transcript")
    .describe("Path of a transcript; {communication_id} is replaced"),
  recording_path: z
    .union([z.literal(""), z.string().startsWith("/")])
    .default("")
    .describe("Path of a recording; {communication_id} is replaced; empty: recordings are not fetched"),
  auth_header: z.string().min(1).default("x-api-key").describe("Header that carries the API key"),
  auth_prefix: z.string().default("").describe('Put before the API key, for example "Bearer " with the blank'),
  records: z
    .string()
    .default("")
    .describe("Field of the answer that holds the list of records; empty: the answer is the list"),
  speaker: z.string().min(1).default("speaker").describe("Field of a record that says who speaks"),
  trainee_speaker: z
    .string()
    .min(1)
    .default("agent")
    .describe(
      "Which speaker is the trainee, whom feedback is about. Another one than agent: that one counts as the agent, and agent as the customer",
    ),
  text: z.string().min(1).default("text").describe("Field of a record with the words"),
  start_time: z.string().min(1).default("start_time").describe("Field of a record with its start, epoch milliseconds"),
  end_time: z.string().min(1).default("end_time").describe("Field of a record with its end, epoch milliseconds"),
  tool_details: z
    .string()
    .min(1)
    .default("tool_details")
    .describe("Field of a record with a function call: function_name, description, params, output"),
});

/** Settings of a Wonderful source. */
export const WonderfulSetup = z.object({
  verification: z
    .enum(["shared_secret", "hmac"])
    .default("shared_secret")
    .describe(
      "How a request proves where it comes from: the secret in a header, or a hex HMAC-SHA256 of the body made with it",
    ),
  secret_header: z.string().min(1).default("x-webhook-secret").describe("Header with the shared secret"),
  signature_header: z.string().min(1).default("x-webhook-signature").describe("Header with the HMAC"),
  signature_prefix: z.string().default("").describe("Text before the HMAC in its header, for example sha256="),
  api: CommunicationApi.prefault({}).describe("The Communication API, for fetching the transcript after the call"),
});
export type WonderfulSetup = z.infer<typeof WonderfulSetup>;
