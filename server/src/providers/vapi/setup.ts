import { z } from "zod";

import { apiSetup } from "../pull.ts";

/** The HMAC plan of a Vapi credential, name for name as the Vapi dashboard has it (`HmacAuthenticationPlan`). */
const HmacPlan = z.object({
  algorithm: z.enum(["sha256", "sha512", "sha1"]).default("sha256").describe("Hash of the HMAC"),
  signature_header: z.string().min(1).default("x-signature").describe("Header that carries the signature"),
  timestamp_header: z.string().min(1).default("x-timestamp").describe("Header that carries the time of signing"),
  signature_prefix: z.string().default("").describe("Text before the signature in its header, for example v1,"),
  include_timestamp: z
    .boolean()
    .default(true)
    .describe("Requests carry a time of signing; those older than five minutes are refused"),
  payload_format: z
    .string()
    .includes("{body}")
    .default("{timestamp}.{body}")
    .describe("What is signed, out of {body}, {timestamp}, {method}, {url} and {svix-id}"),
  message_id_header: z.string().min(1).default("svix-id").describe("Header whose value stands for {svix-id}"),
  signature_encoding: z.enum(["hex", "base64"]).default("hex").describe("How the signature is written"),
  secret_is_base64: z.boolean().default(false).describe("The secret is the base64 of the key"),
});
export type HmacPlan = z.infer<typeof HmacPlan>;

/** Types of messages that Vapi asks rather than tells: it goes on with what the answer says. */
export const typesWithAnswer = [
  "assistant-request",
  "tool-calls",
  "transfer-destination-request",
  "knowledge-base-request",
  "handoff-destination-request",
  "voice-request",
  "call.endpointing.request",
  "campaign.predial",
] as const;

export const VapiSetup = z.object({
  credentials: z
    .array(z.enum(["secret", "bearer", "hmac"]))
    .min(1)
    .default(["secret", "bearer"])
    .describe(
      "Which credentials count: secret (x-vapi-secret or x-webhook-secret header), bearer, hmac. One must be there, and all that are there must be right",
    ),
  bearer_header: z.string().min(1).default("authorization").describe("Header of the bearer credential"),
  bearer_prefix: z.string().default("Bearer ").describe("Text before the token in that header"),
  hmac: HmacPlan.prefault({}).meta({ description: "HMAC plan of the Vapi credential", default: {} }),
  api: apiSetup("https://api.vapi.ai", "Vapi's API, the one host that the API key is sent to; empty: it is not asked"),
  answers: z
    .partialRecord(z.enum(typesWithAnswer), z.record(z.string(), z.unknown()))
    .default({})
    .describe("The JSON answer to a message type that asks for one, for example assistant-request. Without it: {}"),
});
export type VapiSetup = z.infer<typeof VapiSetup>;
