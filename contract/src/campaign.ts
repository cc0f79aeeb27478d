import { z } from "zod";

/** How far a campaign has come. Active calls are the queued, ringing and in-progress ones. */
export const CampaignProgress = z.object({
  total: z.number().int(),
  active: z.number().int(),
  planned: z.number().int().nullable(),
  statuses: z.record(z.string(), z.number().int()),
  outcomes: z.record(z.string(), z.number().int()),
});

/** Calls that belong together. Completed when no call is active, there is at least one, and no planned contact is left. */
export const Campaign = z.object({
  id: z.string(),
  external_id: z.string().nullable(),
  name: z.string(),
  /** The tenant's own end-customer that the campaign belongs to. */
  business_id: z.string().nullable(),
  status: z.enum(["running", "completed"]),
  completed_at: z.string().nullable(),
  /** Since when messages about its calls wait; null: they go out. */
  deliveries_paused_at: z.string().nullable(),
  created_at: z.string(),
  progress: CampaignProgress,
});
export type Campaign = z.infer<typeof Campaign>;
