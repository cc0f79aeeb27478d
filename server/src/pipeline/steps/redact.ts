import { failed, skipped } from "../outcome.ts";
import { once, type Step } from "../step.ts";

/** Covers personal data in the transcript where the plan asks for it. What cannot be covered is not passed on. */
export const redact: Step = {
  name: "redact",
  needs: ["import_transcript", "transcribe"],
  tries: once,
  asks: () => false,
  input: ({ found, plan }) => [found.transcript?.digest, plan.definition.redaction],
  run({ found, plan }) {
    if (plan.definition.redaction.mode === "off") return skipped("redaction_off", "The plan masks nothing.");
    if (!found.transcript) return skipped("no_transcript", "There is no transcript to mask.");
    return failed(
      "redaction_unlocated",
      "The plan asks for masking, which this version cannot do; nothing is made of the words.",
    );
  },
};
