import { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";

import { defaultFields } from "#/models/builtin/defaults/fields.ts";

import type { Plan } from "./run.ts";

/** What is looked for in every call besides the lists: what has a form of its own. */
const formFields = [
  { name: "phone", description: "A phone number that was said", kind: "parser", parser: "phone" },
  { name: "email", description: "An e-mail address that was said", kind: "parser", parser: "email" },
  { name: "date", description: "A day or time that was named", kind: "parser", parser: "date" },
  { name: "order_id", description: "The number of an order or a case", kind: "parser", parser: "order_id" },
] as const;

/**
 * What a call is analysed by where no published plan is for it: numbers, a summary made of its own sentences, and fields that lists and parsers find.
 */
export const defaultPlan: Plan = {
  id: "00000000-0000-8000-8000-000000000001",
  version: 1,
  name: "Default",
  definition: PlanDefinition.parse({ fields: [...defaultFields(), ...formFields] }),
};

/**
 * What a practice call is graded by where no published plan is for training: only what code can decide, in English and Hebrew.
 * The thresholds are starting points, not verdicts of research: a plan of one's own is the place for others.
 */
export const trainingPlan: Plan = {
  id: "00000000-0000-8000-8000-000000000002",
  version: 1,
  name: "Built-in training",
  definition: PlanDefinition.parse({
    applies_when: { purposes: ["training"] },
    gates: { min_turns: 0, min_customer_words: 0 },
    rubric: {
      pass_threshold: 70,
      min_coverage: 0.5,
      criteria: [
        {
          id: "greeting",
          section: "Opening",
          name: "Greets in the first turns",
          kind: "phrase",
          weight: 2,
          phrase: {
            id: "greeting",
            name: "Greeting",
            role: "agent",
            any_of: [
              "hello",
              "hi",
              "good morning",
              "good afternoon",
              "good evening",
              "welcome",
              "שלום",
              "היי",
              "הי",
              "בוקר טוב",
              "צהריים טובים",
              "ערב טוב",
            ],
            range: { from: 0, to: 3, unit: "turns" },
          },
        },
        {
          id: "talk_ratio",
          section: "Conversation",
          name: "Leaves the other side room to talk",
          kind: "metric",
          weight: 2,
          metric: { key: "talk_ratio", role: "agent", op: "between", value: [0.3, 0.65] },
        },
        {
          id: "monologue",
          section: "Conversation",
          name: "No monologue longer than 90 seconds",
          kind: "metric",
          weight: 1,
          metric: { key: "longest_monologue_ms", role: "agent", op: "<=", value: 90_000 },
        },
        {
          id: "questions",
          section: "Conversation",
          name: "Asks at least two questions",
          kind: "metric",
          weight: 2,
          metric: { key: "questions", role: "agent", op: ">=", value: 2 },
        },
        {
          id: "interruptions",
          section: "Conversation",
          name: "Interrupts at most twice",
          kind: "metric",
          weight: 1,
          metric: { key: "interruptions", role: "agent", op: "<=", value: 2 },
        },
        {
          id: "response_latency",
          section: "Conversation",
          name: "Answers within three seconds",
          kind: "metric",
          weight: 1,
          metric: { key: "response_latency_median_ms", role: "agent", op: "<=", value: 3_000 },
        },
        {
          id: "closing",
          section: "Closing",
          name: "Thanks or says goodbye in the last turns",
          kind: "phrase",
          weight: 2,
          phrase: {
            id: "closing",
            name: "Closing",
            role: "agent",
            any_of: [
              "thank you",
              "thanks",
              "goodbye",
              "bye",
              "have a nice day",
              "have a great day",
              "take care",
              "תודה",
              "להתראות",
              "ביי",
              "יום טוב",
              "המשך יום",
              "ערב נעים",
            ],
            range: { from: -4, to: 0, unit: "turns" },
          },
        },
      ],
    },
  }),
};

/** What runs go by that the provider of a call made itself: nothing of ours says how. */
export const providerPlan: Plan = {
  id: "00000000-0000-8000-8000-000000000003",
  version: 1,
  name: "The provider's own",
  definition: PlanDefinition.parse({}),
};

/** The plans that are no rows. */
export const builtinPlans: readonly Plan[] = [defaultPlan, trainingPlan];
