import { z } from "zod";

import { defineJob } from "#/jobs/define.ts";

/** Every kind of background work, by what it does. */
export const work = {
  /** Sends `call.completed` although a promised report has not come. */
  settle: defineJob({ name: "inbox.settle", data: z.object({ tenantId: z.uuid(), callId: z.uuid() }), concurrency: 4 }),
  /** Runs a range of stored events again. */
  replay: defineJob({
    name: "inbox.replay",
    data: z.object({ tenantId: z.uuid(), replayId: z.uuid() }),
    expireSeconds: 3_600,
  }),
  /** Gives feedback on a training session. */
  feedback: defineJob({ name: "training.feedback", data: z.object({ tenantId: z.uuid(), sessionId: z.uuid() }) }),
} as const;
