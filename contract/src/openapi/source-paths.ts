const source = {
  name: "source",
  in: "path",
  required: true,
  description: "The slug of the source.",
  schema: { type: "string" },
};

/** The URLs of a source: where its provider sends webhooks, and where Twilio asks what becomes of a call. */
export const sourcePaths: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "/webhooks/{source}": {
    post: {
      operationId: "receiveAtSource",
      tags: ["Webhooks"],
      summary: "Take a webhook for one source",
      description:
        "The URL of a source: its provider decides how a request is signed, what its body is, and how it is answered. 2xx says that it is stored for good.",
      security: [],
      parameters: [source, { $ref: "#/components/parameters/Traceparent" }],
      requestBody: {
        required: true,
        content: { "application/json": {}, "application/x-www-form-urlencoded": {} },
      },
      responses: {
        "2XX": { description: "Stored, or known already." },
        "400": { description: "The body cannot be used, now or ever." },
        "401": { description: "The signature is wrong or missing. The request is kept in the quarantine." },
        "404": { description: "There is no such source." },
        "413": { description: "The body is too large." },
        "415": { description: "The content type or encoding is not accepted." },
        "429": { description: "Too many requests that fail their check." },
        "503": { description: "Not stored: send it again." },
      },
    },
  },
  "/webhooks/{source}/voice": {
    post: {
      operationId: "answerCall",
      tags: ["Webhooks"],
      summary: "Connect a call of Twilio with a speech model",
      description:
        "Where the source has the bridge switched on. Authenticated by `X-Twilio-Signature`. What Twilio asks with is stored as a status of the call; the answer is TwiML that opens a media stream to this server.",
      security: [],
      parameters: [source],
      requestBody: { required: true, content: { "application/x-www-form-urlencoded": {} } },
      responses: {
        "200": { description: "TwiML.", content: { "text/xml": { schema: { type: "string" } } } },
        "204": { description: "Stored; it names no call that could be connected." },
        "400": { description: "The body cannot be used." },
        "401": { description: "The signature is wrong or missing." },
        "404": { description: "There is no such source, or it answers no calls." },
        "413": { description: "The body is too large." },
        "415": { description: "The content type or encoding is not accepted." },
        "429": { description: "Too many requests that fail their check." },
        "503": { description: "Not stored: Twilio goes on with the fallback URL of the number." },
      },
    },
  },
};
