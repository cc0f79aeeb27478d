import type { EngineRef } from "@aftercall/contract/analysis/engine.ts";
import type { FieldDef } from "@aftercall/contract/analysis/plan.ts";
import type { ExtractedField } from "@aftercall/contract/analysis/run.ts";
import type { StepReason } from "@aftercall/contract/analysis/step.ts";

import { GiveUp, Retry } from "#/models/failure.ts";
import { sumUsage } from "#/models/usage.ts";

import { definitionFor, withOthers } from "./applicable.ts";
import { isByModel } from "./by-model.ts";
import { CostLimit } from "./cost-limit.ts";
import type { Dossier } from "./dossier.ts";
import type { Finished } from "./outcome.ts";
import type { Tools } from "./step.ts";

/**
 * The fields that were found, with those for which the plan names other models of the engine: one request to each of these. One
 * that fails leaves its own fields empty, and no others.
 * @throws Retry while one may still answer later
 */
export async function withOtherModels(dossier: Dossier, tools: Tools, made: Finished): Promise<Finished> {
  const fields = definitionFor(dossier).fields.filter(({ llm_override: model }) => model !== null);
  if (fields.length === 0 || made.state === "skipped" || !isByModel(dossier, "extraction")) return made;
  const models = [...new Set(fields.flatMap(({ llm_override: model }) => model ?? []))];
  const parts = await Promise.all(
    models.map((model) => {
      const own = fields.filter(({ llm_override: other }) => other === model);
      return foundBy(dossier, tools, { model, fields: own });
    }),
  );
  const isMade = made.state !== "failed" && made.found.fields?.some(({ state }) => state !== "skipped");
  const isAny = isMade || parts.some(({ reason }) => reason === null);
  const failure = [made, ...parts].find(({ reason }) => reason !== null);
  const stateThen = failure?.reason === "cost_limit" ? "skipped" : "failed";
  const usages = [made.usage, ...parts.map(({ usage }) => usage)].filter((usage) => usage !== null);
  return {
    ...made,
    ...(failure && { state: isAny ? "partial" : stateThen, reason: failure.reason, detail: failure.detail }),
    found: {
      fields: withOthers([...(made.found.fields ?? []), ...parts.flatMap((part) => part.fields)], dossier),
    },
    engine: made.engine?.kind === "llm" ? made.engine : (parts.find(({ engine }) => engine)?.engine ?? made.engine),
    usage: usages.length > 0 ? sumUsage(usages) : null,
    cost: [...made.cost, ...parts.flatMap(({ cost }) => cost)],
  };
}

type Asked = { readonly model: string; readonly fields: readonly FieldDef[] };
type Part = Pick<Finished, "engine" | "usage" | "cost" | "detail"> & {
  readonly fields: readonly ExtractedField[];
  readonly reason: StepReason | null;
};

async function foundBy(dossier: Dossier, tools: Tools, asked: Asked): Promise<Part> {
  const row = dossier.steps.get("extract");
  if (!tools.askModel) throw new Error("a step asks a model where none can be asked");
  try {
    const { answer, isFirst } = await tools.askModel(dossier, "extraction", row?.retried ?? 0, asked.model);
    const { engine, sections, usage, cost } = answer;
    const spent = isFirst ? { usage, cost } : nothingSpent;
    const given = sections.extraction;
    if (!given?.ok) {
      const why = given ?? ({ reason: "invalid_output", detail: "it left them out" } as const);
      return { ...without(asked, why.reason, why.detail, engine), ...spent };
    }
    const fields = given.value.map((field) => ({ ...field, model: asked.model }));
    return { fields, engine, reason: null, detail: null, ...spent };
  } catch (error) {
    if (error instanceof CostLimit) return without(asked, "cost_limit", error.message);
    const isLast = row === undefined || row.attempt >= row.attemptsMax;
    if (error instanceof GiveUp || (error instanceof Retry && isLast)) {
      return without(asked, error.reason, error.message);
    }
    throw error;
  }
}

const nothingSpent = { usage: null, cost: [] };

function without({ model, fields }: Asked, reason: StepReason, why: string, engine: EngineRef | null = null): Part {
  const detail = `The model ${model} gave nothing for ${fields.map(({ name }) => name).join(", ")}: ${why}`;
  const state = reason === "cost_limit" ? "skipped" : "failed";
  const nothing = { value: null, confidence: null, candidates: [], evidence: [], method: "llm" as const };
  return {
    fields: fields.map(({ name }) => ({ name, state, rationale: why, ...nothing, model })),
    ...{ engine, reason, detail, ...nothingSpent },
  };
}
