import type { CallChange, Change } from "#/calls/change.ts";
import { isConnected, isOver, project } from "#/calls/project.ts";

import { newsOf } from "./dossier.ts";
import type { PipelineData } from "./run.ts";

/**
 * The calls whose pipelines a commit gives something to do: those that ended, those that were joined, and those of which
 * something was heard after their end that their results depend on.
 */
export function callsToWorkOn(changes: readonly Change[]): PipelineData[] {
  const wanted = new Map<string, PipelineData>();
  for (const change of changes) {
    if (isForPipeline(change)) wanted.set(change.after.id, { tenantId: change.tenantId, callId: change.after.id });
  }
  return [...wanted.values()];
}

function isForPipeline(change: Change): change is CallChange {
  if (change.type === "call.ended") return true;
  if (change.type !== "call.updated" && change.type !== "call.merged") return false;
  const { before, after } = change;
  const seen = project(after.state);
  if (!isOver(seen.status) || !isConnected(seen)) return false;
  if (change.type === "call.merged" || !before) return true;
  return newsOf(before) !== newsOf(after);
}
