import { refusals } from "./problems.ts";
import type { JsonSchema } from "./schemas.ts";

/** The cookie for live updates: it goes in headers that the routes of the table do not have. */
export function sessionPaths(session: JsonSchema): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  const cookie = { description: "The cookie, or one that takes it away.", schema: { type: "string" } };
  return {
    "/v1/session": {
      put: {
        operationId: "createSession",
        tags: ["Session"],
        summary: "Change a credential into a cookie that opens the event stream in a browser",
        description:
          "Takes any credential. The cookie is `HttpOnly` and `SameSite=Strict`, and `Secure` where `PUBLIC_URL` is https; it lasts 12 hours at most, ends with the credential, and opens `GET /v1/stream` alone.",
        responses: {
          "200": {
            description: "`Set-Cookie` has the session.",
            headers: { "Set-Cookie": cookie, "X-Request-Id": { $ref: "#/components/headers/RequestId" } },
            content: { "application/json": { schema: session } },
          },
          ...refusals([400, 401, 403, 429, 500, 503]),
        },
      },
      delete: {
        operationId: "deleteSession",
        tags: ["Session"],
        summary: "Take the cookie away",
        description: "With the cookie an `Origin` is needed that may listen. Without one there is nothing to do.",
        security: [{}],
        responses: {
          "204": { description: "`Set-Cookie` takes it away.", headers: { "Set-Cookie": cookie } },
          ...refusals([403, 429, 500, 503]),
        },
      },
    },
  };
}
