import { flood, json, ref, text, tooMany } from "./compatibility-answers.ts";
import { completedCall, participantLeft } from "./compatibility-schemas.ts";
import { refusals } from "./problems.ts";
import type { JsonSchema } from "./schemas.ts";
import { sourcePaths } from "./source-paths.ts";

/**
 * Routes that are no part of /v1: the ones kept from the systems that aftercall takes the place of, the URL of every source, and
 * health. Their bodies are their own, so they are written out here; a test compares them with what the server registers.
 */
export const compatibilityPaths: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "/api/webhooks/call_completed": {
    post: {
      operationId: "receiveWebhook",
      tags: ["Compatibility"],
      summary: "Take a LiveKit webhook (Call Outcomes API 1.0.0)",
      description:
        "Processable are `participant_left`, `room_finished` and `egress_ended`; other events are answered as ignored. Signed with `X-LiveKit-Signature`, or as LiveKit itself signs, with a JWT in `Authorization`.",
      security: [],
      parameters: [
        {
          name: "X-LiveKit-Signature",
          in: "header",
          required: false,
          description:
            "Lower-case hex HMAC-SHA256 of the raw body. Needed unless LiveKit's own `Authorization` is there.",
          schema: { type: "string", pattern: "^[0-9a-f]{64}$" },
        },
      ],
      requestBody: {
        required: true,
        content: {
          "application/json": {
            schema: ref("LiveKitWebhook"),
            examples: { ParticipantLeftWebhook: { value: participantLeft() } },
          },
        },
      },
      responses: {
        "200": json("Processed, repeated or ignored.", "WebhookResponse", {
          processed: {
            status: "processed",
            message: "Event processed successfully. Outcome: completed",
            event_id: "evt_abc123def456",
            call_id: "call_06f4yvh7k8e5m2q9s3t6w0x1za",
          },
          duplicate: {
            status: "processed",
            message: "Event already processed (idempotency)",
            event_id: "evt_abc123def456",
          },
          ignored: {
            status: "ignored",
            message: "Event type 'track_published' is not processable",
            event_type: "track_published",
          },
        }),
        "400": json("The body cannot be used.", "Error", {
          missing: { error: "Invalid webhook payload", details: "Missing required field: event_id", status: 400 },
        }),
        "401": json("The signature is wrong or missing.", "Error", {
          signature: { error: "Invalid webhook signature", status: 401 },
        }),
        ...refusals([413, 415]),
        "429": tooMany(json(flood, "Error", { flood: { error: "Too many requests", status: 429 } })),
        "500": json("Our own failure: send it again.", "Error", {
          failure: { error: "Failed to process webhook event", message: "Try again", status: 500 },
        }),
      },
    },
  },
  "/api/webhooks/call_completed/health": {
    get: {
      operationId: "healthCheck",
      tags: ["Compatibility"],
      summary: "Health of the Call Outcomes API",
      security: [],
      responses: {
        "200": json("It is healthy.", "HealthResponse", {
          healthy: {
            status: "healthy",
            service: "call_outcomes",
            version: "1.0.0",
            timestamp: "2025-10-29T15:30:45.123Z",
          },
        }),
      },
    },
  },
  "/api/calls/{callId}/outcome": {
    get: {
      operationId: "getCallOutcome",
      tags: ["Compatibility"],
      summary: "Get the outcome of a call (Call Outcomes API 1.0.0)",
      description: "Answers for calls of every provider. A running call is `active`, with no outcome yet.",
      security: [{ userToken: [] }],
      parameters: [
        { name: "callId", in: "path", required: true, schema: { type: "string" } },
        {
          name: "user_id",
          in: "query",
          required: true,
          description: "The user whose call it is: one that the token may act for.",
          schema: { type: "string" },
        },
      ],
      responses: {
        "200": json("The call.", "CallLog", { CompletedCall: completedCall() }),
        "400": json("user_id is missing.", "Error", {
          missing: { error: "Missing required parameter: user_id", status: 400 },
        }),
        "401": json("The token is missing, wrong or expired.", "Error", {
          token: { error: "Unauthorized", message: "Invalid or expired JWT token", status: 401 },
        }),
        "404": json("There is no such call, or it is not the user's.", "Error", {
          unknown: { error: "Call not found", call_id: "call_06f4yvh7k8e5m2q9s3t6w0x1za", status: 404 },
        }),
        "429": json("More than 1,000 requests of a user in a minute.", "Error", {
          often: { error: "Too many requests", message: "Repeat after the seconds in Retry-After", status: 429 },
        }),
        "500": json("Our own failure.", "Error", { failure: { error: "Internal server error", status: 500 } }),
      },
    },
  },
  "/api/webhooks/vapi": {
    post: intake("receiveVapiEvent", "Take a Vapi server message or flat event", {
      description:
        "Authenticated by `x-webhook-secret` or `x-vapi-secret`. A message that asks for something gets JSON.",
      answers: {
        "200": {
          description: "Stored, or known already; to a message that asks for something, what it asks for.",
          content: {
            "text/plain": { schema: { type: "string" }, example: "OK" },
            "application/json": { schema: { type: "object" } },
          },
        },
        "400": text("The body cannot be used.", "Bad Request"),
        "401": text("The secret is wrong or missing.", "Unauthorized"),
        "429": tooMany(text(flood, "Too Many Requests")),
        "500": text("Our own failure: send it again.", "Error"),
      },
    }),
  },
  "/webhooks/elevenlabs/post-call": {
    post: intake("receiveElevenLabsPostCall", "Take an ElevenLabs post-call webhook", {
      description: "Authenticated by `ElevenLabs-Signature`. Never 200 on a failure.",
      answers: {
        "200": json("The call was updated.", "PostCallResponse", {
          completed: {
            conversation_id: "conv_01k9",
            call_sid: "CA9dd13ec4fcb895203d2162ca7e0297fc",
            call_status: "COMPLETED",
          },
        }),
        "400": json("The body cannot be used, or nobody knows its type.", "DetailError", {
          unknown: { detail: "Unknown event type: nothing" },
        }),
        "401": json("The signature is wrong or missing.", "DetailError", { signature: { detail: "Unauthorized" } }),
        "404": json("There is no such call yet. The event is kept and applied when there is.", "DetailError", {
          unknown: { detail: "Call not found for conversation_id: conv_01k9" },
        }),
        "429": tooMany(json(flood, "DetailError", { flood: { detail: "Too many requests" } })),
        "500": json("Our own failure: send it again.", "DetailError", { failure: { detail: "Internal server error" } }),
      },
    }),
  },
  "/webhook/call_status": {
    post: intake("receiveTwilioCallStatus", "Take a Twilio status callback", twilioCallback()),
  },
  "/webhook/recording_status": {
    post: intake("receiveTwilioRecordingStatus", "Take a Twilio recording callback", twilioCallback()),
  },
  "/api/webhooks/wonderful/call-complete": {
    post: intake("receiveWonderfulCallComplete", "Take Wonderful's word that a training call is over", {
      description: "Authenticated by a secret or HMAC of the source. Feedback is made once per session.",
      body: {
        type: "object",
        required: ["communication_id", "session_id"],
        properties: { communication_id: { type: "string" }, session_id: { type: "string", format: "uuid" } },
      },
      answers: {
        "200": json("Taken in.", "SuccessResponse", {
          taken: { success: true },
          repeat: { success: true, message: "Feedback already exists" },
        }),
        "202": json("Taken in; the feedback is being made.", "SuccessResponse", {
          working: { success: true, message: "Feedback is being generated" },
        }),
        "400": json("The body cannot be used.", "SuccessResponse", {
          body: { success: false, error: "Invalid request body" },
        }),
        "401": json("The secret is wrong or missing.", "SuccessResponse", {
          secret: { success: false, error: "Unauthorized" },
        }),
        "404": json("There is no such session.", "SuccessResponse", {
          unknown: { success: false, error: "Training session not found" },
        }),
        "429": tooMany(json(flood, "SuccessResponse", { flood: { success: false, error: "Too many requests" } })),
        "500": json("Our own failure: send it again.", "SuccessResponse", {
          failure: { success: false, error: "Internal server error" },
        }),
      },
    }),
  },
  ...sourcePaths,
  "/healthz": {
    get: {
      operationId: "getHealth",
      tags: ["Health"],
      summary: "Say that the process lives",
      security: [],
      responses: { "200": { description: "It does." } },
    },
  },
  "/readyz": {
    get: {
      operationId: "getReadiness",
      tags: ["Health"],
      summary: "Say whether the process can serve, and why not",
      security: [],
      responses: { "200": { description: "It can." }, "503": { description: "It cannot; `checks` says why." } },
    },
  },
};

type Intake = { description: string; answers: Record<string, object>; body?: JsonSchema; type?: string };

function intake(operationId: string, summary: string, { description, answers, body, type }: Intake): object {
  return {
    operationId,
    tags: ["Compatibility"],
    summary,
    description,
    security: [],
    requestBody: {
      required: true,
      content: { [type ?? "application/json"]: { schema: body ?? { type: "object" } } },
    },
    responses: { ...answers, ...refusals([413, 415]) },
  };
}

function twilioCallback(): Intake {
  return {
    description: "Authenticated by `X-Twilio-Signature`, over the public URL and the fields of the form.",
    type: "application/x-www-form-urlencoded",
    answers: {
      "204": { description: "Stored, or known already." },
      "400": { description: "The body cannot be used." },
      "401": { description: "The signature is wrong or missing." },
      "429": tooMany({ description: flood }),
      "503": { description: "Our own failure: Twilio repeats it where the callback URL says `#rc=3&rp=all`." },
    },
  };
}
