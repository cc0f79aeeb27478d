import type { Tracing } from "#/kernel/tracing.ts";

import type { PriceUsage } from "../cost.ts";
import { requestSpan, spentOn } from "../request-span.ts";
import type { SpeechEngine } from "./engine.ts";
import type { Recognise } from "./recognise.ts";

/** The same requests, each with a span of its own: who was asked, about how much sound, and what it took. Nothing of what was said. */
export function traced(recognise: Recognise, engine: SpeechEngine, tracing: Tracing, price: PriceUsage): Recognise {
  const { provider, model } = engine;
  return (recognition) => {
    const { sound } = recognition;
    const about = requestSpan("transcribe", engine, {
      "gen_ai.output.type": "text",
      "aftercall.audio.channel": sound.channel,
      "aftercall.audio.offset_ms": sound.offsetMs,
      "aftercall.audio.duration_ms": sound.durationMs,
      "aftercall.audio.bytes": sound.bytes,
    });
    return tracing.span(about, async (span) => {
      const heard = await recognise(recognition);
      const { usage } = heard;
      span.set({ ...spentOn(usage, price({ component: "stt", provider, model, usage })) });
      return heard;
    });
  };
}
