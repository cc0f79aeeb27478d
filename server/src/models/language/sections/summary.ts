import type { Summary } from "@aftercall/contract/analysis/run.ts";

import { type Citation, isVerified, type Witness } from "../evidence.ts";
import { plainText, plainTextOrNull } from "../plain.ts";

type Given = {
  readonly title: string | null;
  readonly text: string;
  readonly bullets: readonly string[];
  readonly next_steps: readonly {
    readonly text: string;
    readonly owner: "agent" | "customer" | null;
    readonly due: string | null;
    readonly evidence: readonly Citation[];
  }[];
  readonly evidence: readonly Citation[];
};

/** The summary as a model gave it. A next step that nobody can be quoted for is not one. */
export function summaryOf(value: unknown, witness: Witness, language: string | null): Summary {
  // Right by its schema, or it would not be here.
  const given = value as Given;
  const steps = given.next_steps.slice(0, itemsMax).map(({ text, owner, due, evidence }) => ({
    text: plainText(text, lineMax),
    owner,
    due: plainTextOrNull(due, 100),
    evidence: witness.of(evidence),
  }));
  return {
    title: plainTextOrNull(given.title, 200),
    text: plainText(given.text, textMax),
    language,
    bullets: given.bullets.slice(0, itemsMax).map((bullet) => plainText(bullet, lineMax)),
    next_steps: steps.filter(({ evidence }) => evidence.some(isVerified)),
    method: "llm",
    evidence: witness.of(given.evidence),
  };
}

const itemsMax = 20;
const lineMax = 1_000;
const textMax = 8_000;
