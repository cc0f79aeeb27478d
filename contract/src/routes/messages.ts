import type { Route } from "../api.ts";
import { PublishedMessage, PublishMessage } from "../publish.ts";

export const messageRoutes = {
  publishMessage: {
    method: "POST",
    path: "/v1/messages",
    summary: "Send a message of one of your own event types to every endpoint that wants it",
    role: "member",
    body: PublishMessage,
    isTraced: true,
    bodyBytesMax: 2_097_152,
    output: PublishedMessage,
    status: 202,
  },
} as const satisfies Record<string, Route>;
