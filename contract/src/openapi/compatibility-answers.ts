import type { JsonSchema } from "./schemas.ts";

export const flood =
  "More than 100 requests in a minute that failed their check came from this address. What verifies is taken in all the same.";

/** In the provider's own words, like every answer after its body was read. */
export function tooMany(answer: object): object {
  return { ...answer, headers: { "Retry-After": { $ref: "#/components/headers/RetryAfter" } } };
}

export function ref(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}

export function json(description: string, schema: string, examples: Record<string, object>): object {
  const named = Object.entries(examples).map(([name, value]) => [name, { value }] as const);
  return {
    description,
    content: { "application/json": { schema: ref(schema), examples: Object.fromEntries(named) } },
  };
}

export function text(description: string, word: string): object {
  return { description, content: { "text/plain": { schema: { type: "string" }, example: word } } };
}
