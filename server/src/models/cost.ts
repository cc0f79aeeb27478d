import type { CostLine, Usage } from "@aftercall/contract/analysis/engine.ts";

/** Turns what was consumed into lines of cost; a model without a known price has lines without money. */
export type PriceUsage = (consumed: {
  readonly component: "llm" | "stt";
  readonly provider: string;
  readonly model: string;
  readonly usage: Usage;
}) => CostLine[];
