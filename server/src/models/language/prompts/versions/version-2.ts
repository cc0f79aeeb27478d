import { askedCriteria, checksOf } from "#/models/language/schema.ts";

import { version1 } from "./version-1.ts";
import type { Wording } from "./wording.ts";

/** Tells when a criterion does not count. */
export const version2: Wording = {
  ...version1,
  asked: {
    ...version1.asked,
    evaluation: (plan) =>
      [
        "evaluation: judge each criterion on its own, by what the speaker it applies to said. Each check is a statement; answer yes when the call shows that it is true, no when the call shows that it is not or when nothing of the kind was said, unclear when it cannot be decided from the text, not_applicable when the situation did not arise or what not_applicable_when says is so. A yes needs evidence said by the speaker the criterion applies to. For a score give a number from 0 to max_points by the anchors, with evidence, or null when it cannot be decided; applies is false only when what not_applicable_when says is so. rationale: one sentence. missing: what would have been needed, or null.",
        ...askedCriteria(plan).map((criterion) => {
          const { id, name, description, kind, applies_to: who, max_points: max, anchors } = criterion;
          const unless = criterion.not_applicable_when;
          const checks = kind === "check" && {
            checks: checksOf(criterion).map(({ id: check, text }) => ({ id: check, text })),
          };
          return `- ${JSON.stringify({ id, name, description, applies_to: who, ...(kind === "scale" && { max_points: max, anchors }), ...checks, ...(unless !== null && { not_applicable_when: unless }) })}`;
        }),
      ].join("\n"),
  },
};
