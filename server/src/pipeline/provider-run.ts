import type { EngineRef } from "@aftercall/contract/analysis/engine.ts";
import type { ExtractedField, Section } from "@aftercall/contract/analysis/run.ts";

import { factOf } from "#/calls/project.ts";
import type { CallState } from "#/calls/state.ts";
import type { Analysed } from "#/evaluation/run.ts";
import type { ProviderAnalysis, ProviderCriterion } from "#/providers/analysis.ts";

import { digest, type Dossier } from "./dossier.ts";

/** What the provider made of the call itself, as a run of its own; null where it sent nothing of the kind. */
export function providerAnalysed(state: CallState, { told, seen }: Pick<Dossier, "told" | "seen">): Analysed | null {
  const analysis = factOf(state, "provider_analysis");
  // Calls that were not completed run no analysis, and show none.
  if (!analysis || seen.outcome === "voicemail") return null;
  const { provider, title, summary, language, fields, criteria, result, score } = analysis;
  const engine: EngineRef = { kind: "provider", provider, model: null, version: null, prompt_sha256: null };
  const good: Section = { state: "succeeded", reason: null, detail: null, engine };
  const isJudged = criteria.length > 0 || result !== null || score !== null;
  return {
    transcriptId: told && told.origin !== "human_edit" ? told.id : null,
    inputHash: Buffer.from(digest(analysis), "hex"),
    sections: {
      ...(summary !== null && { summary: good }),
      ...(fields.length > 0 && { extraction: good }),
      ...(isJudged && { evaluation: good }),
    },
    summary:
      summary === null
        ? null
        : { title, text: summary, language, bullets: [], next_steps: [], method: "provider", evidence: [] },
    fields: fields.map(fieldOf),
    trackers: [],
    topics: [],
    sentiment: null,
    evaluation: isJudged ? evaluationOf(analysis) : null,
    coaching: null,
    usage: null,
    cost: [],
  };
}

function fieldOf({ name, value, rationale }: ProviderAnalysis["fields"][number]): ExtractedField {
  const isFound = value !== null && value !== "";
  return {
    name,
    value: isFound ? value : null,
    state: isFound ? "found" : "not_mentioned",
    confidence: null,
    rationale,
    candidates: [],
    evidence: [],
    method: "provider",
  };
}

/** The provider's verdicts as it gave them. A score is never made out of them: theirs have other weights than ours. */
function evaluationOf({ criteria, result, score }: ProviderAnalysis): NonNullable<Analysed["evaluation"]> {
  const known = criteria.filter(({ verdict }) => verdict !== "unknown").length;
  return {
    result: result ?? "unknown",
    score,
    coverage: criteria.length > 0 ? known / criteria.length : Number(result === "pass" || result === "fail"),
    results: criteria.map(resultOf),
    needs_review: false,
    flags: [],
  };
}

function resultOf({ id, name, verdict, points, max_points, rationale }: ProviderCriterion) {
  const unknown_reason = verdict === "unknown" ? "not_said" : null;
  const nothing = { missing: null, evidence: [], confidence: null, checks: [] };
  return {
    ...{ criterion_id: id, name, verdict, unknown_reason, points, max_points, weight: 1, auto_fail: false, rationale },
    ...nothing,
  };
}
