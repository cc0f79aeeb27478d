import type { ExtractedField } from "@aftercall/contract/analysis/run.ts";

import { countriesOf } from "#/calls/countries.ts";
import { extractFields } from "#/models/builtin/extract.ts";

import { definitionFor, withOthers } from "../applicable.ts";
import { builtin } from "../builtin.ts";
import { fallBack, fromModel, isByModel, saidAndPlanned, withoutModel } from "../by-model.ts";
import type { Dossier } from "../dossier.ts";
import { closedGate } from "../gates.ts";
import { withOtherModels } from "../other-models.ts";
import { done, type Finished, skipped } from "../outcome.ts";
import { engineTries, type Step } from "../step.ts";
import type { Tools } from "../step.ts";

/** Finds the plan's fields: lists, patterns and parsers by our own code, the others by a model. */
export const extract: Step = {
  name: "extract",
  needs: ["measure_text", "redact"],
  tries: engineTries,
  asks: (dossier) => isByModel(dossier, "extraction") && closedGate(dossier) === null,
  input: saidAndPlanned,
  async run(dossier, tools) {
    if (dossier.plan.definition.fields.length === 0) return skipped("no_fields", "The plan has no fields.");
    const { fields } = definitionFor(dossier);
    const gate = closedGate(dossier);
    if (gate) return gate;
    const make = () => byCode(dossier, tools);
    if (!isByModel(dossier, "extraction")) {
      return fields.some(({ kind }) => kind === "ai") ? withoutModel(dossier, make) : make();
    }
    return withOtherModels(dossier, tools, await byOwnModel(dossier, tools));
  },
  instead: async (dossier, tools, failure) =>
    withOtherModels(dossier, tools, await fallBack(dossier, failure, () => byCode(dossier, tools))),
};

/** What our own code and the engine's own model find; that one is not asked where the plan names others for all its fields. */
function byOwnModel(dossier: Dossier, tools: Tools): Finished | Promise<Finished> {
  const make = () => byCode(dossier, tools);
  const own = make();
  const isAsked = definitionFor(dossier).fields.some(
    ({ kind, llm_override: other }) => kind === "ai" && other === null,
  );
  if (isAsked) return fromModel(dossier, tools, "extraction", (told) => joined(dossier, own, told), make);
  return { ...joined(dossier, own, []), engine: own.found.fields ? builtin : null };
}

function byCode(dossier: Dossier, { timeZone, country }: Tools): Finished {
  const { found, seen, record } = dossier;
  if (!found.words) return skipped("no_transcript", "There is no transcript to work on.");
  const options = {
    startedAtMs: seen.startedAt ?? seen.endedAt,
    timeZone,
    country,
    callCountry: countriesOf(record)[0] ?? null,
  };
  const fields = extractFields(found.words, definitionFor(dossier).fields, options);
  const left = fields.filter(({ state }) => state === "skipped").length;
  const isPartial = left > 0 && left < fields.length;
  if (left > 0 && !isPartial) return skipped("no_engine", "All fields of the plan need a language model.");
  return done(
    { fields: withOthers(fields, dossier) },
    {
      engine: builtin,
      ...(isPartial && {
        state: "partial",
        reason: "no_engine",
        detail: `${left} of ${fields.length} fields need a language model.`,
      }),
    },
  );
}

/** In the order of the plan: what the model told, and what our own code found. */
function joined(dossier: Dossier, own: Finished, told: readonly ExtractedField[]): Finished {
  const byName = new Map(told.map((field) => [field.name, field]));
  const fields = own.found.fields ?? withOthers(told, dossier);
  return done({
    fields: fields.map((field) => (field.state === "skipped" ? (byName.get(field.name) ?? field) : field)),
  });
}
