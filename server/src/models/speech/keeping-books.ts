import { createHash } from "node:crypto";

import type { Usage } from "@aftercall/contract/analysis/engine.ts";

import type { PriceUsage } from "../cost.ts";
import type { Spent } from "../failure.ts";
import { sumUsage } from "../usage.ts";
import type { KeptHearings } from "./answer.ts";
import type { SpeechEngine } from "./engine.ts";
import type { Recognise } from "./recognise.ts";

/** Keeps the books of one transcription: what was heard already is not sent again, what is sent is counted. */
export function keepingBooks(
  recognise: Recognise,
  engine: SpeechEngine,
  price: PriceUsage,
  answers: KeptHearings | undefined,
): { readonly recognise: Recognise; readonly spent: () => Spent } {
  const usages: Usage[] = [];
  const costOf = (usage: Usage) => price({ component: "stt", provider: engine.provider, model: engine.model, usage });
  return {
    async recognise(recognition) {
      const { sound, language, hints, diarise } = recognition;
      const { channel, offsetMs, durationMs, bytes } = sound;
      const part = [channel, offsetMs, durationMs, bytes, language, hints, diarise];
      const asked = JSON.stringify([engine.vendor, engine.baseUrl, engine.model, ...part]);
      const hash = createHash("sha256").update(asked).digest();
      const kept = await answers?.find(hash);
      if (kept) return kept;
      const heard = await recognise(recognition);
      usages.push(heard.usage);
      await answers?.keep(hash, heard, costOf(heard.usage));
      return heard;
    },
    spent: () => {
      const usage = sumUsage(usages);
      return { usage, cost: usages.length === 0 ? [] : costOf(usage) };
    },
  };
}
