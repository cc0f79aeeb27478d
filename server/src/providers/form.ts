import { isUtf8 } from "node:buffer";

import { MalformedBody } from "./provider.ts";
import type { ProviderRequest } from "./provider.ts";

export type Form = Readonly<Record<string, string>>;

const fieldsMax = 1_000;

/** True for every body that does not call itself JSON. */
export function isForm({ headers }: ProviderRequest): boolean {
  return !/^application\/(?:[\w.+-]+\+)?json\b/i.test(headers.get("content-type")?.[0]?.trim() ?? "");
}

/** The fields of a form as they were sent, decoded: `+` and `%20` are blanks. */
export function formOf(body: Buffer): URLSearchParams {
  return new URLSearchParams(body.toString("utf8"));
}

/** Reads a form into one value per field, the last of several. @throws MalformedBody */
export function readForm(body: Buffer): Form {
  if (!isUtf8(body)) throw new MalformedBody("The body is not valid UTF-8");
  const form = formOf(body);
  if (form.size > fieldsMax) throw new MalformedBody("The form has too many fields");
  return Object.fromEntries(form);
}
