import type { CostLine, EngineRef, Usage } from "@aftercall/contract/analysis/engine.ts";
import type { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import type {
  AnalysisRun,
  Coaching,
  Evaluation,
  ExtractedField,
  Section,
  SectionName,
  Sentiment,
  Summary,
  TrackerHit,
} from "@aftercall/contract/analysis/run.ts";
import { toPublicId } from "@aftercall/contract/id.ts";

import type { NamedTopic } from "#/models/language/answer.ts";

import { topicsOf } from "./topics.ts";

/** One version of a plan, by our own id of it. */
export type Plan = {
  readonly id: string;
  readonly version: number;
  readonly name: string;
  readonly definition: PlanDefinition;
};

/** What the analysis of one call by one plan came to. */
export type Analysed = {
  readonly transcriptId: string | null;
  readonly inputHash: Buffer;
  readonly sections: Partial<Record<SectionName, Section>>;
  readonly summary: Summary | null;
  readonly fields: readonly ExtractedField[];
  readonly trackers: readonly TrackerHit[];
  /** What a model named, beside what the trackers do. */
  readonly topics: readonly NamedTopic[];
  readonly sentiment: Sentiment | null;
  readonly evaluation: Evaluation | null;
  readonly coaching: Coaching | null;
  readonly usage: Usage | null;
  readonly cost: readonly CostLine[];
};

/** A run as it is kept. It never changes, but for whether it is the current one of its call. */
export type RunRow = Omit<Analysed, "inputHash"> & {
  readonly tenantId: string;
  readonly id: string;
  readonly callId: string;
  readonly planId: string;
  readonly planVersion: number;
  readonly planName: string;
  readonly trigger: AnalysisRun["trigger"];
  readonly jobId: string | null;
  readonly status: AnalysisRun["status"];
  readonly isCurrent: boolean;
  /** A person has put right what was said since. */
  readonly isStale: boolean;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
};

/** How a whole run came out, from its sections: something skipped on purpose takes nothing away. */
export function statusOf(sections: Analysed["sections"]): AnalysisRun["status"] {
  const states = Object.values(sections).flatMap((section) => (section ? [section.state] : []));
  const made = states.filter((state) => state === "succeeded" || state === "partial").length;
  const failed = states.filter((state) => state === "failed").length;
  if (failed > 0) return made > 0 ? "partial" : "failed";
  if (made === 0) return "skipped";
  return states.includes("partial") ? "partial" : "succeeded";
}

/** Who made most of it: a model where one made anything, else whoever made the first section. */
export function engineOf(sections: Analysed["sections"]): EngineRef | null {
  const engines = Object.values(sections).flatMap((section) => section?.engine ?? []);
  return engines.find(({ kind }) => kind === "llm") ?? engines[0] ?? null;
}

/** A run as the API shows it: what the machine said, whatever people changed. */
export function showRun(row: RunRow): AnalysisRun {
  return {
    id: toPublicId("analysis_run", row.id),
    call_id: toPublicId("call", row.callId),
    plan: { id: toPublicId("analysis_plan", row.planId), version: row.planVersion, name: row.planName },
    trigger: row.trigger,
    status: row.status,
    is_current: row.isCurrent,
    is_stale: row.isStale,
    engine: engineOf(row.sections),
    sections: row.sections,
    summary: row.summary,
    fields: [...row.fields],
    trackers: [...row.trackers],
    topics: topicsOf(row),
    sentiment: row.sentiment,
    evaluation: row.evaluation,
    coaching: row.coaching,
    usage: row.usage,
    cost: [...row.cost],
    created_at: row.createdAt.toISOString(),
    finished_at: row.finishedAt?.toISOString() ?? null,
  };
}
