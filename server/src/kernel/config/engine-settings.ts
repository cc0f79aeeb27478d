import { z } from "zod";

import { aboutOf } from "./about.ts";
import { publicUrl, secret, whole } from "./kinds.ts";

/** The engines of tenants that have none of their own. */
export const engineSettings = {
  llmVendor: z
    .enum(["openai_compatible", "anthropic"], { error: "must be openai_compatible or anthropic" })
    .default("openai_compatible")
    .register(aboutOf, {
      env: "AFTERCALL_LLM_VENDOR",
      about: "Whose protocol the language model speaks.",
      example: "anthropic",
    }),
  llmBaseUrl: publicUrl().optional().register(aboutOf, {
    env: "AFTERCALL_LLM_BASE_URL",
    about:
      "Where the language model is reached: OpenAI, Groq, Ollama, llama.cpp, vLLM. Here it may be in a private network and without https.",
    example: "http://localhost:11434/v1",
    defaultText: "the vendor's own",
  }),
  llmModel: z.string().min(1).optional().register(aboutOf, {
    env: "AFTERCALL_LLM_MODEL",
    about:
      "The language model that reads the calls of tenants without one of their own. Without it the built-in analyzer does.",
    example: "gpt-4.1-mini",
    defaultText: "none",
  }),
  llmApiKey: secret().optional().register(aboutOf, {
    env: "AFTERCALL_LLM_API_KEY",
    about: "The key of the language model.",
    example: "…",
    isSecret: true,
  }),
  llmContextTokens: whole(2_000, 10_000_000).optional().register(aboutOf, {
    env: "AFTERCALL_LLM_CONTEXT_TOKENS",
    about: "What one request and its answer hold together. A longer call is read in parts.",
    example: "8192",
    defaultText: "`128000`",
  }),
  llmResponseFormat: z
    .enum(["schema", "json", "none"], { error: "must be schema, json or none" })
    .default("schema")
    .register(aboutOf, {
      env: "AFTERCALL_LLM_RESPONSE_FORMAT",
      about: "What the server takes as `response_format`: a JSON Schema, `json_object`, or nothing.",
      example: "json",
    }),
  sttVendor: z
    .enum(["openai_compatible", "deepgram", "elevenlabs", "assemblyai"], {
      error: "must be openai_compatible, deepgram, elevenlabs or assemblyai",
    })
    .default("openai_compatible")
    .register(aboutOf, {
      env: "AFTERCALL_STT_VENDOR",
      about: "Whose protocol the speech-to-text engine speaks.",
      example: "deepgram",
    }),
  sttBaseUrl: publicUrl().optional().register(aboutOf, {
    env: "AFTERCALL_STT_BASE_URL",
    about: "Where the speech-to-text engine is reached; as `AFTERCALL_LLM_BASE_URL`.",
    example: "http://localhost:8000/v1",
    defaultText: "the vendor's own",
  }),
  sttModel: z.string().min(1).optional().register(aboutOf, {
    env: "AFTERCALL_STT_MODEL",
    about:
      "The speech-to-text model of tenants without an engine of their own. Without it only transcripts of providers are used.",
    example: "whisper-1",
    defaultText: "none",
  }),
  sttApiKey: secret().optional().register(aboutOf, {
    env: "AFTERCALL_STT_API_KEY",
    about: "The key of the speech-to-text engine.",
    example: "…",
    isSecret: true,
  }),
  monthlyBudgetUsd: z
    .string({ error: "must be an amount" })
    .regex(/^\d{1,9}(?:\.\d{1,9})?$/, "must be an amount in US dollars: 50 or 12.50")
    .optional()
    .register(aboutOf, {
      env: "AFTERCALL_MONTHLY_BUDGET_USD",
      about:
        "What the engines above may cost for each tenant in a calendar month, language and speech each, in US dollars. Past it their work is skipped with the reason `cost_limit`.",
      example: "50",
      defaultText: "no limit",
    }),
} as const;
