import type { CostLine, Usage } from "@aftercall/contract/analysis/engine.ts";

import type { SpanAbout, SpanAttributes } from "#/kernel/tracing.ts";

type Asked = { readonly provider: string; readonly baseUrl: string; readonly model: string };

/** A request to a model, in the names of https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/. */
export function requestSpan(operation: string, { provider, baseUrl, model }: Asked, more: SpanAttributes): SpanAbout {
  const url = URL.parse(baseUrl);
  return {
    name: `${operation} ${model}`,
    isRequest: true,
    attributes: {
      "gen_ai.operation.name": operation,
      "gen_ai.provider.name": provider,
      // Its older name, by which most tools still go.
      "gen_ai.system": provider,
      "gen_ai.request.model": model,
      "server.address": url?.hostname,
      "server.port": url?.port ? Number(url.port) : null,
      ...more,
    },
  };
}

/** What a request consumed, and what that comes to where all of it has a price. */
export function spentOn(usage: Usage, cost: readonly CostLine[]): SpanAttributes {
  const [first] = cost;
  const currency = first?.money?.currency;
  const isPriced = currency !== undefined && cost.every(({ money }) => money?.currency === currency);
  const amount = isPriced ? sumOf(cost) : null;
  return {
    "gen_ai.usage.input_tokens": usage.input_tokens,
    "gen_ai.usage.output_tokens": usage.output_tokens,
    "gen_ai.usage.cache_read.input_tokens": usage.cached_input_tokens,
    // No convention, but read by tools as US dollars.
    "gen_ai.usage.cost": currency === "USD" ? amount : null,
    "aftercall.cost.amount": amount,
    "aftercall.cost.currency": currency,
  };
}

/** A number is good enough to look at; the books are kept elsewhere. */
function sumOf(cost: readonly CostLine[]): number {
  return Number(cost.reduce((sum, { money }) => sum + Number(money?.amount ?? 0), 0).toPrecision(12));
}
