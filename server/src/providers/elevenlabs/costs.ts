import type { CostLine } from "@aftercall/contract/analysis/engine.ts";

import { type Charged, chargedLines } from "../costs.ts";
import type { JsonObject } from "../json.ts";
import { numberOf, objectAt } from "../read.ts";

/**
 * What ElevenLabs says a conversation cost: credits for the call and for its language model where `charging` tells them apart,
 * else all of them. `cost_fiat` is the price of all of it, so it is the money of a line only where there is one line;
 * `llm_price` is that of the model alone.
 */
export function costLinesOf(metadata: JsonObject): CostLine[] | null {
  const charging = objectAt(metadata["charging"]);
  const [call, model, all] = [charging["call_charge"], charging["llm_charge"], metadata["cost"]].map(numberOf);
  const platform = { component: "platform", provider: "elevenlabs" } as const;
  const whole: Charged = { ...platform, cost: metadata["cost_fiat"], consumed: [["credit", all]] };
  const isSplit = (call ?? 0) > 0 && (model ?? 0) > 0;
  if (!isSplit) return chargedLines([whole]);
  return chargedLines([
    { ...platform, consumed: [["credit", call]] },
    { component: "llm", provider: "elevenlabs", cost: charging["llm_price"], consumed: [["credit", model]] },
  ]);
}
