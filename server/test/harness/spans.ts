import type { Received } from "./receiver.ts";

export type ReceivedSpan = {
  readonly traceId: string;
  readonly name: string;
  /** The name of the span it is part of. */
  readonly parent: string | null;
  readonly isRequest: boolean;
  readonly isFailed: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Of who sent it. */
  readonly resource: Readonly<Record<string, unknown>>;
};

/** What a collector got, read as OTLP in JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding). */
export function spansIn(received: readonly Received[]): ReceivedSpan[] {
  const sent = received.flatMap(({ body }) => (JSON.parse(body.toString("utf8")) as Sent).resourceSpans);
  const all = sent.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ span, resource: valuesOf(resource.attributes) }))),
  );
  const names = new Map(all.map(({ span }) => [span.spanId, span.name]));
  return all.map(({ span, resource }) => ({
    traceId: span.traceId,
    name: span.name,
    parent: span.parentSpanId ? (names.get(span.parentSpanId) ?? "unknown") : null,
    isRequest: span.kind === 3,
    isFailed: span.status.code === 2,
    attributes: valuesOf(span.attributes),
    resource,
  }));
}

type Sent = {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Attributes };
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId?: string;
        readonly name: string;
        readonly kind: number;
        readonly status: { readonly code: number };
        readonly attributes: Attributes;
      }[];
    }[];
  }[];
};

type Attributes = readonly { readonly key: string; readonly value: Value }[];
type Value = Readonly<Record<string, unknown>> & { readonly arrayValue?: { readonly values: readonly Value[] } };

function valuesOf(attributes: Attributes): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, valueOf(value)]));
}

/** A number may be text, since 64 bits do not fit into a number of JSON. */
function valueOf(value: Value): unknown {
  if (value.arrayValue) return value.arrayValue.values.map(valueOf);
  return "intValue" in value ? Number(value["intValue"]) : Object.values(value)[0];
}
