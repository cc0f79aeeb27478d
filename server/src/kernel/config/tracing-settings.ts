import { z } from "zod";

import { aboutOf } from "./about.ts";
import { publicUrl, secret } from "./kinds.ts";

/** Where is told what the work on a call took, in the names of OpenTelemetry, which its collectors and tools share. */
export const tracingSettings = {
  otlpEndpoint: publicUrl().optional().register(aboutOf, {
    env: "OTEL_EXPORTER_OTLP_ENDPOINT",
    about:
      "A collector that takes traces as OTLP over HTTP, as JSON; `/v1/traces` is added. Without it nothing is traced. It may be in a private network and without https.",
    example: "https://cloud.langfuse.com/api/public/otel",
    defaultText: "none",
  }),
  otlpHeaders: secret()
    .refine((text) => text.split(",").every((pair) => pair.indexOf("=") > 0), "must be name=value pairs with commas")
    .optional()
    .register(aboutOf, {
      env: "OTEL_EXPORTER_OTLP_HEADERS",
      about: "Headers of these requests: `name=value` with commas between; what is no letter may be percent-encoded.",
      example: "Authorization=Basic cGst…",
      isSecret: true,
      defaultText: "none",
    }),
  otelServiceName: z.string().min(1).default("aftercall").register(aboutOf, {
    env: "OTEL_SERVICE_NAME",
    about: "The name that the traces of this installation go by.",
    example: "aftercall-staging",
  }),
};
