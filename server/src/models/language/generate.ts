import type { Usage } from "@aftercall/contract/analysis/engine.ts";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, jsonSchema, type LanguageModel, type LanguageModelUsage, Output } from "ai";

import type { GuardedHttp } from "#/kernel/net/http.ts";

import type { Generated } from "./answer.ts";
import type { LanguageEngine } from "./engine.ts";
import { failureOfModel } from "./failure-of-model.ts";
import { fetchThrough } from "./fetch.ts";

/** One thing that is said to a model, or was said by it. */
export type ModelMessage = { readonly role: "user" | "assistant"; readonly content: string };

export type Request = {
  readonly instructions: string;
  readonly messages: readonly ModelMessage[];
  readonly schema: object;
  readonly signal: AbortSignal;
};

export type Generate = (request: Request) => Promise<Generated>;

/**
 * One request to a model, without tools: its only effect is a text. Throws Retry and GiveUp. It is not tried again here: the
 * step that asked has its own schedule, which outlives this process.
 */
export function createGenerate(engine: LanguageEngine, http: GuardedHttp): Generate {
  // Warnings would go to the console, with parts of the request.
  globalThis.AI_SDK_LOG_WARNINGS = false;
  const model = modelOf(engine, fetchThrough(http, engine));
  const { settings } = engine;
  return async ({ instructions, messages, schema, signal }) => {
    try {
      const result = await generateText({
        model,
        instructions,
        messages: messages.map(({ role, content }) => ({ role, content })),
        output: outputOf(settings.responseFormat, schema),
        maxOutputTokens: settings.outputTokensMax,
        maxRetries: 0,
        abortSignal: signal,
        ...(settings.temperature !== null && { temperature: settings.temperature }),
      });
      return {
        text: textOf(result),
        ended: endOf(result.finishReason),
        usage: usageOf(result.totalUsage),
        model: result.response.modelId,
      };
    } catch (error) {
      throw failureOfModel(error, signal);
    }
  };
}

function modelOf(engine: LanguageEngine, fetch: typeof globalThis.fetch): LanguageModel {
  const { provider, baseUrl, apiKey, model } = engine;
  if (engine.vendor === "anthropic") {
    return createAnthropic({ baseURL: baseUrl, apiKey: apiKey ?? "", fetch })(model);
  }
  const made = createOpenAICompatible({
    name: "engine",
    baseURL: baseUrl,
    fetch,
    // Without it the schema is dropped in silence.
    supportsStructuredOutputs: true,
    ...(apiKey !== null && { apiKey }),
    // OpenAI's newer models refuse the older name, and its older models take both.
    ...(provider === "openai" && { transformRequestBody: withNewName }),
  });
  return made.chatModel(model);
}

function withNewName({ max_tokens: limit, ...body }: Record<string, unknown>): Record<string, unknown> {
  return { ...body, max_completion_tokens: limit };
}

/** The text as it is: reading and checking it is ours, so that thoughts, fences and slips around JSON are no failures. */
function outputOf(format: LanguageEngine["settings"]["responseFormat"], schema: object) {
  const text = Output.text();
  if (format === "none") return text;
  const named = { type: "json" as const, name: "analysis" };
  const described = async () => ({ ...named, schema: await jsonSchema(schema).jsonSchema });
  return { ...text, responseFormat: format === "json" ? Promise.resolve(named) : described() };
}

function textOf(result: { readonly text: string; readonly output: string }): string {
  try {
    return result.output;
  } catch {
    // Nothing was said, or it was withheld.
    return result.text;
  }
}

function endOf(reason: string): Generated["ended"] {
  if (reason === "stop" || reason === "length") return reason;
  return reason === "content-filter" ? "content_filter" : "other";
}

/** Where a server tells no usage the numbers are null, not zero. */
function usageOf({ inputTokens, inputTokenDetails, outputTokens, outputTokenDetails }: LanguageModelUsage): Usage {
  return {
    input_tokens: inputTokens ?? null,
    cached_input_tokens: inputTokenDetails.cacheReadTokens ?? null,
    output_tokens: outputTokens ?? null,
    reasoning_tokens: outputTokenDetails.reasoningTokens ?? null,
    audio_ms: null,
  };
}
