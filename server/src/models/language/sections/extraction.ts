import type { FieldDef } from "@aftercall/contract/analysis/plan.ts";
import type { ExtractedField } from "@aftercall/contract/analysis/run.ts";

import { faultOfValue } from "#/models/builtin/schema.ts";

import { type Citation, isVerified, type Witness } from "../evidence.ts";
import { plainText, plainTextOrNull } from "../plain.ts";

type Given = Readonly<
  Record<
    string,
    {
      readonly state: "found" | "not_mentioned" | "ambiguous";
      readonly value: unknown;
      readonly candidates: readonly unknown[];
      readonly confidence: number | null;
      readonly rationale: string | null;
      readonly evidence: readonly Citation[];
    }
  >
>;

/** The fields as a model found them: found is only what has the tenant's form and words of the call behind it. */
export function fieldsOf(
  value: unknown,
  fields: readonly FieldDef[],
  witness: Witness,
  suspicious: ReadonlySet<number>,
): ExtractedField[] {
  // Right by its schema, or it would not be here.
  const given = value as Given;
  return fields.map((field) => {
    const one = given[field.name];
    const base = { name: field.name, method: "llm" as const };
    const nothing = { ...base, value: null, confidence: null, rationale: null, candidates: [], evidence: [] };
    if (!one || one.state === "not_mentioned") return { ...nothing, state: "not_mentioned" };
    const evidence = witness.of(one.evidence);
    const rationale = plainTextOrNull(one.rationale, 1_000);
    const told = { ...base, confidence: share(one.confidence), rationale, evidence };
    const candidates = one.candidates.slice(0, candidatesMax).map((one) => plainValue(one));
    if (one.state === "ambiguous") return { ...told, value: null, state: "ambiguous", candidates };

    const support = evidence.filter(
      (quote) =>
        isVerified(quote) &&
        (field.source_roles.length === 0 || field.source_roles.some((role) => witness.isSaidBy(quote, role))),
    );
    const found = plainValue(one.value);
    if (found === null) return { ...nothing, state: "not_mentioned" };
    if (support.length === 0) return invalid("No quote that is in the call supports it");
    const wrong = faultOfValue(field.schema, found);
    if (wrong !== null) return invalid(`It has not the form that the plan asks for. ${wrong}`);
    // Words that were meant for whoever reads the call are no statement about it: a person decides.
    if (support.every(({ turn }) => turn !== null && suspicious.has(turn))) {
      return { ...told, value: null, state: "ambiguous", candidates: [found, ...candidates] };
    }
    return { ...told, value: found, state: "found", candidates };

    function invalid(why: string): ExtractedField {
      return { ...told, value: null, state: "invalid", rationale: why, candidates: [found, ...candidates] };
    }
  });
}

const candidatesMax = 20;
const valueCharsMax = 4_000;

function share(value: number | null): number | null {
  return value === null ? null : Math.min(1, Math.max(0, value));
}

/** A value whose texts are texts to show, however deep they stand. */
function plainValue(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return plainText(value, valueCharsMax);
  if (typeof value !== "object" || value === null || depth > 6) return value ?? null;
  if (Array.isArray(value)) return value.slice(0, 100).map((one) => plainValue(one, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [plainText(name, 100), plainValue(one, depth + 1)]),
  );
}
