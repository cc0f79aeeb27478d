import { refusals } from "./problems.ts";
import type { JsonSchema } from "./schemas.ts";

/** Bytes of recordings: a route of /v1 whose answer is no text, and so no part of the table. */
export const audioPaths: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "/v1/recordings/{id}/audio": {
    get: {
      operationId: "getRecordingAudio",
      tags: ["Recordings"],
      summary: "Get a recording's sound, whole or in part",
      description:
        "Needs the role `viewer` or a higher one. For players that seek: `Range` and `If-Range` of HTTP, one range at a time. Players that cannot send a credential use the link of `POST /v1/recordings/{id}/link`.",
      parameters: [
        { name: "id", in: "path", required: true, schema: { type: "string" } },
        {
          name: "Range",
          in: "header",
          required: false,
          description: "Which bytes: `bytes=0-65535`.",
          schema: { type: "string" },
        },
        { $ref: "#/components/parameters/IfNoneMatch" },
      ],
      responses: {
        "200": sound("All of it."),
        "206": sound("The part that `Range` names; `Content-Range` says of how much."),
        "304": { description: "It is as `If-None-Match` says." },
        ...refusals([401, 403, 404, 416, 429, 500, 503]),
      },
    },
  },
};

function sound(description: string): object {
  const types = ["wav", "mpeg", "ogg", "flac", "mp4", "aac", "webm", "amr"].map((name) => `audio/${name}`);
  const content = [...types, "application/octet-stream"].map((type): [string, { schema: JsonSchema }] => [
    type,
    { schema: { type: "string", contentMediaType: type } },
  ]);
  const headers = {
    ETag: { $ref: "#/components/headers/ETag" },
    "X-Request-Id": { $ref: "#/components/headers/RequestId" },
    "RateLimit-Policy": { $ref: "#/components/headers/RateLimitPolicy" },
    RateLimit: { $ref: "#/components/headers/RateLimit" },
  };
  return { description, headers, content: Object.fromEntries(content) };
}
