import { z } from "zod";

import type { Route } from "../api.ts";
import { CallTranscript } from "../call-transcript.ts";
import { TurnRole } from "../call.ts";
import { idOf } from "../list.ts";
import { Recording } from "../recording.ts";

const ms = z.number().int().min(0).max(172_800_000).nullable().optional();

/** What was really said, by somebody who listened. */
export const EditTranscript = z.strictObject({
  turns: z
    .array(
      z.strictObject({
        role: TurnRole,
        text: z.string().trim().min(1).max(20_000),
        start_ms: ms.meta({ description: "Left out: as it was, where the turn at this place is." }),
        end_ms: ms,
      }),
    )
    .min(1)
    .max(20_000)
    .meta({
      description: "All turns, the unchanged ones as well. A turn that says the same keeps the times of its words.",
    }),
  language: z.string().min(2).max(35).nullable().optional().meta({ description: "Left out: as it was." }),
});
export type EditTranscript = z.infer<typeof EditTranscript>;

export const correctionRoutes = {
  editTranscript: {
    method: "PUT",
    path: "/v1/calls/:id/transcript",
    summary: "Put right what was said; the call is analysed again",
    role: "member",
    params: z.object({ id: idOf("call") }),
    body: EditTranscript,
    output: CallTranscript,
    status: 202,
    canConflict: true,
  },
  setChannelMap: {
    method: "POST",
    path: "/v1/recordings/:id/channel-map",
    summary: "Say who speaks on which channel; numbers and roles are made again, without transcribing again",
    role: "member",
    params: z.object({ id: idOf("recording") }),
    body: z.strictObject({ roles: z.array(TurnRole).min(1).max(8) }),
    output: Recording,
    status: 202,
  },
} as const satisfies Record<string, Route>;
