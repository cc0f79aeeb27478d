import type { Route } from "./api.ts";
import { sourceRoutes } from "./routes/sources.ts";
import { tenantRoutes } from "./routes/tenants.ts";

/** Every route of /v1. HTTP, the OpenAPI document and the SDK are drawn from it. */
export const routes = {
  ...tenantRoutes,
  ...sourceRoutes,
} as const satisfies Record<string, Route>;
