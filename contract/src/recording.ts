import { z } from "zod";

import { TurnRole } from "./call.ts";

/** A recording as aftercall keeps it: its own copy, under the hash of its content. */
export const Recording = z.object({
  id: z.string(),
  call_id: z.string(),
  kind: z.enum(["original", "redacted"]),
  state: z.enum(["pending", "stored", "failed", "deleted"]),
  reason: z.string().nullable(),
  detail: z.string().nullable(),
  sha256: z.string().nullable(),
  bytes: z.number().int().nullable(),
  mime: z.string().nullable(),
  codec: z.string().nullable(),
  sample_rate_hz: z.number().int().nullable(),
  channels: z.number().int().nullable(),
  /** Who speaks on which channel, the first channel first; empty where nobody knows. */
  channel_map: z.array(TurnRole),
  duration_ms: z.number().int().nullable(),
  created_at: z.string(),
  stored_at: z.string().nullable(),
});
export type Recording = z.infer<typeof Recording>;
