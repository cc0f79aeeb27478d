import type { CallAnalysis } from "@aftercall/contract/analysis/call-analysis.ts";
import type { EngineRef } from "@aftercall/contract/analysis/engine.ts";
import type { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import { routes } from "@aftercall/contract/routes.ts";
import type { z } from "zod";

import type { Api } from "./api.ts";
import { isolated } from "./print.ts";

/** What the calls of the demo are analysed by: everything in it is decided by code, so no key is needed. */
const plan: z.input<typeof PlanDefinition> = {
  gates: { min_turns: 1, min_customer_words: 1 },
  fields: [
    {
      name: "city",
      kind: "gazetteer",
      entries: [{ value: "בית שאן" }, { value: "תל אביב" }, { value: "Austin" }, { value: "Dallas" }],
    },
    {
      name: "service_category",
      kind: "gazetteer",
      entries: [
        { value: "שיווק נכס", aliases: ["שיווק נכסים"] },
        { value: "Locksmith", aliases: ["locked out"] },
        { value: "Delivery", aliases: ["parcel", "package"] },
      ],
    },
    { name: "phone", kind: "parser", parser: "phone" },
    { name: "date", kind: "parser", parser: "date" },
  ],
  rubric: {
    criteria: [
      {
        id: "greeting",
        name: "Greets",
        kind: "phrase",
        phrase: {
          id: "greeting",
          name: "Greeting",
          role: "agent",
          any_of: ["hello", "hi", "good morning", "שלום", "היי", "בוקר טוב"],
          range: { from: 0, to: 3, unit: "turns" },
        },
      },
      {
        id: "questions",
        name: "Asks something",
        kind: "metric",
        metric: { key: "questions", role: "agent", op: ">=", value: 1 },
      },
      { id: "knows_city", name: "Finds out the city", kind: "extraction", field: "city" },
      { id: "empathy", name: "Shows understanding", kind: "scale", max_points: 5 },
    ],
  },
};

const planName = "Demo";

/** Publishes the plan of the demo, once for each data directory. */
export async function publishPlan(api: Api): Promise<void> {
  const { data } = await api.ask(routes.listAnalysisPlans, { query: { status: "published" } });
  if (data.some(({ name }) => name === planName)) return;
  const { id } = await api.ask(routes.createAnalysisPlan, { body: { name: planName, definition: plan } });
  await api.ask(routes.publishAnalysisPlan, { id });
}

/** What was made of a call, line by line, each with who made it. */
export function resultLines(analysis: CallAnalysis, turns: number, language: string | null): string[] {
  const { sections, summary, fields, evaluation, missing } = analysis;
  const found = fields.filter(({ state }) => state === "found");
  const why = (step: string) => missing.find((one) => one.step === step)?.detail ?? "nothing was found";
  return [
    turns > 0
      ? `transcript  ${turns} turns, ${language ?? "language unknown"}`
      : `transcript  none: ${why("transcribe")}`,
    summary
      ? `summary     ${isolated(inOneLine(summary.bullets.join(" ") || summary.text))} ${by(sections.summary?.engine)}`
      : `summary     none: ${sections.summary?.detail ?? ""}`,
    found.length > 0
      ? `fields      ${found.map(({ name, value }) => `${name} ${isolated(String(value))}`).join(" · ")} ${by(sections.extraction?.engine)}`
      : `fields      none: ${sections.extraction?.detail ?? "none of them was mentioned"}`,
    evaluation
      ? `score       ${evaluation.score ?? "–"} of 100, ${Math.round(evaluation.coverage * 100)} % of the rubric known, ${evaluation.result} ${by(sections.evaluation?.engine)}`
      : `score       none: ${sections.evaluation?.detail ?? ""}`,
  ];
}

const lineMax = 110;

function inOneLine(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= lineMax ? line : `${line.slice(0, lineMax - 1)}…`;
}

function by(engine: EngineRef | null | undefined): string {
  if (!engine) return "";
  return engine.kind === "builtin" ? "(built-in analyzer, no key)" : `(${engine.model ?? engine.kind})`;
}
