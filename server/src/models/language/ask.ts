import type { FailureReason } from "@aftercall/contract/analysis/step.ts";

import type { Generated } from "./answer.ts";
import { problemsOf } from "./check-value.ts";
import { readObject } from "./clean.ts";
import type { Generate } from "./generate.ts";
import { repairRequest } from "./prompts/repair.ts";
import type { JsonSchema } from "./schema.ts";

/** A part of an answer that is right by its schema, or why there is none, with what the model said. */
export type Part =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly reason: FailureReason; readonly detail: string; readonly raw: string };

export type Question<Name extends string> = {
  readonly instructions: string;
  readonly prompt: string;
  /** The schema of each part; each is judged on its own. */
  readonly parts: Readonly<Record<Name, JsonSchema>>;
  readonly signal: AbortSignal;
};

/**
 * Asks for an object with some parts, and once more for those that came back wrong. Nothing is asked a third time.
 */
export async function ask<Name extends string>(
  generate: Generate,
  question: Question<Name>,
): Promise<Record<Name, Part>> {
  const { instructions, prompt, parts, signal } = question;
  const names = Object.keys(parts) as Name[];
  const first = await generate({
    instructions,
    messages: [{ role: "user", content: prompt }],
    schema: objectOf(parts, names),
    signal,
  });
  const answered = judge(first, parts, names);
  const wrong = names.filter((name) => isMendable(answered[name]));
  if (wrong.length === 0) return answered;

  const schema = objectOf(parts, wrong);
  const problems = wrong.flatMap((name) => problemsIn(answered[name]));
  const second = await generate({
    instructions,
    messages: [
      { role: "user", content: prompt },
      { role: "assistant", content: first.text.trim() === "" ? "(nothing)" : first.text.slice(0, repeatedCharsMax) },
      { role: "user", content: repairRequest(problems.slice(0, problemsMax), schema) },
    ],
    schema,
    signal,
  });
  return { ...answered, ...judge(second, parts, wrong) };
}

/** What of a wrong answer is shown to its model again. */
const repeatedCharsMax = 20_000;
const problemsMax = 20;

function judge<Name extends string>(
  generated: Generated,
  parts: Readonly<Record<Name, JsonSchema>>,
  names: readonly Name[],
): Record<Name, Part> {
  const raw = generated.text;
  const all = (part: Part) => Object.fromEntries(names.map((name) => [name, part])) as Record<Name, Part>;
  if (generated.ended === "content_filter") {
    return all({ ok: false, reason: "content_filtered", detail: "The model withheld its answer", raw });
  }
  if (generated.ended === "length") {
    return all({
      ok: false,
      reason: "output_truncated",
      detail: "The answer was longer than the model may write",
      raw,
    });
  }
  const object = readObject(raw);
  if (object === undefined) {
    return all({
      ok: false,
      reason: "invalid_output",
      detail: "The model answered with something that is no JSON object",
      raw,
    });
  }
  const given: Readonly<Record<string, unknown>> = object;
  return Object.fromEntries(
    names.map((name): [Name, Part] => {
      // A model that is asked for one part sometimes gives its inside alone.
      const value = given[name] ?? (names.length === 1 && !(name in given) ? given : undefined);
      if (value === undefined) {
        return [name, { ok: false, reason: "invalid_output", detail: `/${name} is missing`, raw }];
      }
      const problems = problemsOf(parts[name], value);
      if (problems.length === 0) return [name, { ok: true, value }];
      const detail = problems.map((problem) => `/${name}${problem}`).join("; ");
      return [name, { ok: false, reason: "invalid_output", detail, raw }];
    }),
  ) as Record<Name, Part>;
}

/** A cut or withheld answer would be the same again. */
function isMendable(part: Part): boolean {
  return !part.ok && part.reason === "invalid_output";
}

function problemsIn(part: Part): string[] {
  return part.ok ? [] : part.detail.split("; ");
}

function objectOf<Name extends string>(parts: Readonly<Record<Name, JsonSchema>>, names: readonly Name[]): JsonSchema {
  return {
    type: "object",
    properties: Object.fromEntries(names.map((name) => [name, parts[name]])),
    required: [...names],
    additionalProperties: false,
  };
}
