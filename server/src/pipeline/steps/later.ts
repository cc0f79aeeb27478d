import type { StepName } from "@aftercall/contract/analysis/step.ts";

import { skipped } from "../outcome.ts";
import { once, type Step } from "../step.ts";

export function later(name: StepName, needs: readonly StepName[]): Step {
  return {
    name,
    needs,
    tries: once,
    asks: () => false,
    input: () => 0,
    run: () => skipped("no_engine", "Not there yet."),
  };
}
