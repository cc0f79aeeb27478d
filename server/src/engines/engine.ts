import type {
  LanguageEngineSettings,
  LanguagePrice,
  SpeechEngineSettings,
  SpeechPrice,
} from "@aftercall/contract/engine-settings.ts";
import type { z } from "zod";

import type { LanguageEngine, LanguageVendor } from "#/models/language/engine.ts";
import type { SpeechEngine, SpeechVendor } from "#/models/speech/engine.ts";

import { providerAt, refusesTemperature, uploadBytesAt } from "./hosts.ts";

type Place = Pick<LanguageEngine, "baseUrl" | "model" | "apiKey" | "origin" | "privateTargets">;

/** A language model from what its owner said, with what follows from it. */
export function languageEngine(
  given: Place & {
    readonly vendor: LanguageVendor;
    readonly settings: z.output<typeof LanguageEngineSettings>;
    readonly price: LanguagePrice | null;
  },
): LanguageEngine {
  const { settings } = given;
  const temperature =
    settings.temperature === undefined ? (refusesTemperature(given.model) ? null : 0) : settings.temperature;
  return {
    ...given,
    kind: "language",
    baseUrl: trimmed(given.baseUrl),
    provider: providerAt(given.baseUrl),
    settings: {
      contextTokens: settings.context_tokens,
      // The rest of the context must still hold a part of a call.
      outputTokensMax: Math.min(settings.output_tokens_max, Math.floor(settings.context_tokens / 2)),
      responseFormat: settings.response_format,
      temperature,
      timeoutMs: settings.timeout_ms,
      promptVersion: settings.prompt_version,
      language: settings.language,
    },
  };
}

/** The same engine with another of its models. What its owner said it costs was said of the first one. */
export function otherModel(engine: LanguageEngine, model: string): LanguageEngine {
  const { settings } = engine;
  const temperature = refusesTemperature(model) ? null : settings.temperature;
  return { ...engine, model, price: null, settings: { ...settings, temperature } };
}

export function speechEngine(
  given: Place & {
    readonly vendor: SpeechVendor;
    readonly settings: z.output<typeof SpeechEngineSettings>;
    readonly price: SpeechPrice | null;
  },
): SpeechEngine {
  const provider = providerAt(given.baseUrl);
  return {
    ...given,
    kind: "speech",
    baseUrl: trimmed(given.baseUrl),
    provider,
    settings: {
      diarise: given.settings.diarise,
      uploadBytesMax: given.settings.upload_bytes_max ?? uploadBytesAt(provider),
      language: given.settings.language,
    },
  };
}

function trimmed(url: string): string {
  return url.replace(/\/+$/, "");
}
