import { providerAnalysis, type ProviderAnalysis, type ProviderCriterion, resultOf } from "../analysis.ts";
import type { JsonObject } from "../json.ts";
import { objectAt, textOf, wordOf } from "../read.ts";

/**
 * What ElevenLabs made of a conversation: its summary, what data collection found, how its criteria came out
 * (https://elevenlabs.io/docs/agents-platform/customization/agent-analysis).
 */
export function analysisOf(analysis: JsonObject | null, language: string | null): ProviderAnalysis | null {
  if (!analysis) return null;
  return providerAnalysis("elevenlabs", {
    title: textOf(analysis["call_summary_title"]),
    summary: textOf(analysis["transcript_summary"]),
    language,
    fields: Object.entries(objectAt(analysis["data_collection_results"])).map(([id, found]) => {
      const { value = null, rationale } = objectAt(found);
      return { name: id, value, rationale: textOf(rationale) };
    }),
    criteria: Object.entries(objectAt(analysis["evaluation_criteria_results"])).map(([id, found]) => {
      const { result, rationale } = objectAt(found);
      const verdict = verdicts.get(wordOf(result) ?? "") ?? "unknown";
      return { id, name: id, verdict, points: null, max_points: 1, rationale: textOf(rationale) };
    }),
    result: resultOf(wordOf(analysis["call_successful"])),
  });
}

const verdicts: ReadonlyMap<string, ProviderCriterion["verdict"]> = new Map([
  ["success", "met"],
  ["failure", "not_met"],
]);
