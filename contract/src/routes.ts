import type { Route } from "./api.ts";
import { analysisRoutes } from "./routes/analysis.ts";
import { callSearchRoutes } from "./routes/call-search.ts";
import { callRoutes } from "./routes/calls.ts";
import { campaignRoutes } from "./routes/campaigns.ts";
import { correctionRoutes } from "./routes/corrections.ts";
import { deliveryRoutes } from "./routes/delivery.ts";
import { engineRoutes } from "./routes/engines.ts";
import { erasureRoutes, sealRoutes } from "./routes/erasure.ts";
import { eventTypeRoutes } from "./routes/event-types.ts";
import { eventRoutes } from "./routes/events.ts";
import { identityRoutes } from "./routes/identity.ts";
import { importRoutes } from "./routes/imports.ts";
import { messageRoutes } from "./routes/messages.ts";
import { pipelineRoutes } from "./routes/pipeline.ts";
import { recordingRoutes } from "./routes/recordings.ts";
import { retentionRoutes } from "./routes/retention.ts";
import { sourceRoutes } from "./routes/sources.ts";
import { tenantRoutes } from "./routes/tenants.ts";
import { testCaseRoutes } from "./routes/test-cases.ts";
import { trainingRoutes } from "./routes/training.ts";
import { transcriptExportRoutes } from "./routes/transcript-export.ts";
import { undeliveredRoutes } from "./routes/undelivered.ts";
import { usageRoutes } from "./routes/usage.ts";

/** Every route of /v1. HTTP, the OpenAPI document and the SDK are drawn from it. */
export const routes = {
  ...tenantRoutes,
  ...identityRoutes,
  ...sourceRoutes,
  ...eventRoutes,
  ...sealRoutes,
  ...importRoutes,
  ...callRoutes,
  ...callSearchRoutes,
  ...transcriptExportRoutes,
  ...campaignRoutes,
  ...trainingRoutes,
  ...engineRoutes,
  ...pipelineRoutes,
  ...correctionRoutes,
  ...analysisRoutes,
  ...testCaseRoutes,
  ...recordingRoutes,
  ...deliveryRoutes,
  ...undeliveredRoutes,
  ...retentionRoutes,
  ...erasureRoutes,
  ...eventTypeRoutes,
  ...messageRoutes,
  ...usageRoutes,
} as const satisfies Record<string, Route>;
