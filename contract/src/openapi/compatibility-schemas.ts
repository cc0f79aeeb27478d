import type { JsonSchema } from "./schemas.ts";

/** Bodies of the routes that are no part of /v1, in their own letter case. */
export const compatibilitySchemas: Readonly<Record<string, JsonSchema>> = {
  LiveKitWebhook: {
    type: "object",
    required: ["id", "event", "createdAt"],
    properties: {
      id: { type: "string" },
      event: { type: "string", examples: ["participant_left", "room_finished", "egress_ended"] },
      createdAt: { type: "string", format: "date-time" },
      room: {
        type: "object",
        required: ["name", "sid"],
        properties: {
          name: { type: "string" },
          sid: { type: "string" },
          creationTime: { type: "string", format: "date-time" },
          metadata: { type: "string" },
        },
      },
      participant: {
        type: "object",
        properties: {
          sid: { type: "string" },
          identity: { type: "string" },
          state: { type: "string" },
          disconnectReason: { type: "string" },
        },
      },
      egressInfo: {
        type: "object",
        properties: {
          egressId: { type: "string" },
          roomId: { type: "string" },
          status: { type: "string" },
          fileResults: { type: "array", items: { type: "object" } },
        },
      },
    },
  },
  WebhookResponse: {
    type: "object",
    required: ["status", "message"],
    properties: {
      status: { type: "string", enum: ["processed", "ignored"] },
      message: { type: "string" },
      event_id: { type: "string" },
      call_id: { type: "string" },
      event_type: { type: "string" },
    },
  },
  CallLog: {
    type: "object",
    required: ["id", "userId", "direction", "status"],
    properties: {
      id: { type: "string" },
      userId: { type: "string" },
      agentConfigId: { type: "string" },
      livekitRoomName: { type: "string" },
      livekitRoomSid: { type: "string" },
      direction: { type: "string", enum: ["inbound", "outbound"] },
      phoneNumber: { type: "string", pattern: "^\\+[1-9]\\d{1,14}$" },
      sipCallId: { type: "string" },
      status: { type: "string", enum: ["active", "ended", "failed"] },
      outcome: { type: ["string", "null"], enum: ["completed", "no_answer", "busy", "failed", null] },
      duration: { type: ["integer", "null"], description: "Seconds." },
      recordingUrl: { type: ["string", "null"], format: "uri" },
      metadata: { type: ["object", "null"] },
      startedAt: { type: "string", format: "date-time" },
      endedAt: { type: ["string", "null"], format: "date-time" },
      createdAt: { type: "string", format: "date-time" },
      updatedAt: { type: "string", format: "date-time" },
    },
  },
  HealthResponse: {
    type: "object",
    required: ["status", "service"],
    properties: {
      status: { const: "healthy" },
      service: { type: "string" },
      version: { type: "string" },
      timestamp: { type: "string", format: "date-time" },
    },
  },
  Error: {
    type: "object",
    required: ["error", "status"],
    properties: {
      error: { type: "string" },
      status: { type: "integer" },
      message: { type: "string" },
      details: { type: "string" },
      field: { type: "string" },
      call_id: { type: "string" },
      timestamp: { type: "string", format: "date-time" },
    },
  },
  PostCallResponse: {
    type: "object",
    properties: {
      conversation_id: { type: ["string", "null"] },
      call_sid: { type: ["string", "null"] },
      call_status: { type: ["string", "null"], enum: ["PENDING", "IN_PROGRESS", "COMPLETED", "FAILED", null] },
    },
  },
  DetailError: { type: "object", required: ["detail"], properties: { detail: { type: "string" } } },
  SuccessResponse: {
    type: "object",
    required: ["success"],
    properties: { success: { type: "boolean" }, message: { type: "string" }, error: { type: "string" } },
  },
};

/** A call as the Call Outcomes API shows it. */
export function completedCall(): object {
  return {
    id: "call_06f4yvh7k8e5m2q9s3t6w0x1za",
    userId: "user_xyz789",
    livekitRoomName: "sip-7678189426__1730217045__abc123",
    livekitRoomSid: "RM_xyz789abc123",
    direction: "inbound",
    phoneNumber: "+17678189426",
    status: "ended",
    outcome: "completed",
    duration: 45,
    recordingUrl: "https://cdn.example.com/recordings/recording.mp3",
    metadata: { disconnect_reason: "CLIENT_INITIATED", participant_identity: "agent" },
    startedAt: "2025-10-29T15:30:00.000Z",
    endedAt: "2025-10-29T15:30:45.123Z",
    createdAt: "2025-10-29T15:30:00.500Z",
    updatedAt: "2025-10-29T15:30:45.500Z",
  };
}

/** A webhook as the Call Outcomes API takes it. */
export function participantLeft(): object {
  return {
    id: "evt_abc123def456",
    event: "participant_left",
    createdAt: "2025-10-29T15:30:45.123Z",
    room: {
      name: "sip-7678189426__1730217045__abc123",
      sid: "RM_xyz789abc123",
      creationTime: "2025-10-29T15:30:00.000Z",
      metadata: "",
    },
    participant: {
      sid: "PA_participant123",
      identity: "agent",
      state: "disconnected",
      disconnectReason: "CLIENT_INITIATED",
    },
  };
}
