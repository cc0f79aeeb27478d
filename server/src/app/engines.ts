import { defaultEngines } from "#/engines/defaults.ts";
import { createEngines, type EnginesOptions } from "#/engines/engines.ts";
import type { Config } from "#/kernel/config.ts";
import { createGuardedHttp, type GuardedHttp } from "#/kernel/net/http.ts";

export type EngineParts = ReturnType<typeof composeEngines>;

/** Which models do the work: tenants' own through the client for tenants, the operator's through one that takes plain http. */
export function composeEngines({
  config,
  http,
  ...parts
}: Pick<EnginesOptions, "box" | "ids" | "clock"> & { readonly config: Config; readonly http: GuardedHttp }) {
  const installation = createGuardedHttp({
    privateTargets: [],
    allowHttp: true,
    clock: parts.clock,
    ...(config.httpsProxy !== null && { proxy: { url: config.httpsProxy, noProxy: config.noProxy } }),
  });
  const defaults = defaultEngines(config);
  const engines = createEngines({ ...parts, defaults, http: { tenant: http, installation } });
  return { engines, defaults, close: () => installation.close() };
}
