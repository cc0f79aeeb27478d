import { z } from "zod";

import { messageOf } from "../errors.ts";
import { parseCidrs } from "../net/addresses.ts";

/** A whole number from the environment or from YAML. */
export function whole(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.coerce.number({ error }).int({ error }).min(min, { error }).max(max, { error });
}

export function flag() {
  const words = z.stringbool({ error: "must be true or false" });
  return z.union([z.boolean(), words], { error: "must be true or false" });
}

/** Environment variables hold lists with commas; YAML holds real ones. */
export function list(problemOf: (items: readonly string[]) => string | null = () => null) {
  const items = z.array(z.string(), { error: "must be a list" }).superRefine((value, context) => {
    const problem = problemOf(value);
    if (problem) context.addIssue(problem);
  });
  return z.preprocess((value) => (typeof value === "string" ? splitList(value) : value), items);
}

function splitList(text: string): string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

export function isCidrList(items: readonly string[]): string | null {
  try {
    parseCidrs(items);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

/** A variable that a script failed to fill arrives as one of these words, and must not become a password. */
const emptyWords = ["", "undefined", "null", "changeme"];

export function secret(lengthMin = 1) {
  return z
    .string({ error: "must be a text" })
    .refine(
      (value) => !emptyWords.includes(value.trim().toLowerCase()),
      "is empty, or the word a failed script leaves behind",
    )
    .refine((value) => value.length >= lengthMin, `is too short: ${lengthMin} characters or more`);
}

export function publicUrl() {
  const error = "must be an http or https URL without query";
  return z
    .string({ error })
    .refine((text) => URL.canParse(text) && /^https?:\/\/[^?#]+$/.test(text), error)
    .transform((text) => text.replace(/\/+$/, ""));
}

/** An empty variable is how scripts switch a proxy off. */
export function proxyUrl() {
  const error = "must be a URL that starts with http:// or https://";
  return z
    .string({ error })
    .refine((text) => text === "" || (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)), error);
}

export function databaseUrl() {
  const error = "must be a URL that starts with postgres://";
  return z
    .string({ error })
    .refine((text) => URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol), error);
}

export function timeZone() {
  const error = "must be the IANA name of a time zone, as in Asia/Jerusalem";
  return z.string({ error }).refine(isTimeZone, error);
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

export function country() {
  const error = "must be two letters, as in IL";
  return z.string({ error }).regex(/^[A-Z]{2}$/, error);
}
