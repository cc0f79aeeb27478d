import { providerAnalysis, type ProviderAnalysis, resultOf } from "../analysis.ts";
import type { JsonObject } from "../json.ts";
import { textOf } from "../read.ts";

/** What any other system made of a call: its summary, and each value of its analysis as a field. */
export function analysisOf(
  summary: string | null,
  analysis: JsonObject | null,
  language: string | null,
): ProviderAnalysis | null {
  const fields = Object.entries(analysis ?? {}).filter(([, value]) => summary === null || value !== summary);
  const success = fields.find(([name]) => /^(call_?)?success(ful)?$/i.test(name))?.[1];
  return providerAnalysis("generic", {
    summary,
    language,
    fields: fields.map(([name, value]) => ({ name, value, rationale: null })),
    result: resultOf(typeof success === "boolean" ? String(success) : textOf(success)),
  });
}
