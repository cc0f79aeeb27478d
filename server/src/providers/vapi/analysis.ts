import {
  providerAnalysis,
  type ProviderAnalysis,
  type ProviderCriterion,
  type ProviderField,
  resultOf,
} from "../analysis.ts";
import { listOf, numberOf, objectAt, objectOf, textOf } from "../read.ts";
import type { VapiMessage } from "./payload.ts";

/**
 * What Vapi made of a call: the analysis of its assistant, the structured outputs, and the scorecards over these
 * (https://docs.vapi.ai/assistants/call-analysis, https://docs.vapi.ai/observability/scorecard-quickstart).
 */
export function analysisOf({ type, message, artifact }: VapiMessage): ProviderAnalysis | null {
  // What is written while the call goes on is for whoever takes it over.
  if (type === "status-update") return null;
  const analysis = objectAt(message["analysis"]);
  const scorecards = scorecardsIn(artifact["scorecards"]);
  const success = analysis["successEvaluation"];
  const word = typeof success === "boolean" ? String(success) : textOf(success);
  const result = resultOf(word);
  return providerAnalysis("vapi", {
    summary: textOf(analysis["summary"]) ?? textOf(message["summary"]),
    fields: [
      ...dataIn(analysis["structuredData"]),
      ...listOf(analysis["structuredDataMulti"]).flatMap(dataIn),
      ...Object.entries(objectAt(artifact["structuredOutputs"])).map(([id, output]) => {
        const { name, result: value = null } = objectAt(output);
        return { name: textOf(name) ?? id, value, rationale: null };
      }),
    ],
    criteria: [
      // Its own rubric may be one of words or numbers: what they mean is in the assistant, not in the report.
      ...(word !== null && result === "unknown" ? [criterion({ id: "success_evaluation", rationale: word })] : []),
      ...scorecards.map(({ id, name, score }) => criterion({ id, name, ...graded(score) })),
    ],
    result,
    score: scorecards.length === 1 ? (scorecards[0]?.score ?? null) : null,
  });
}

/** An object is a field for each of its values; anything else one field. */
function dataIn(data: unknown): ProviderField[] {
  if (data === undefined || data === null) return [];
  const entries = Object.entries(objectOf(data) ?? { structured_data: data });
  return entries.map(([name, value]) => ({ name, value, rationale: null }));
}

/** `scoreNormalized` is 0 to 100. */
function scorecardsIn(value: unknown): { id: string; name: string; score: number | null }[] {
  return Object.entries(objectAt(value)).map(([id, scorecard]) => {
    const { name, scoreNormalized } = objectAt(scorecard);
    const score = numberOf(scoreNormalized);
    return { id, name: textOf(name) ?? id, score: score !== null && score >= 0 && score <= 100 ? score : null };
  });
}

function graded(points: number | null): Pick<ProviderCriterion, "points" | "verdict" | "max_points"> {
  const verdict = points === null ? "unknown" : points >= 100 ? "met" : points > 0 ? "partial" : "not_met";
  return { points, verdict, max_points: 100 };
}

function criterion(said: Pick<ProviderCriterion, "id"> & Partial<ProviderCriterion>): ProviderCriterion {
  return { name: said.id, verdict: "unknown", points: null, max_points: 1, rationale: null, ...said };
}
