import { z } from "zod";

import { aboutOf } from "./about.ts";
import { publicUrl, secret } from "./kinds.ts";

/** The secrets of providers, of the default tenant. */
export const providerSettings = {
  vapiWebhookSecret: secret()
    .optional()
    .register(aboutOf, {
      env: "VAPI_WEBHOOK_SECRET",
      aliases: ["WEBHOOK_SHARED_SECRET"],
      about: "Vapi: the secret of the server URL, as entered in Vapi's dashboard.",
      example: "…",
      isSecret: true,
      isGenerated: true,
    }),
  livekitWebhookSecret: secret().optional().register(aboutOf, {
    env: "LIVEKIT_WEBHOOK_SECRET",
    about: "LiveKit agents that sign with a secret of their own (HMAC-SHA256 of the body).",
    example: "…",
    isSecret: true,
    isGenerated: true,
  }),
  livekitApiKey: secret().optional().register(aboutOf, {
    env: "LIVEKIT_API_KEY",
    about: "LiveKit: the API key whose secret signs the webhooks of the LiveKit server.",
    example: "APIxxxxxxxxxxxx",
    isSecret: true,
    isGenerated: true,
  }),
  livekitApiSecret: secret().optional().register(aboutOf, {
    env: "LIVEKIT_API_SECRET",
    about: "LiveKit: the secret of `LIVEKIT_API_KEY`.",
    example: "…",
    isSecret: true,
    isGenerated: true,
  }),
  elevenlabsWebhookSecret: secret().optional().register(aboutOf, {
    env: "ELEVENLABS_WEBHOOK_SECRET",
    about: "ElevenLabs: the secret shown once when the post-call webhook is made.",
    example: "wsec_…",
    isSecret: true,
    isGenerated: true,
  }),
  twilioAuthToken: secret().optional().register(aboutOf, {
    env: "TWILIO_AUTH_TOKEN",
    about: "Twilio: the auth token of the account, with which Twilio signs its requests.",
    example: "…",
    isSecret: true,
    isGenerated: true,
  }),
  twilioAccountSid: z.string().optional().register(aboutOf, {
    env: "TWILIO_ACCOUNT_SID",
    about: "Twilio: the account, to fetch recordings.",
    example: "ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
  }),
  wonderfulWebhookSecret: secret().optional().register(aboutOf, {
    env: "WONDERFUL_WEBHOOK_SECRET",
    about: "Wonderful: the secret that signs call-complete webhooks.",
    example: "…",
    isSecret: true,
    isGenerated: true,
  }),
  wonderfulApiBaseUrl: publicUrl().optional().register(aboutOf, {
    env: "WONDERFUL_API_BASE_URL",
    about: "Wonderful: where its API is reached, to fetch transcripts.",
    example: "https://tenant.api.wonderful.example",
  }),
  wonderfulApiKey: secret().optional().register(aboutOf, {
    env: "WONDERFUL_API_KEY",
    about: "Wonderful: the key of its API.",
    example: "…",
    isSecret: true,
  }),
} as const;
