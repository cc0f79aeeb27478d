import type { Section } from "@aftercall/contract/analysis/run.ts";
import { FailureReason, type SkipReason, type StepName } from "@aftercall/contract/analysis/step.ts";

import { GiveUp } from "#/models/failure.ts";
import type { LanguageSection, SectionValues } from "#/models/language/answer.ts";

import { definitionFor } from "./applicable.ts";
import { type Asked, wantedSections } from "./ask-model.ts";
import { CostLimit } from "./cost-limit.ts";
import { type Dossier, isFinal } from "./dossier.ts";
import { failed, type Finished, skipped } from "./outcome.ts";
import type { Tools } from "./step.ts";

/** Whether a model makes this section of this call; otherwise the built-in analyzer does. */
export function isByModel(dossier: Dossier, section: LanguageSection): boolean {
  const { use } = dossier.plan.definition.engine;
  const isThere = use !== "builtin" && dossier.engines.language !== null;
  return isThere && wantedSections(definitionFor(dossier)).includes(section);
}

/** What a section depends on that is made of what was said: the transcript that counts, the plan, and how the call ended. */
export function saidAndPlanned({ found, plan, seen }: Dossier): unknown {
  return [found.transcript?.id, found.transcript?.digest, plan.id, plan.version, seen.outcome];
}

/** Why a model that the plan asks for does not do it: none is set up, or its money is spent. Null when nothing is missing. */
function missingModel({ plan, engines }: Dossier): readonly [SkipReason, string] | null {
  if (plan.definition.engine.use === "builtin" || engines.language) return null;
  if (engines.isLanguageSpent) return ["cost_limit", "The budget for language models is spent for this month."];
  if (plan.definition.engine.use === "auto") return null;
  return ["no_engine", "The plan asks for a language model, and none is set up."];
}

/** One section from the model, or what becomes of the step instead; `make` does it without the model. */
export async function fromModel<Name extends LanguageSection>(
  dossier: Dossier,
  tools: Tools,
  section: Name,
  use: (value: SectionValues[Name], flags: readonly string[]) => Finished,
  make: Make,
): Promise<Finished> {
  if (!tools.askModel) throw new Error("a step asks a model where none can be asked");
  const known = givenUp(dossier, section);
  if (known) throw new GiveUp(known.reason, { detail: known.detail });
  let asked: Asked;
  try {
    asked = await tools.askModel(dossier, section, retriedOf(dossier, section));
  } catch (error) {
    if (error instanceof CostLimit) return without(dossier, ["cost_limit", error.message], make);
    throw error;
  }
  const { answer, isFirst } = asked;
  const { engine, usage, cost, flags } = answer;
  const spent = isFirst ? { usage, cost } : {};
  const given = answer.sections[section];
  if (!given) return { ...failed("invalid_output", "The model left this section out."), engine, ...spent };
  if (!given.ok) return { ...failed(given.reason, given.detail), engine, ...spent };
  return { ...use(given.value, flags), engine, ...spent };
}

/** The model that could not answer for another section of this call, however often it was asked, is not asked for this one. */
function givenUp({ steps }: Dossier, section: LanguageSection): { reason: FailureReason; detail: string } | null {
  if ((steps.get(stepOf[section])?.retried ?? 0) > 0) return null;
  for (const other of Object.values(stepOf)) {
    const row = other === stepOf[section] ? undefined : steps.get(other);
    const reason = isFinal(row) ? FailureReason.safeParse(row?.reason).data : undefined;
    if (reason && ofWholeRequest.has(reason)) return { reason, detail: row?.detail ?? "The model did not answer." };
  }
  return null;
}

/** Failures that say nothing about a section. */
const ofWholeRequest: ReadonlySet<FailureReason> = new Set(["engine_unavailable", "engine_timeout", "engine_rejected"]);

const stepOf: Readonly<Record<LanguageSection, StepName>> = {
  summary: "summarise",
  extraction: "extract",
  topics: "name_topics",
  sentiment: "rate_sentiment",
  evaluation: "score",
  coaching: "coach",
};

function retriedOf({ steps }: Dossier, section: LanguageSection): number {
  return steps.get(stepOf[section])?.retried ?? 0;
}

/** What our own code made where the model failed or was not there: less than was asked for, and it says why. */
function insteadOf(made: Finished, why: readonly [Section["reason"], string | null]): Finished {
  const [reason, detail] = why;
  const failure = detail && (/[.!?]$/.test(detail) ? `${detail} ` : `${detail}. `);
  return { ...made, state: "partial", reason, detail: `${failure ?? ""}Made by the built-in analyzer instead.` };
}

/** A failure after which the plan wants nothing, or what our own code makes; where that is nothing the failure stands. */
export async function fallBack({ plan }: Dossier, failure: Finished, make: Make): Promise<Finished> {
  if (plan.definition.engine.fallback === "none") return failure;
  const made = await make();
  if (made.state === "skipped") return failure;
  const { usage, cost } = failure;
  return { ...insteadOf(made, [failure.reason, failure.detail]), usage, cost };
}

/** The section without a model: made by our own code, or skipped where the plan takes nothing but a model's. */
export async function withoutModel(dossier: Dossier, make: Make): Promise<Finished> {
  const missing = missingModel(dossier);
  return missing ? without(dossier, missing, make) : make();
}

async function without({ plan }: Dossier, why: readonly [SkipReason, string], make: Make): Promise<Finished> {
  const made = plan.definition.engine.fallback === "none" ? null : await make();
  return made === null || made.state === "skipped" ? skipped(...why) : insteadOf(made, why);
}

type Make = () => Finished | Promise<Finished>;
