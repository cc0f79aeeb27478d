import type { FastifyInstance } from "fastify";

import type { Clock } from "#/kernel/clock.ts";
import type { Log } from "#/kernel/log.ts";
import type { Metrics } from "#/kernel/metrics.ts";

/** `degraded` still serves: it is shown, and does not take the process out of the load balancer. */
export type CheckResult = { readonly status: "ok" | "degraded" | "failed"; readonly reason: string | null };
export type Check = () => Promise<CheckResult>;

export type HealthOptions = {
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** What has to hold before requests may come: database, migrations, workers, durability, by name. */
  readonly checks: Readonly<Record<string, Check>>;
  /** False from the moment the process began to stop. */
  readonly isAccepting: () => boolean;
};

const checkMsMax = 2_000;

/** `/healthz`: the process lives. `/readyz`: it can serve, or says why not. `/metrics`: Prometheus text. */
export function registerHealth(app: FastifyInstance, options: HealthOptions): void {
  app.get("/healthz", async () => ({ status: "ok", version: options.version }));

  app.get("/readyz", async (_request, reply) => {
    const names = Object.keys(options.checks);
    const results = await Promise.all(Object.entries(options.checks).map(([name, check]) => resultOf(name, check)));
    const isReady = options.isAccepting() && results.every((result) => result.status !== "failed");
    reply.code(isReady ? 200 : 503).header("cache-control", "no-store");
    if (!isReady) reply.header("retry-after", "5");
    return {
      status: isReady ? "ready" : "not_ready",
      ...(!options.isAccepting() && { reason: "The server is stopping" }),
      version: options.version,
      checks: Object.fromEntries(names.map((name, i) => [name, results[i]])),
    };
  });

  app.get("/metrics", async (_request, reply) => {
    reply.header("cache-control", "no-store").type(options.metrics.registry.contentType);
    return options.metrics.registry.metrics();
  });

  /** A check that hangs has failed: a readiness probe must not wait for a database that does not answer. */
  async function resultOf(name: string, check: Check): Promise<CheckResult> {
    const done = new AbortController();
    const late = options.clock
      .sleep(checkMsMax, done.signal)
      .then((): CheckResult => ({ status: "failed", reason: `No answer within ${checkMsMax} ms` }));
    try {
      return await Promise.race([check(), late]);
    } catch (error) {
      // The message may name hosts and statements; whoever asks from outside gets none of it.
      options.log.warn({ check: name, err: error }, "readiness check failed");
      return { status: "failed", reason: "The check failed; the log has the cause" };
    } finally {
      done.abort();
    }
  }
}
