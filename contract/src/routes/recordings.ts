import { z } from "zod";

import type { Route } from "../api.ts";
import { idOf } from "../list.ts";
import { Recording } from "../recording.ts";

const recording = z.object({ id: idOf("recording") });

/** How long a link works. */
export const CreateRecordingLink = z.strictObject({
  expires_in: z
    .number()
    .int()
    .min(1)
    .max(86_400)
    .default(900)
    .meta({ description: "Seconds for which the link works." }),
});

/** Whoever has the URL may hear the recording until it expires. */
export const RecordingLink = z.object({ url: z.string(), expires_at: z.string() });

/** What a player draws: for each channel lowest, highest, lowest, highest, …, from -128 to 127; a pair is `bucket_ms` long. No channels: it was not decoded yet. */
export const RecordingPeaks = z.object({ bucket_ms: z.number().int(), channels: z.array(z.array(z.number().int())) });

export const recordingRoutes = {
  listRecordings: {
    method: "GET",
    path: "/v1/calls/:id/recordings",
    summary: "List the recordings of a call",
    role: "viewer",
    params: z.object({ id: idOf("call") }),
    output: z.object({ data: z.array(Recording) }),
  },
  getRecording: {
    method: "GET",
    path: "/v1/recordings/:id",
    summary: "Get one recording",
    role: "viewer",
    params: recording,
    output: Recording,
  },
  createRecordingLink: {
    method: "POST",
    path: "/v1/recordings/:id/link",
    summary: "Make a link that plays a recording for a while, without a credential",
    role: "viewer",
    params: recording,
    body: CreateRecordingLink,
    output: RecordingLink,
    status: 201,
  },
  getRecordingPeaks: {
    method: "GET",
    path: "/v1/recordings/:id/peaks",
    summary: "Get what a player draws of a recording",
    role: "viewer",
    params: recording,
    query: z.strictObject({ points: z.coerce.number().int().min(1).max(10_000).default(1_000) }),
    output: RecordingPeaks,
  },
} as const satisfies Record<string, Route>;
