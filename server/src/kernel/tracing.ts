import { AsyncLocalStorage } from "node:async_hooks";
import { Agent } from "node:http";
import { Agent as HttpsAgent } from "node:https";

import { type Attributes, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Tracer } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, RandomIdGenerator, type SpanExporter, TracerProvider } from "@opentelemetry/sdk-trace";

import type { Clock } from "./clock.ts";
import { limits } from "./limits.ts";
import type { Log } from "./log.ts";

/** Tells a collector what work took, how it ended, and what it was part of. Null where nobody asked for it: then nothing is done. */
export type Tracing = {
  /** Does the work inside a span of its own, below the span in which it was called. An error ends the span as failed. */
  span<T>(about: SpanAbout, work: (span: Span) => Promise<T>): Promise<T>;
};

export type SpanAbout = {
  readonly name: string;
  /** The trace of a span with no other above it: a UUID. */
  readonly traceOf?: string;
  /** Whether it is a request to somebody outside. */
  readonly isRequest?: true;
  readonly attributes: SpanAttributes;
};

/** Ids, names from small sets, and numbers. Never what was said, nobody's number or name, no prompt and no message of an error. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | readonly string[] | null | undefined>>;

export type Span = {
  set(attributes: SpanAttributes): void;
  /** It went wrong, and how: a word from a small set. */
  fail(type: string): void;
};

export type TracingOptions = {
  /** Where traces are posted to, without `/v1/traces`. */
  readonly endpoint: string;
  /** `name=value`, with commas. */
  readonly headers: string | null;
  readonly service: { readonly name: string; readonly version: string; readonly instance: string };
  readonly proxy: { readonly url: string; readonly noProxy: readonly string[] } | null;
  readonly clock: Clock;
  readonly log: Pick<Log, "warn">;
};

/**
 * Spans by OpenTelemetry's SDK, sent in batches. Work never waits for the collector: spans wait in a bounded queue, and where
 * that is full or the collector fails they are lost and the log says so.
 */
export function openTracing(options: TracingOptions): Tracing & {
  /** Sends what is left, and waits for it for a moment. */
  close(): Promise<void>;
} {
  const { service, clock } = options;
  const around = new AsyncLocalStorage<ReturnType<Tracer["startSpan"]>>();
  const random = new RandomIdGenerator();
  let traceId: string | null = null;
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      "service.name": service.name,
      "service.version": service.version,
      "service.instance.id": service.instance,
    }),
    // The SDK takes no id for a trace; it asks for one within startSpan.
    idGenerator: {
      generateTraceId: () => traceId ?? random.generateTraceId(),
      generateSpanId: () => random.generateSpanId(),
    },
    spanLimits: { attributeValueLengthLimit: limits.traceValueMax },
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: exporterOf(options),
        maxQueueSize: limits.traceQueueMax,
        exportTimeoutMillis: limits.traceSendMs,
      }),
    ],
  });
  const tracer = provider.getTracer("aftercall", service.version);
  return {
    async span({ name, traceOf, isRequest, attributes }, work) {
      const parent = around.getStore();
      traceId = traceOf?.replaceAll("-", "") ?? null;
      const kind = isRequest ? SpanKind.CLIENT : SpanKind.INTERNAL;
      const context = parent ? trace.setSpan(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
      const span = tracer.startSpan(name, { kind, attributes: known(attributes) }, context);
      traceId = null;
      const fail = (type: string) => {
        span.setAttribute("error.type", type).setStatus({ code: SpanStatusCode.ERROR });
      };
      try {
        return await around.run(span, () => work({ set: (more) => span.setAttributes(known(more)), fail }));
      } catch (error) {
        fail(typeOf(error));
        throw error;
      } finally {
        span.end();
      }
    },
    async close() {
      const done = new AbortController();
      const sent = provider.shutdown().catch(() => {});
      await Promise.race([sent, clock.sleep(limits.traceFlushMs, done.signal)]);
      done.abort();
    },
  };
}

function exporterOf({ endpoint, headers, proxy, log, clock }: TracingOptions): SpanExporter {
  const exporter = new OTLPTraceExporter({
    url: `${endpoint}/v1/traces`,
    headers: headersIn(headers ?? ""),
    timeoutMillis: limits.traceSendMs,
    httpAgentOptions: (protocol) => {
      const agentOptions = { keepAlive: true, ...(proxy && { proxyEnv: proxyEnvOf(proxy) }) };
      return protocol === "http:" ? new Agent(agentOptions) : new HttpsAgent(agentOptions);
    },
  });
  let toldAt = Number.NEGATIVE_INFINITY;
  const tell = (lost: number, err: unknown) => {
    if (clock.monotonic() - toldAt < limits.traceComplaintMs) return;
    toldAt = clock.monotonic();
    log.warn({ spans: lost, err }, "traces were not taken");
  };
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        if (result.error) tell(spans.length, result.error);
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
}

/** As OTEL_EXPORTER_OTLP_HEADERS has them: the W3C's form of baggage. */
function headersIn(text: string): Record<string, string> {
  const pairs = text.split(",").map((pair): [string, string] => {
    const at = pair.indexOf("=");
    return [pair.slice(0, at).trim(), decoded(pair.slice(at + 1).trim())];
  });
  return Object.fromEntries(pairs.filter(([name]) => name !== ""));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The proxy is for all targets but those of this machine, as for everything else that is sent. */
function proxyEnvOf({ url, noProxy }: { readonly url: string; readonly noProxy: readonly string[] }) {
  const direct = ["localhost", "127.0.0.1", "::1", ...noProxy].join(",");
  return { HTTP_PROXY: url, HTTPS_PROXY: url, NO_PROXY: direct };
}

function known(attributes: SpanAttributes): Attributes {
  const told = Object.entries(attributes).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(told);
}

/** Why something failed, in the word of our own errors where there is one. A message may hold what was said. */
function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return "error";
  return "reason" in error && typeof error.reason === "string" ? error.reason : error.name;
}
