import type { FieldDef, PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import type { ExtractedField } from "@aftercall/contract/analysis/run.ts";

import { factOf } from "#/calls/project.ts";
import { isSpeech } from "#/text/turns.ts";

import type { Dossier } from "./dossier.ts";
import { isSameLanguage } from "./gates.ts";

/** What the plan says of this call: without the fields that are for other calls. */
export function definitionFor(dossier: Dossier): PlanDefinition {
  const { definition } = dossier.plan;
  const fields = definition.fields.filter((field) => reasonAgainst(field, dossier) === null);
  return fields.length === definition.fields.length ? definition : { ...definition, fields };
}

/** All fields of the plan in its order: those that were looked for, and those that are for other calls, with the reason. */
export function withOthers(found: readonly ExtractedField[], dossier: Dossier): ExtractedField[] {
  const byName = new Map(found.map((field) => [field.name, field]));
  return dossier.plan.definition.fields.flatMap((field) => {
    const why = reasonAgainst(field, dossier);
    return why === null ? (byName.get(field.name) ?? []) : leftOut(field, why);
  });
}

/** Why a field is not looked for in this call. */
function reasonAgainst({ when, languages }: FieldDef, { seen, record, found }: Dossier): string | null {
  const spoken = found.words?.language ?? null;
  if (languages.length > 0 && spoken !== null && !languages.some((one) => isSameLanguage(one, spoken))) {
    return `Looked for in calls in ${languages.join(", ")}; this one is in ${spoken}.`;
  }
  const direction = factOf(record.state, "direction");
  const turns = when.min_turns === null ? 0 : (found.words?.turns.filter(isSpeech).length ?? 0);
  if (when.min_turns !== null && turns < when.min_turns) {
    return `Looked for in calls of ${when.min_turns} turns and more; this one has ${turns}.`;
  }
  if (when.min_duration_ms !== null && (seen.durationMs ?? 0) < when.min_duration_ms) {
    return `Looked for in calls of ${when.min_duration_ms / 1000} s and more.`;
  }
  if (when.directions.length > 0 && !when.directions.some((one) => one === direction)) {
    return `Looked for in ${when.directions.join(" and ")} calls.`;
  }
  if (when.outcomes.length > 0 && !when.outcomes.some((one) => one === seen.outcome)) {
    return `Looked for in calls that ended as ${when.outcomes.join(" or ")}.`;
  }
  return null;
}

function leftOut({ name, kind }: FieldDef, rationale: string): ExtractedField {
  const nothing = { value: null, confidence: null, candidates: [], evidence: [] };
  return { name, state: "skipped", rationale, method: kind === "ai" ? "llm" : kind, ...nothing };
}
