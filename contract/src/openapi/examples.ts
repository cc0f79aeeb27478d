import { english, englishTranscript, springRenewals, trainingSession } from "../examples.ts";
import { delivery } from "../operational-examples.ts";

/** Examples of components, by name. Tests check each by its schema. */
export const schemaExamples: Readonly<Record<string, readonly unknown[]>> = {
  Call: [english],
  RegisterCall: [
    {
      provider: "vapi",
      provider_call_id: english.provider_call_id,
      direction: "outbound",
      to: "+14155550123",
      campaign: "spring-renewals",
      customer_name: "Dana Levy",
      metadata: { crm: "4821" },
    },
  ],
  Transcript: [englishTranscript],
  CallTranscript: [
    {
      ...englishTranscript,
      origin: "stt",
      engine: { kind: "stt", provider: "openai", model: "whisper-1" },
      quality: {
        avg_confidence: 0.94,
        avg_logprob: -0.18,
        no_speech_prob_max: 0.02,
        role_source: "channel",
        role_confidence: null,
        flags: ["segments_dropped"],
        dropped_segments: [
          { start_ms: 3300, end_ms: 4100, channel: 0, text: "Thank you for watching!", why: "no_energy" },
        ],
      },
    },
  ],
  Campaign: [springRenewals],
  TrainingSession: [trainingSession],
  Assignment: [
    {
      id: "asg_06f4yvh7k8e5m2q9s3t6w0x1za",
      title: "Name the price",
      status: "open",
      completed_at: null,
      created_at: "2026-11-21T09:00:00.000Z",
    },
  ],
  CreateSource: [
    {
      slug: "vapi-main",
      provider: "vapi",
      name: "Main line",
      secrets: [{ slot: "secret", value: "the-server-secret-of-vapi" }],
    },
  ],
  CreateApiKey: [{ name: "n8n", role: "member" }],
  CreateUser: [{ external_id: "user_xyz789", name: "Noa" }],
  CreateEndpoint: [
    { url: "https://crm.example.com/hooks/calls", description: "CRM", types: ["call.completed", "campaign.completed"] },
  ],
  UpdateEndpoint: [{ types: ["call.*"], is_enabled: true }],
  RotateEndpointSecret: [{ grace_seconds: 86400 }],
  CreateEventType: [
    {
      name: "lead.qualified",
      title: "A lead is worth a call",
      data_schema: {
        type: "object",
        properties: { name: { type: "string" }, score: { type: "integer", minimum: 0, maximum: 100 } },
        required: ["name"],
        additionalProperties: false,
      },
      examples: { en: { name: "Dana Levy", score: 80 }, he: { name: "דנה לוי", score: 80 } },
    },
  ],
  UpdateEventType: [{ title: "A lead is worth a call today", is_archived: false }],
  PublishMessage: [
    {
      type: "lead.qualified",
      data: { name: "Dana Levy", score: 80 },
      channels: ["north"],
      order_key: "lead-4821",
      occurred_at: "2026-11-21T09:30:00.000Z",
      message_id: "lead-4821-qualified",
    },
  ],
  Message: [
    {
      id: "msg_06f4yvh7k8e5m2q9s3t6w0x1za",
      type: "call.completed",
      call_id: english.id,
      campaign_id: null,
      occurred_at: "2026-11-21T09:32:11.000Z",
      received_at: "2026-11-21T09:32:12.101Z",
      unrouted_reason: null,
      is_expired: false,
      created_at: "2026-11-21T09:32:12.480Z",
    },
  ],
  Delivery: [delivery],
  Problem: [
    {
      type: "https://calls.example.com/docs/problems/invalid",
      title: "A field was refused",
      status: 422,
      detail: "The request has fields that are not accepted; errors names them",
      instance: "/v1/endpoints",
      code: "invalid",
      request_id: "0199d4c7-1d80-7c52-8f8e-2d1c51b8a6f1",
      errors: [{ pointer: "/types/0", detail: "Unknown event type" }],
    },
  ],
};
