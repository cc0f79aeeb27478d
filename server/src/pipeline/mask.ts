import type { Redaction } from "@aftercall/contract/analysis/plan.ts";

import { countriesOf } from "#/calls/countries.ts";
import { factOf } from "#/calls/project.ts";
import type { CallRecord } from "#/calls/record.ts";
import type { CallState } from "#/calls/state.ts";
import { createRedactor, type Redactor } from "#/redaction/redact.ts";

import { type Dossier, wordsIn } from "./dossier.ts";
import type { Finished, Outcome } from "./outcome.ts";
import type { Step } from "./step.ts";

/** What covers the personal data of a call: the plan's kinds and names, and the customer's name where it masks names. */
export function redactorFor(policy: Redaction, record: CallRecord, country: string | null): Redactor {
  const customer = factOf(record.state, "customer_name")?.trim() ?? "";
  const parts = customer.split(/\s+/u).filter((part) => part.length > 1);
  const countries = [country ?? [], countriesOf(record), country ? [] : defaultCountry].flat();
  return createRedactor(policy, { countries, names: [customer, ...parts] });
}

/** Numbers of other countries are found by their shape. */
const defaultCountry = "US";

/** The state of a call without personal data in what its provider wrote about it: its summary, its own analysis. */
export function withoutStated(record: CallRecord, policy: Redaction, country: string | null): CallState {
  const { state } = record;
  const { summary, analysis, provider_analysis: told } = state.facts;
  if (policy.mode === "off" || (!summary && !analysis && !told)) return state;
  const redactor = redactorFor(policy, record, country);
  const stated = {
    ...(summary && { summary: { ...summary, value: redactor.maskText(summary.value ?? "") } }),
    ...(analysis && { analysis: { ...analysis, value: redactor.maskValue(analysis.value) as typeof analysis.value } }),
    ...(told && { provider_analysis: { ...told, value: redactor.maskValue(told.value) as typeof told.value } }),
  };
  return { ...state, facts: { ...state.facts, ...stated } };
}

/**
 * A step that works on what was said, kept to the plan's rule: with `mask_before_llm` and `mask_at_rest` it sees masked words
 * only; with `mask_outbound` it sees the words themselves, and what it makes of them is masked before anything keeps or sends it.
 * Where nothing could be masked it has no words at all.
 */
export function behindMask(step: Step): Step {
  const { instead } = step;
  return {
    ...step,
    input: (dossier) => step.input(seenThrough(dossier)),
    asks: (dossier, tools) => step.asks(seenThrough(dossier), tools),
    async run(dossier, tools) {
      return maskedOutcome(dossier, tools.country, await step.run(seenThrough(dossier), tools));
    },
    ...(instead && {
      async instead(dossier, tools, failure) {
        return maskedFinish(dossier, tools.country, await instead(seenThrough(dossier), tools, failure));
      },
    }),
  };
}

function seenThrough(dossier: Dossier): Dossier {
  const { found, plan } = dossier;
  const { mode } = plan.definition.redaction;
  if (mode === "off" || !found.transcript) return dossier;
  const { masked } = found;
  if (!masked) return { ...dossier, found: { ...found, transcript: null, words: null } };
  if (mode === "mask_outbound") return dossier;
  return { ...dossier, found: { ...found, transcript: masked, words: wordsIn(masked) } };
}

function maskedOutcome(dossier: Dossier, country: string | null, outcome: Outcome): Outcome {
  return outcome.state === "waiting" ? outcome : maskedFinish(dossier, country, outcome);
}

function maskedFinish(dossier: Dossier, country: string | null, made: Finished): Finished {
  const { plan, record, found } = dossier;
  const { redaction } = plan.definition;
  if (redaction.mode !== "mask_outbound" || !found.transcript) return made;
  const redactor = found.redactor ?? redactorFor(redaction, record, country);
  // The same values get the tokens that they have in the masked transcript.
  if (!found.redactor) redactor.maskTranscript(found.transcript.transcript);
  const masked = Object.entries(made.found).map(([name, value]) => [name, withoutPersonalData(value, redactor)]);
  return { ...made, detail: made.detail && redactor.maskText(made.detail), found: Object.fromEntries(masked) };
}

/** Everything that is text about the call, but not the words that programs go by. */
function withoutPersonalData(value: unknown, redactor: Redactor): unknown {
  if (Array.isArray(value)) return value.map((one) => withoutPersonalData(one, redactor));
  if (typeof value !== "object" || value === null) return redactor.maskValue(value);
  // Offsets into words that are not shown say nothing.
  const places = "quote" in value ? { start_char: null, end_char: null } : {};
  return Object.fromEntries(
    Object.entries({ ...value, ...places }).map(([name, inner]) => [
      name,
      structural.has(name) ? inner : withoutPersonalData(inner, redactor),
    ]),
  );
}

const structural: ReadonlySet<string> = new Set([
  ...[
    "id",
    "criterion_id",
    "check_id",
    "name",
    "state",
    "reason",
    "verdict",
    "result",
    "role",
    "kind",
    "basis",
    "method",
    "model",
  ],
  ...["verification", "unknown_reason", "owner", "language", "turn", "start_ms", "end_ms", "searched"],
]);
