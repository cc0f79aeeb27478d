import { LanguageEngineSettings, SpeechEngineSettings, vendorUrls } from "@aftercall/contract/engine-settings.ts";

import type { LanguageEngine, LanguageVendor } from "#/models/language/engine.ts";
import type { SpeechEngine, SpeechVendor } from "#/models/speech/engine.ts";

import { languageEngine, speechEngine } from "./engine.ts";

/** What the operator said about engines; null where nothing. */
export type EngineConfig = {
  readonly llmVendor: LanguageVendor;
  readonly llmBaseUrl: string | null;
  readonly llmModel: string | null;
  readonly llmApiKey: string | null;
  readonly llmContextTokens: number | null;
  readonly llmResponseFormat: "schema" | "json" | "none";
  readonly sttVendor: SpeechVendor;
  readonly sttBaseUrl: string | null;
  readonly sttModel: string | null;
  readonly sttApiKey: string | null;
  readonly monthlyBudgetUsd: string | null;
};

/** The engines of tenants that have none of their own; null without a model. */
export type DefaultEngines = {
  readonly language: LanguageEngine | null;
  readonly speech: SpeechEngine | null;
  /** US dollars per tenant, kind of engine and month. */
  readonly monthlyBudget: string | null;
};

/** Reads what the operator configured. The operator's own URLs may lead anywhere in the operator's network. */
export function defaultEngines(config: EngineConfig): DefaultEngines {
  const own = { origin: "installation", privateTargets: everywhere, price: null } as const;
  const language =
    config.llmModel === null
      ? null
      : languageEngine({
          ...own,
          vendor: config.llmVendor,
          baseUrl: config.llmBaseUrl ?? vendorUrls.language[config.llmVendor],
          model: config.llmModel,
          apiKey: config.llmApiKey,
          settings: LanguageEngineSettings.parse({
            response_format: config.llmResponseFormat,
            ...(config.llmContextTokens !== null && { context_tokens: config.llmContextTokens }),
          }),
        });
  const speech =
    config.sttModel === null
      ? null
      : speechEngine({
          ...own,
          vendor: config.sttVendor,
          baseUrl: config.sttBaseUrl ?? vendorUrls.speech[config.sttVendor],
          model: config.sttModel,
          apiKey: config.sttApiKey,
          settings: SpeechEngineSettings.parse({}),
        });
  return { language, speech, monthlyBudget: config.monthlyBudgetUsd };
}

/** Credentials of the machine stay out of reach in any case (kernel/net/addresses). */
export const everywhere = ["0.0.0.0/0", "::/0"] as const;
