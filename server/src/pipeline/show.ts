import { StepName, type StepResult } from "@aftercall/contract/analysis/step.ts";
import { toPublicId } from "@aftercall/contract/id.ts";
import type { CallSteps } from "@aftercall/contract/routes/pipeline.ts";

import type { Projection } from "#/calls/project.ts";

import type { StepRow } from "./dossier.ts";
import { notBegun } from "./not-begun.ts";
import type { ShownPipeline } from "./step-store.ts";

/** The stages of a call as the API shows them: also those of which nothing is written down yet. */
export function showSteps(
  callId: string,
  pipeline: ShownPipeline | null,
  rows: readonly StepRow[],
  about: { readonly seen: Projection; readonly isOn: boolean },
): CallSteps {
  const byName = new Map(rows.map((row) => [row.step, row]));
  return {
    call_id: toPublicId("call", callId),
    state: pipeline?.state ?? "waiting",
    plan: pipeline?.plan_id
      ? { id: toPublicId("analysis_plan", pipeline.plan_id), version: pipeline.plan_version ?? 1 }
      : null,
    settle_by: pipeline?.settle_by.toISOString() ?? null,
    settled_at: pipeline?.settled_at?.toISOString() ?? null,
    steps: StepName.options.map((name) => {
      const row = byName.get(name);
      return row ? showStep(row) : { ...nothing, step: name, ...notBegun(name, { ...about, rows: byName }) };
    }),
  };
}

export function showStep(row: StepRow): StepResult {
  return {
    step: row.step,
    state: row.state,
    reason: row.reason,
    detail: row.detail,
    attempt: row.attempt,
    attempts_max: row.attemptsMax,
    next_attempt_at: isoOf(row.nextAttemptAt),
    engine: row.engine,
    usage: row.usage,
    cost: [...row.cost],
    started_at: isoOf(row.startedAt),
    finished_at: isoOf(row.finishedAt),
  };
}

const nothing = {
  attempt: 0,
  attempts_max: 1,
  next_attempt_at: null,
  engine: null,
  usage: null,
  cost: [],
  started_at: null,
  finished_at: null,
} satisfies Partial<StepResult>;

function isoOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
