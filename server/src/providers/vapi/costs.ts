import type { CostLine } from "@aftercall/contract/analysis/engine.ts";

import { type Charged, chargedLines, chargesIn } from "../costs.ts";
import type { JsonObject } from "../json.ts";
import { durationOf, numberOf, objectAt, textOf, wordOf } from "../read.ts";
import { firstOf } from "./payload.ts";
import type { VapiMessage } from "./payload.ts";

/** What Vapi says the parts of a call cost: `costs[]`, else `costBreakdown`, its older form. Dollars. */
export function costLinesOf(said: VapiMessage): CostLine[] | null {
  const listed = chargesIn(said.message["costs"] ?? said.call["costs"]).map((item) => chargedFor(objectAt(item)));
  return chargedLines(listed) ?? chargedLines(brokenDown(objectAt(firstOf(said, "costBreakdown", nonEmpty))));
}

const components: ReadonlyMap<string | null, CostLine["component"]> = new Map([
  ["transport", "transport"],
  ["transcriber", "stt"],
  ["model", "llm"],
  ["chat", "llm"],
  ["voice", "tts"],
  ["vapi", "platform"],
  ["analysis", "analysis"],
]);

/** The engine is an object that is named after what it does; `voicemail-detection` and `knowledge-base` have theirs flat. */
function chargedFor(item: JsonObject): Charged {
  const engine = objectAt(item["transcriber"] ?? item["model"] ?? item["voice"]);
  return {
    component: components.get(wordOf(item["type"])) ?? "other",
    provider: textOf(engine["provider"]) ?? textOf(item["provider"]) ?? "vapi",
    model: textOf(engine["model"]) ?? textOf(engine["voiceId"]) ?? textOf(item["modelName"]) ?? textOf(item["model"]),
    cost: item["cost"],
    consumed: [
      ["ms", durationOf(item["minutes"], "min")],
      ["input_token", sumOf(item, ["promptTokens", "promptTextTokens", "promptAudioTokens"])],
      ["cached_input_token", item["cachedPromptTokens"]],
      ["output_token", sumOf(item, ["completionTokens", "completionTextTokens", "completionAudioTokens"])],
      ["char", item["characters"]],
    ],
  };
}

/** Parts that cost nothing are named there all the same. */
function brokenDown(given: JsonObject): Charged[] {
  const analysis = Object.entries(objectAt(given["analysisCostBreakdown"]));
  const charges: Charged[] = [
    { component: "transport", provider: "vapi", cost: given["transport"], consumed: [] },
    { component: "stt", provider: "vapi", cost: given["stt"], consumed: [] },
    {
      component: "llm",
      provider: "vapi",
      cost: given["llm"],
      consumed: [
        ["input_token", given["llmPromptTokens"]],
        ["cached_input_token", given["llmCachedPromptTokens"]],
        ["output_token", given["llmCompletionTokens"]],
      ],
    },
    { component: "tts", provider: "vapi", cost: given["tts"], consumed: [["char", given["ttsCharacters"]]] },
    { component: "platform", provider: "vapi", cost: given["vapi"], consumed: [] },
    { component: "llm", provider: "vapi", cost: given["chat"], consumed: [] },
    ...analysis
      .filter(([name]) => !name.endsWith("Tokens"))
      .map(([, cost]): Charged => ({ component: "analysis", provider: "vapi", cost, consumed: [] })),
  ];
  return charges.filter(({ cost }) => (numberOf(cost) ?? 0) > 0);
}

function nonEmpty(value: unknown): JsonObject | null {
  const found = objectAt(value);
  return Object.keys(found).length > 0 ? found : null;
}

function sumOf(item: JsonObject, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + (numberOf(item[name]) ?? 0), 0);
}
