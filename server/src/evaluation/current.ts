import { type CurrentSections, type ProviderResult, SectionName } from "@aftercall/contract/analysis/run.ts";
import { toPublicId } from "@aftercall/contract/id.ts";

import { type Analysed, engineOf } from "./run.ts";

type Made = { readonly id: string; readonly sections: Analysed["sections"] };

/**
 * Which run counts for each part: the first of them that made something of it. Runs are never mixed; where the one that a call
 * shows has nothing to say about a part, this names the one that has.
 */
export function currentSections(inOrder: readonly (Made | null)[]): CurrentSections {
  const current: CurrentSections = {};
  for (const name of SectionName.options) {
    const made = inOrder.find((run) => isMade(run?.sections[name]?.state));
    if (made) current[name] = toPublicId("analysis_run", made.id);
  }
  return current;
}

function isMade(state: string | undefined): boolean {
  return state === "succeeded" || state === "partial";
}

/** The provider's run as it is told beside ours. */
export function providerResult(id: string, analysed: Omit<Analysed, "inputHash">): ProviderResult {
  const { sections, summary, fields, evaluation } = analysed;
  return {
    run_id: toPublicId("analysis_run", id),
    engine: engineOf(sections),
    sections,
    summary,
    fields: [...fields],
    evaluation,
  };
}
