import { z } from "zod";

import { eventTypeNames, eventTypeOf } from "./events.ts";

/** Nouns that a tenant's own types cannot begin with, so that a type of ours that comes later meets none of theirs. */
const ownNouns: ReadonlySet<string> = new Set([
  ...eventTypeNames.map(nounOf),
  "aftercall",
  "attempt",
  "evaluation",
  "event",
  "message",
  "tenant",
  "tracker",
  "user",
]);

export function isReservedType(name: string): boolean {
  return ownNouns.has(nounOf(name));
}

function nounOf(name: string): string {
  return name.slice(0, name.indexOf("."));
}

const word = "[a-z][a-z0-9]*(?:_[a-z0-9]+)*";
const nameForm = new RegExp(`^${word}\\.${word}$`);

/** The name of an event type: `noun.past_tense`. */
export const TypeName = z.string().max(100).regex(nameForm, "noun.past_tense in lower case, as in lead.qualified");

/**
 * What an endpoint may subscribe to: a type, `*` for all, or `call.*` for all of a noun. Of types that are not ours only the
 * form is looked at here: whether the tenant has them is known to the server alone.
 */
export const TypePattern = z
  .string()
  .max(102)
  .superRefine((pattern, context) => {
    const refusal = patternRefusal(pattern);
    if (refusal !== null) context.addIssue({ code: "custom", message: refusal });
  });

function patternRefusal(pattern: string): string | null {
  if (pattern === "*") return null;
  const name = pattern.endsWith(".*") ? `${pattern.slice(0, -1)}any` : pattern;
  if (!nameForm.test(name)) return `Not an event type, nor a noun with .* as in call.*, nor *. ${known}`;
  if (!isReservedType(name)) return null;
  if (eventTypeOf(pattern)) return null;
  const noun = pattern.endsWith(".*") ? pattern.slice(0, -1) : null;
  return noun !== null && eventTypeNames.some((one) => one.startsWith(noun)) ? null : `Unknown event type. ${known}`;
}

const known = `Sent are: ${eventTypeNames.join(", ")}, and your own types`;
