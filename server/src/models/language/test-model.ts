import { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import { newestPrompt } from "@aftercall/contract/analysis/prompt.ts";
import type { Transcript, Turn, TurnRole } from "@aftercall/contract/call.ts";

import { verifyQuote } from "#/evaluation/evidence.ts";
import { systemClock } from "#/kernel/clock.ts";
import { createGuardedHttp } from "#/kernel/net/http.ts";

import { type Received, type Receiver, type Reply, startReceiver } from "../../../test/harness/receiver.ts";
import { createAnalyst } from "./analyst.ts";
import type { Analysis, LanguageSection } from "./answer.ts";
import type { LanguageEngine } from "./engine.ts";

/** A secret that must not appear anywhere. */
export const testKey = "sk-test-0123456789abcdefghijklmnop";

/** A model server whose answers are written down, and an analyst that asks it over real HTTP. */
export async function startModel(engine: Partial<LanguageEngine> = {}) {
  const receiver: Receiver = await startReceiver();
  const http = createGuardedHttp({ privateTargets: ["127.0.0.0/8"], allowHttp: true, clock: systemClock });
  const analyst = createAnalyst(
    {
      kind: "language",
      vendor: "openai_compatible",
      provider: "openai",
      baseUrl: `${receiver.url}v1`,
      model: "test-model",
      apiKey: testKey,
      price: null,
      origin: "tenant",
      privateTargets: [],
      ...engine,
      settings: {
        contextTokens: 100_000,
        outputTokensMax: 4_000,
        responseFormat: "schema",
        temperature: 0,
        timeoutMs: 5_000,
        promptVersion: newestPrompt,
        language: null,
        ...engine.settings,
      },
    },
    { http, price: () => [], verifyQuote, markKey: Buffer.from("the key of this test's marks") },
  );
  return {
    receiver,
    analyst,
    analyse: (turns: readonly Turn[], sections: readonly LanguageSection[], more: Partial<Analysis> = {}) =>
      analyst.analyse({
        transcript: transcriptOf(turns),
        plan: testPlan,
        sections,
        metrics: [],
        facts: { outcome: "completed", direction: "inbound", durationMs: 60_000, startedAtMs: null, timeZone: "UTC" },
        signal: new AbortController().signal,
        ...more,
      }),
    async close() {
      await Promise.all([receiver.close(), http.close()]);
    },
  };
}

/** A chat completion as OpenAI and those who speak like it send it. */
export function completion(content: unknown, more: { finish?: string; usage?: object | null } = {}): Reply {
  const usage =
    more.usage === undefined ? { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 } : more.usage;
  return json({
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1_700_000_000,
    model: "test-model-2026",
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: typeof content === "string" ? content : JSON.stringify(content) },
        finish_reason: more.finish ?? "stop",
      },
    ],
    ...(usage && { usage }),
  });
}

export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Reply {
  return { status, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) };
}

/** All that a request says to the model, in one text. */
export function saidTo(request: Received | undefined): string {
  const body: { messages?: { content: unknown }[] } = JSON.parse(request?.body.toString() ?? "{}");
  return (body.messages ?? [])
    .map(({ content }) => (typeof content === "string" ? content : JSON.stringify(content)))
    .join("\n");
}

export function turnsOf(...said: readonly (readonly [role: TurnRole, text: string])[]): Turn[] {
  return said.map(([role, text], i) => ({ role, text, start_ms: i * 5_000, end_ms: i * 5_000 + 4_000 }));
}

function transcriptOf(turns: readonly Turn[]): Transcript {
  return { text: turns.map(({ text }) => text).join("\n"), turns: [...turns], language: null };
}

/** A call in which the agent greets, asks and promises. */
export const plainCall = turnsOf(
  ["agent", "Good morning, thank you for calling Sunrise Homes, this is Dana."],
  ["customer", "Hello, I want to sell my flat in Beit Shean."],
  ["agent", "I understand, how many rooms does it have?"],
  ["customer", "It has four rooms and a balcony."],
  ["agent", "I will send you an offer by tomorrow at noon."],
);

export const testPlan = PlanDefinition.parse({
  summary: { instructions: "Name the district." },
  fields: [
    { name: "city", kind: "ai", description: "Where the flat is", schema: { type: "string" } },
    { name: "rooms", kind: "ai", schema: { type: "integer", minimum: 1, maximum: 20 } },
    { name: "phone", kind: "parser", parser: "phone" },
  ],
  rubric: {
    criteria: [
      { id: "greeting", name: "Greets", kind: "check", checks: [{ id: "says_name", text: "The agent says a name" }] },
      { id: "empathy", name: "Shows understanding", kind: "scale", max_points: 10 },
      {
        id: "talk",
        name: "Lets the customer talk",
        kind: "metric",
        metric: { key: "talk_ratio", op: "<", value: 0.7 },
      },
    ],
  },
});

/** Every section as an honest model fills it in for {@link plainCall}. */
export const honest = {
  summary: {
    title: "Flat in Beit Shean",
    text: "### Request\n- The customer wants to sell a flat.",
    bullets: ["Four rooms"],
    next_steps: [
      {
        text: "Send an offer",
        owner: "agent",
        due: "tomorrow at noon",
        evidence: [{ turn: "T4", quote: "I will send you an offer by tomorrow" }],
      },
    ],
    evidence: [{ turn: "T1", quote: "I want to sell my flat" }],
  },
  extraction: {
    city: found("Beit Shean", "T1", "my flat in Beit Shean"),
    rooms: found(4, "T3", "It has four rooms"),
  },
  evaluation: {
    greeting: {
      checks: { says_name: { answer: "yes", evidence: [{ turn: "T0", quote: "this is Dana" }] } },
      rationale: "She says her name.",
      missing: null,
      confidence: 0.9,
    },
    empathy: {
      score: 6,
      evidence: [{ turn: "T2", quote: "I understand, how many rooms" }],
      rationale: "Some.",
      missing: null,
      confidence: 0.6,
    },
  },
  coaching: {
    strengths: ["Clear promise"],
    improvements: [
      {
        text: "Ask for a phone number",
        why: "The offer needs an address",
        say_instead: "How can I reach you?",
        criterion_id: "greeting",
        evidence: [{ turn: "T4", quote: "I will send you an offer" }],
      },
    ],
    keep: ["Promise a next step"],
    start: ["Ask for a phone number"],
    stop: [],
    highlights: [{ label: "Promise", kind: "positive", turn: "T4", quote: "I will send you an offer" }],
  },
} as const;

function found(value: unknown, turn: string, quote: string) {
  return { state: "found", value, candidates: [], confidence: 0.9, rationale: null, evidence: [{ turn, quote }] };
}
