import { socketFrames, socketProtocol } from "@aftercall/contract/live-frames.ts";
import { streamItems } from "@aftercall/contract/live.ts";
import type { FastifyInstance } from "fastify";
import { z } from "zod";

import { sessionCookieName } from "./session-cookie.ts";

/** `/asyncapi.json`: the live channel as a machine reads it, for anybody; it holds nothing of any tenant. */
export function registerAsyncApi(app: FastifyInstance, options: AsyncApiOptions): void {
  const document = JSON.stringify(asyncApiOf(options));
  app.get("/asyncapi.json", async (_request, reply) =>
    reply.type("application/json; charset=utf-8").header("cache-control", "no-cache").send(document),
  );
}

export type AsyncApiOptions = { readonly publicUrl: string; readonly version: string };

/** The live channel as an AsyncAPI 3.0 document, drawn from the contract: frames and items are described nowhere else. */
export function asyncApiOf({ publicUrl, version }: AsyncApiOptions) {
  const { host, protocol, pathname } = new URL(publicUrl);
  const isSecure = protocol === "https:";
  const server = {
    host,
    ...(pathname !== "/" && { pathname }),
    security: [{ $ref: "#/components/securitySchemes/bearer" }],
  };
  const items = Object.keys(streamItems);
  const heard = Object.keys(socketFrames.received);
  const said = Object.keys(socketFrames.sent);
  return {
    asyncapi: "3.0.0",
    info: {
      title: "aftercall live updates",
      version,
      description:
        "What happens to calls, campaigns and deliveries, as it happens. The guide is at /docs/guides/live-updates.",
    },
    defaultContentType: "application/json",
    servers: {
      events: {
        ...server,
        security: [...server.security, { $ref: "#/components/securitySchemes/session" }],
        protocol: isSecure ? "https" : "http",
        description: "Server-sent events.",
      },
      socket: {
        ...server,
        protocol: isSecure ? "wss" : "ws",
        description: `WebSocket with the subprotocol ${socketProtocol}; the token as the subprotocol bearer.<token> or in the first frame.`,
      },
    },
    channels: {
      stream: {
        address: "/v1/stream",
        description:
          "text/event-stream: `event` is the name of a message here, `data` its payload, `id` the cursor for Last-Event-ID. Topics in the query: calls, call:<id>, campaign:<id>, deliveries.",
        servers: [{ $ref: "#/servers/events" }],
        messages: refs(items, "components/messages/stream."),
      },
      socket: {
        address: "/v1/ws",
        description:
          "One JSON object per text frame, of at most 64 kB. A token that does not count is answered by the error `unauthorized` and close code 1008, also when it came with the opening; too many of them from one address, by 429 to the opening.",
        servers: [{ $ref: "#/servers/socket" }],
        messages: refs([...heard, ...said], "components/messages/socket."),
      },
    },
    operations: {
      followStream: operation("send", "stream", items, "Changes since the cursor, then each change as it commits."),
      hearClient: operation("receive", "socket", heard, "What a client may say."),
      tellClient: operation(
        "send",
        "socket",
        said,
        "Answers, live turns, and for each completed call a status frame followed at once by its data frame.",
      ),
    },
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "An API key or a user's token." },
        session: {
          type: "httpApiKey",
          in: "cookie",
          name: sessionCookieName(isSecure),
          description: "What `PUT /v1/session` gives a browser for its credential.",
        },
      },
      messages: {
        ...messages(streamItems, "stream.", "output"),
        ...messages(socketFrames.received, "socket.", "input"),
        ...messages(socketFrames.sent, "socket.", "output"),
      },
    },
  };
}

function operation(action: "send" | "receive", channel: string, names: readonly string[], summary: string) {
  return {
    action,
    channel: { $ref: `#/channels/${channel}` },
    summary,
    messages: names.map((name) => ({ $ref: `#/channels/${channel}/messages/${name}` })),
  };
}

function refs(names: readonly string[], prefix: string) {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/${prefix}${name}` }]));
}

function messages(schemas: Readonly<Record<string, z.ZodType>>, prefix: string, io: "input" | "output") {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => {
      const { $schema: _dialect, ...payload } = z.toJSONSchema(schema, { io, target: "draft-7" });
      return [`${prefix}${name}`, { name, contentType: "application/json", payload }];
    }),
  );
}
