import { eventTypeNames, eventTypes } from "../events.ts";
import type { EventTypeName } from "../events.ts";
import type { Schemas } from "./schemas.ts";

/** What we send to endpoints: one entry for each message, in the standard format. */
export function webhooksOf(schemas: Schemas): Record<string, object> {
  return Object.fromEntries(eventTypeNames.map((name) => [name, { post: webhookOf(name, schemas) }]));
}

function webhookOf(name: EventTypeName, schemas: Schemas): object {
  const { title, description, kind, data, examples } = eventTypes[name];
  return {
    operationId: operationIdOf(name),
    tags: ["Messages to your endpoints"],
    summary: title,
    description,
    "x-aftercall-kind": kind,
    parameters: headerNames.map((header) => ({ $ref: `#/components/parameters/${header}` })),
    requestBody: {
      required: true,
      content: {
        "application/json": {
          schema: {
            type: "object",
            required: ["type", "timestamp", "data"],
            properties: {
              type: { const: name },
              timestamp: { type: "string", format: "date-time", description: "When it happened." },
              data: schemas.output(data),
            },
          },
          examples: {
            en: { summary: "English", value: examples.en },
            he: { summary: "Hebrew", value: examples.he },
          },
        },
      },
    },
    responses: answers,
  };
}

/** `call.completed` → `onCallCompleted`. */
function operationIdOf(name: string): string {
  return `on${name.replace(/(?:^|[._])([a-z])/g, (_all, letter: string) => letter.toUpperCase())}`;
}

const headerNames = [
  "WebhookId",
  "WebhookTimestamp",
  "WebhookSignature",
  "AftercallAttempt",
  "ForwardedTraceparent",
] as const;

/** The headers of Standard Webhooks (https://www.standardwebhooks.com), and the number of the attempt. */
export const webhookHeaders = {
  WebhookId: {
    name: "webhook-id",
    in: "header",
    required: true,
    description: "The id of the message: the same in every attempt and every resend. Take each once.",
    schema: { type: "string" },
    example: "msg_06f4yvh7k8e5m2q9s3t6w0x1za",
  },
  WebhookTimestamp: {
    name: "webhook-timestamp",
    in: "header",
    required: true,
    description: "When this attempt was signed, in seconds since 1970. Refuse what is more than five minutes off.",
    schema: { type: "string", pattern: "^[0-9]+$" },
    example: "1795253531",
  },
  WebhookSignature: {
    name: "webhook-signature",
    in: "header",
    required: true,
    description:
      "`v1,` and the base64 of the HMAC-SHA256 of `id.timestamp.body`, over the exact bytes of the body. During a rotation several, separated by spaces: one that fits is enough.",
    schema: { type: "string" },
    example: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  },
  AftercallAttempt: {
    name: "aftercall-attempt",
    in: "header",
    required: true,
    description: "1 for the first attempt of this message to this endpoint.",
    schema: { type: "string", pattern: "^[1-9][0-9]*$" },
    example: "1",
  },
  ForwardedTraceparent: {
    name: "traceparent",
    in: "header",
    required: false,
    description:
      "The trace (W3C Trace Context) of the webhook that told most of the call, or of the request that published the message, as it was given; left out where none was.",
    schema: { type: "string" },
    example: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  },
} as const;

/** What your answer does. */
const answers = {
  "2XX": { description: "Arrived. The status decides; the body is kept for you to look at, up to 64 kB." },
  "410": { description: "Gone: the endpoint is disabled at once, and what it has not got is listed as undelivered." },
  "429": { description: "Too fast: tried again after `Retry-After`, as with 502, 503 and 504." },
  default: { description: "Not arrived: tried again by the schedule of the endpoint. Redirects are never followed." },
} as const;
