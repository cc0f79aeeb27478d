import type { Clock } from "#/kernel/clock.ts";
import type { Config } from "#/kernel/config.ts";
import type { Log } from "#/kernel/log.ts";
import { openTracing } from "#/kernel/tracing.ts";

type TracingParts = {
  readonly config: Config;
  readonly version: string;
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
};

/** Where it is told what the work on a call took; null where the operator named no collector. */
export function composeTracing({ config, version, node, clock, log }: TracingParts) {
  const { otlpEndpoint: endpoint, otlpHeaders: headers, otelServiceName: name, httpsProxy, noProxy } = config;
  if (endpoint === null) return null;
  const proxy = httpsProxy ? { url: httpsProxy, noProxy } : null;
  return openTracing({ endpoint, headers, service: { name, version, instance: node }, proxy, clock, log });
}
