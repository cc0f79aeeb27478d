import type { CallAnalysis, MissingStep } from "@aftercall/contract/analysis/call-analysis.ts";
import type { Section, SectionName } from "@aftercall/contract/analysis/run.ts";
import type { StepName } from "@aftercall/contract/analysis/step.ts";
import { toPublicId } from "@aftercall/contract/id.ts";

import { join, nothingKnown } from "#/calls/state.ts";
import type { CallState } from "#/calls/state.ts";
import { currentSections, providerResult } from "#/evaluation/current.ts";
import { type Analysed, engineOf, statusOf } from "#/evaluation/run.ts";
import { topicsOf } from "#/evaluation/topics.ts";
import { withSentiment } from "#/metrics/sentiment.ts";
import { sumUsage } from "#/models/usage.ts";
import type { Facts } from "#/providers/provider.ts";

import { digest, type Dossier, isFinal, type StepRow } from "./dossier.ts";

/** Which step makes which section of a run. */
export const sectionOfStep: ReadonlyMap<StepName, SectionName> = new Map([
  ["summarise", "summary"],
  ["extract", "extraction"],
  ["track", "tracking"],
  ["name_topics", "topics"],
  ["rate_sentiment", "sentiment"],
  ["score", "evaluation"],
  ["coach", "coaching"],
]);

/** What the steps came to, as a run keeps it. */
export function analysedOf(dossier: Dossier): Analysed {
  const { found, steps } = dossier;
  const rows = [...sectionOfStep.keys()].flatMap((name) => steps.get(name) ?? []);
  const usages = rows.flatMap(({ usage }) => usage ?? []);
  return {
    transcriptId: (found.masked ?? found.transcript)?.id ?? null,
    inputHash: Buffer.from(digest(rows.map(({ step, inputHash }) => [step, inputHash])), "hex"),
    sections: sectionsOf(rows),
    summary: found.summary,
    fields: found.fields,
    trackers: found.trackers,
    topics: found.topics,
    sentiment: found.sentiment,
    evaluation: found.evaluation,
    coaching: found.coaching,
    usage: usages.length > 0 ? sumUsage(usages) : null,
    cost: rows.flatMap(({ cost }) => cost),
  };
}

function sectionsOf(rows: readonly StepRow[]): Analysed["sections"] {
  const sections: Partial<Record<SectionName, Section>> = {};
  for (const { step, state, reason, detail, engine } of rows) {
    const name = sectionOfStep.get(step);
    if (name) sections[name] = { state, reason, detail, engine };
  }
  return sections;
}

/** A run that is written, or is about to be. */
export type MadeRun = { readonly id: string; readonly analysed: Analysed };

/** The same as messages tell it, with the numbers, with what the provider made of the call, and with what is missing. */
export function callAnalysisOf(dossier: Dossier, { id, analysed }: MadeRun, provider: MadeRun | null): CallAnalysis {
  const { audio, text } = dossier.found;
  const [ours, theirs] = [
    { id, sections: analysed.sections },
    provider && { id: provider.id, sections: provider.analysed.sections },
  ];
  return {
    run_id: toPublicId("analysis_run", id),
    status: statusOf(analysed.sections),
    engine: engineOf(analysed.sections),
    sections: analysed.sections,
    summary: analysed.summary,
    fields: [...analysed.fields],
    trackers: [...analysed.trackers],
    topics: topicsOf(analysed),
    sentiment: analysed.sentiment,
    metrics: withSentiment(
      [audio, text].filter((set) => set !== null),
      analysed.sentiment,
    ),
    evaluation: analysed.evaluation,
    coaching: analysed.coaching,
    provider: provider && providerResult(provider.id, provider.analysed),
    current: currentSections(showsProvider(dossier, analysed, provider) ? [theirs, ours] : [ours, theirs]),
    missing: missingOf(dossier),
  };
}

/** Whether a call shows what its provider made of it: where the plan says so, or nothing came of ours. */
export function showsProvider({ plan }: Dossier, ours: Analysed, provider: MadeRun | null): boolean {
  if (!provider) return false;
  return plan.definition.provider.show === "provider" || ["skipped", "failed"].includes(statusOf(ours.sections));
}

function missingOf({ steps }: Dossier): MissingStep[] {
  return [...steps.values()].flatMap(({ step, state, reason, detail }) =>
    state === "skipped" || state === "failed" || (step === "fetch_recording" && state !== "succeeded")
      ? [{ step, state, reason, detail }]
      : [],
  );
}

/** The digest of everything that a run tells: while it is equal, there is nothing new. */
export function toldDigestOf({ found, steps }: Dossier): string {
  const { masked, audio, text, summary, fields, trackers, topics, sentiment, evaluation, coaching } = found;
  const rows = [...sectionOfStep.keys()].map((name) => [steps.get(name)?.state, steps.get(name)?.reason]);
  const transcript = masked ?? found.transcript;
  const made = [summary, fields, trackers, topics, sentiment, evaluation, coaching];
  return digest([rows, transcript?.id, audio, text, ...made]);
}

/** Whether everything a run is made of has come to its end. */
export function isAnalysed({ steps }: Dossier): boolean {
  return [...sectionOfStep.keys()].every((name) => isFinal(steps.get(name)));
}

/** Claims of the pipeline are named by this and the run. */
const by = "pipeline:";

/**
 * The state of the call with what was found out about it. What a provider states or suggests wins; what an earlier run found
 * out gives way to this one.
 */
export function withFindings(state: CallState, dossier: Dossier, runId: string, at: number): CallState {
  const facts = Object.fromEntries(Object.entries(state.facts).filter(([, claim]) => !claim?.by.startsWith(by)));
  const stamp = { weight: 1, at, received_at: at, by: `${by}${runId}` };
  const claims = Object.entries(findingsOf(dossier)).map(([name, value]) => [name, { value, ...stamp }] as const);
  return join({ ...state, facts }, { ...nothingKnown, facts: Object.fromEntries(claims) });
}

function findingsOf({ found }: Dossier): Facts {
  const fields = new Map(
    found.fields.flatMap(({ name, state, value }) =>
      state === "found" && typeof value === "string" ? [[name, value] as const] : [],
    ),
  );
  const findings = {
    summary: found.summary?.text || undefined,
    language: found.transcript?.transcript.language ?? found.summary?.language ?? undefined,
    city: fields.get("city"),
    service_category: fields.get("service_category"),
  };
  return Object.fromEntries(Object.entries(findings).filter(([, value]) => value !== undefined));
}
