import { z } from "zod";

import type { Route } from "../api.ts";
import { Usage } from "../usage.ts";

export const usageRoutes = {
  getUsage: {
    method: "GET",
    path: "/v1/usage",
    summary: "Count what each day brought: events, calls, messages, deliveries, attempts",
    role: "viewer",
    query: z.strictObject({
      from: z.iso.date().optional().meta({ description: "First day, UTC; thirty days ago if you do not say." }),
      to: z.iso.date().optional().meta({ description: "Last day, UTC; today if you do not say. At most 92 days." }),
    }),
    output: Usage,
  },
} as const satisfies Record<string, Route>;
