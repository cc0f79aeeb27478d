import { z } from "zod";

import type { Route } from "../api.ts";
import { idOf } from "../list.ts";
import { Message } from "../message.ts";

export const retentionRoutes = {
  expungePayload: {
    method: "DELETE",
    path: "/v1/messages/:id/payload",
    summary: "Removes the bytes of a message and what receivers answered to it, for good. Its row stays.",
    role: "admin",
    params: z.object({ id: idOf("message") }),
    output: Message,
  },
} as const satisfies Record<string, Route>;
