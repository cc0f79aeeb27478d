import type { PromptVersion } from "@aftercall/contract/analysis/prompt.ts";
import type { LanguagePrice } from "@aftercall/contract/engine-settings.ts";

/** Whose wire protocol a language model speaks. OpenAI's is also spoken by Groq, Ollama, llama.cpp, vLLM and others. */
export type LanguageVendor = "openai_compatible" | "anthropic";

/** A language model as somebody set it up. */
export type LanguageEngine = {
  readonly kind: "language";
  readonly vendor: LanguageVendor;
  /** Whose model it is, for prices and cost lines: `openai`, `anthropic`, or the host of the base URL. */
  readonly provider: string;
  /** Ends before `/chat/completions` or `/messages`: `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  readonly model: string;
  /** A secret. Never logged, never part of an error. */
  readonly apiKey: string | null;
  readonly settings: LanguageSettings;
  /** What its owner said that it costs; null: by the table of prices. */
  readonly price: LanguagePrice | null;
  /** Set up by the operator for the whole installation, or by the tenant. */
  readonly origin: "installation" | "tenant";
  /** Address blocks that are open to it although they are not public. */
  readonly privateTargets: readonly string[];
};

export type LanguageSettings = {
  /** What one request and its answer hold together. */
  readonly contextTokens: number;
  readonly outputTokensMax: number;
  /** What is sent as `response_format`; the schema is in the prompt in any case. */
  readonly responseFormat: "schema" | "json" | "none";
  /** Null: not sent, for models that refuse it. */
  readonly temperature: number | null;
  readonly timeoutMs: number;
  /** The wording that it is asked in where a plan does not say. */
  readonly promptVersion: PromptVersion;
  /** What it writes in where a plan does not say; null: the language of the call. */
  readonly language: string | null;
};
