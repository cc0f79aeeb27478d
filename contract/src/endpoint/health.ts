import { z } from "zod";

/** How an endpoint does. What arrived shows after at most ten seconds, what failed at once. */
export const EndpointHealth = z.object({
  /** `open`: nothing is sent, what waits is parked. `half_open`: one attempt is under way to see whether it is back. */
  breaker: z.enum(["closed", "open", "half_open"]),
  /** When an open breaker lets one attempt through. */
  breaker_open_until: z.string().nullable(),
  /** The receiver asked for a pause until then (429, 502, 503, 504, Retry-After). */
  throttled_until: z.string().nullable(),
  /** Attempts under way now, over all processes. */
  in_flight: z.number().int(),
  /** Attempts that counted in the last five minutes. */
  recent: z.object({ attempts: z.number().int(), failures: z.number().int() }),
  /** Failed attempts since the last one that arrived. */
  failed_count: z.number().int(),
  first_failed_at: z.string().nullable(),
  last_failed_at: z.string().nullable(),
  last_succeeded_at: z.string().nullable(),
});
export type EndpointHealth = z.infer<typeof EndpointHealth>;
