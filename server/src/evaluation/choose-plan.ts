import type { CallDirection } from "@aftercall/contract/call.ts";

import type { Plan } from "./run.ts";

/** What a plan may ask of a call before it is for it. */
export type PlanSubject = {
  readonly provider: string;
  readonly direction: CallDirection | null;
  /** Our id of it, public form, and the name that calls use for it. */
  readonly campaignId: string | null;
  readonly campaign: string | null;
  readonly agentId: string | null;
  readonly agentName: string | null;
  readonly language: string | null;
  readonly purpose: "production" | "training";
};

/**
 * The first plan, in their order, that is for a call; null when none is. A plan that does not name `training` is for production
 * calls: a practice call is never graded like a real one by accident.
 */
export function choosePlan(plans: readonly Plan[], about: PlanSubject): Plan | null {
  return plans.find((plan) => applies(plan, about)) ?? null;
}

function applies({ definition: { applies_when: when } }: Plan, about: PlanSubject): boolean {
  const purposes = when.purposes.length === 0 ? ["production"] : when.purposes;
  return (
    purposes.includes(about.purpose) &&
    isAmong(when.providers, [about.provider]) &&
    isAmong(when.directions, [about.direction]) &&
    isAmong(when.campaigns, [about.campaignId, about.campaign]) &&
    isAmong(when.agents, [about.agentId, about.agentName]) &&
    isOfLanguage(when.languages, about.language)
  );
}

/** An empty list asks for nothing. */
function isAmong(wanted: readonly string[], given: readonly (string | null)[]): boolean {
  return wanted.length === 0 || given.some((one) => one !== null && wanted.includes(one));
}

/** `pt` is for `pt-BR` as well, and not the other way round. */
function isOfLanguage(wanted: readonly string[], given: string | null): boolean {
  if (wanted.length === 0) return true;
  if (given === null) return false;
  const language = given.toLowerCase();
  return wanted.some((one) => language === one.toLowerCase() || language.startsWith(`${one.toLowerCase()}-`));
}
