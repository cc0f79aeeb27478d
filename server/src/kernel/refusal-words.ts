import type { z } from "zod";

/**
 * What to do about a value that a schema refuses, in words for whoever sent it: `schema.safeParse(given, { error: refusalWords })`.
 * A schema that says it in its own words is not overruled.
 */
export const refusalWords: z.core.$ZodErrorMap = (issue) => {
  if (issue.input === undefined) return "Is required";
  switch (issue.code) {
    case "invalid_type":
      return typeWords[issue.expected] ?? "Is not of the kind that is expected here";
    case "too_small":
      return sized(issue.origin, issue.minimum, issue.exact ? "exactly" : issue.inclusive ? "at least" : "more than");
    case "too_big":
      return sized(issue.origin, issue.maximum, issue.exact ? "exactly" : issue.inclusive ? "at most" : "less than");
    case "invalid_value":
      return issue.values.length === 1 ? `Must be ${shown(issue.values)}` : `Must be one of ${shown(issue.values)}`;
    case "invalid_format":
      return formatWords[issue.format] ?? (issue.pattern ? `Must match ${issue.pattern}` : `Must be ${issue.format}`);
    case "not_multiple_of":
      return `Must be a multiple of ${issue.divisor}`;
    case "invalid_union":
      return unionWords(issue);
    default:
      return undefined;
  }
};

const typeWords: Readonly<Record<string, string>> = {
  string: "Must be text",
  number: "Must be a number",
  int: "Must be a whole number",
  boolean: "Must be true or false",
  array: "Must be a list",
  object: "Must be an object",
  record: "Must be an object",
  null: "Must be null",
  never: "Must be left out",
};

const formatWords: Readonly<Record<string, string>> = {
  datetime: "Must be a time with its zone, like 2026-03-02T14:23:19Z",
  date: "Must be a date, like 2026-03-02",
  url: "Must be a URL",
  email: "Must be an e-mail address",
  uuid: "Must be a UUID",
};

/** Of the things that are counted, one and more. */
const parts: Readonly<Record<string, readonly [string, string]>> = {
  string: ["character", "characters"],
  array: ["item", "items"],
  set: ["item", "items"],
  map: ["entry", "entries"],
  object: ["field", "fields"],
};

function sized(origin: string, limit: number | bigint, bound: string): string {
  const [one, more] = parts[origin] ?? [];
  return one === undefined ? `Must be ${bound} ${limit}` : `Must have ${bound} ${limit} ${limit === 1 ? one : more}`;
}

function shown(values: readonly unknown[]): string {
  return values.map(String).join(", ");
}

/** What each form would want of the value as a whole. Where it fits a form but for something within, only that it fits none. */
function unionWords(issue: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidUnion>): string {
  if (Array.isArray(issue.options)) return `Must be one of ${shown(issue.options)}`;
  const wanted = issue.errors.map((form) => (form.length === 1 && form[0]?.path.length === 0 ? form[0].message : null));
  if (wanted.length === 0 || wanted.includes(null)) return "Fits none of the forms that are accepted here";
  return [...new Set(wanted)].join(", or: ");
}
