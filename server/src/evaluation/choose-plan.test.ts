import { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import { expect, test } from "vitest";

import { choosePlan, type PlanSubject } from "./choose-plan.ts";
import type { Plan } from "./run.ts";

const plan = (name: string, when: object): Plan => ({
  id: name,
  version: 1,
  name,
  definition: PlanDefinition.parse({ applies_when: when }),
});
const call: PlanSubject = {
  provider: "vapi",
  direction: "inbound",
  campaignId: "cmp_1",
  campaign: "spring",
  agentId: "a-1",
  agentName: "Noa",
  language: "pt-BR",
  purpose: "production",
};
const chosen = (plans: readonly Plan[], about: Partial<PlanSubject> = {}) =>
  choosePlan(plans, { ...call, ...about })?.name ?? null;

test("the first plan that is for a call is used", () => {
  const plans = [
    plan("outbound", { directions: ["outbound"] }),
    plan("vapi", { providers: ["vapi"] }),
    plan("all", {}),
  ];
  expect(chosen(plans)).toBe("vapi");
  expect(chosen(plans, { direction: "outbound" })).toBe("outbound");
  expect(chosen(plans, { provider: "twilio", direction: null })).toBe("all");
});

test.each<[object, Partial<PlanSubject>, boolean]>([
  [{ campaigns: ["spring"] }, {}, true],
  [{ campaigns: ["cmp_1"] }, {}, true],
  [{ campaigns: ["winter"] }, {}, false],
  [{ agents: ["Noa"] }, {}, true],
  [{ agents: ["a-1"] }, {}, true],
  [{ languages: ["pt"] }, {}, true],
  [{ languages: ["pt-BR"] }, { language: "pt" }, false],
  [{ languages: ["en"] }, { language: null }, false],
])("%o and %o", (when, about, is) => {
  expect(chosen([plan("one", when)], about)).toBe(is ? "one" : null);
});

test("a practice call is graded only by a plan that says so, and a real one never by such a plan", () => {
  const plans = [plan("training", { purposes: ["training"] }), plan("all", {})];
  expect(chosen(plans)).toBe("all");
  expect(chosen(plans, { purpose: "training" })).toBe("training");
  expect(chosen([plan("all", {})], { purpose: "training" })).toBeNull();
  expect(chosen([plan("both", { purposes: ["training", "production"] })])).toBe("both");
});
