import { StepName, type StepResult } from "@aftercall/contract/analysis/step.ts";

import { isConnected, isOver, type Projection } from "#/calls/project.ts";

import { isFinal, type StepRow } from "./dossier.ts";
import { recipe } from "./recipe.ts";

/** Why a stage of which nothing is written down yet has not begun: what it waits for, or why it never begins. */
export function notBegun(
  step: StepName,
  { seen, isOn, rows }: { readonly seen: Projection; readonly isOn: boolean; readonly rows: Rows },
): Pick<StepResult, "state" | "reason" | "detail"> {
  if (!isOver(seen.status)) return { state: "blocked", reason: null, detail: "The call is not over." };
  if (!isConnected(seen)) {
    const how = seen.outcome ?? seen.status;
    const detail = `Only calls that were completed are analysed; this one ended as ${how}.`;
    return { state: "skipped", reason: "outcome_not_completed", detail };
  }
  if (!isOn && rows.size === 0) {
    const detail = "This server makes nothing of calls: AFTERCALL_ANALYSIS is off.";
    return { state: "skipped", reason: "disabled_by_plan", detail };
  }
  return { state: "blocked", reason: null, detail: waitsFor(step, rows) };
}

type Rows = ReadonlyMap<StepName, StepRow>;

/** The first stage on the way to this one that is held up itself, and by what. */
function waitsFor(step: StepName, rows: Rows): string {
  const needs = step === "settle" ? StepName.options : (recipe.find(({ name }) => name === step)?.needs ?? []);
  const open = needs.filter((name) => name !== step && !isFinal(rows.get(name)));
  const held = open.find((name) => rows.has(name));
  if (held) return because(held, rows.get(held));
  return open[0] ? waitsFor(open[0], rows) : "Its turn has not come yet.";
}

function because(step: StepName, row: StepRow | undefined): string {
  const again = row?.nextAttemptAt ? `, which is looked at again at ${new Date(row.nextAttemptAt).toISOString()}` : "";
  return `Waits for ${step}${again}${row?.detail ? `: ${row.detail}` : ""}`.replace(/\.?$/, ".");
}
