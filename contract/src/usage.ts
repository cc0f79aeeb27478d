import { z } from "zod";

/** What one day (UTC) brought. */
export const UsageDay = z.object({
  day: z.string(),
  /** Webhooks taken in, repeats not counted. */
  events: z.number().int(),
  /** Calls that were new. */
  calls: z.number().int(),
  messages: z.number().int(),
  /** Messages times the endpoints they go to. */
  deliveries: z.number().int(),
  /** Requests to endpoints. They are kept for a shorter time than the rest (`AFTERCALL_ATTEMPTS_DAYS`). */
  attempts: z.number().int(),
});
export type UsageDay = z.infer<typeof UsageDay>;

const total = UsageDay.omit({ day: true });

/** Every day of the range, also those on which nothing happened, and their sum. */
export const Usage = z.object({ from: z.string(), to: z.string(), data: z.array(UsageDay), total });
export type Usage = z.infer<typeof Usage>;
