import { Ajv, type ErrorObject } from "ajv";

import type { JsonSchema } from "./schema.ts";

/** What is wrong with a value by a schema, in words that a model and a person understand; empty when nothing is. */
export function problemsOf(schema: JsonSchema, value: unknown): string[] {
  const ajv = new Ajv({ allErrors: true, strict: false, allowUnionTypes: true, validateFormats: false, logger: false });
  let validate;
  try {
    validate = ajv.compile(schema);
  } catch {
    return ["the schema itself cannot be used"];
  }
  if (validate(value)) return [];
  return (validate.errors ?? []).slice(0, problemsMax).map(inWords);
}

/** Enough to mend an answer by. */
const problemsMax = 20;

function inWords({ instancePath, message, params }: ErrorObject): string {
  const allowed = "allowedValues" in params ? ` (${JSON.stringify(params["allowedValues"])})` : "";
  const extra = "additionalProperty" in params ? ` (${String(params["additionalProperty"])})` : "";
  return `${instancePath === "" ? "/" : instancePath} ${message ?? "is wrong"}${allowed}${extra}`;
}
