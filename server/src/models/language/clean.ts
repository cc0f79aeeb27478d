import { jsonrepair } from "jsonrepair";

/**
 * The JSON object in what a model wrote: without its thoughts, fences and the words around it, with small slips mended. A cut
 * answer must not come here: mending it would make a result of what is half missing.
 * @returns undefined where there is no object.
 */
export function readObject(text: string): Record<string, unknown> | undefined {
  const body = bodyOf(text);
  if (body === undefined) return undefined;
  return parse(body) ?? parse(mended(body));
}

/** From the first brace on: thoughts, fences and prose stand before it, fences and prose after the last. */
function bodyOf(text: string): string | undefined {
  const spoken = text
    .replace(/<think(?:ing)?>[\s\S]*?<\/think(?:ing)?>/gi, "")
    .replace(/^[\s\S]*<\/think(?:ing)?>/i, "");
  const fenced = /```(?:json)?\s*(\{[\s\S]*\})\s*```/i.exec(spoken)?.[1] ?? spoken;
  const start = fenced.indexOf("{");
  if (start < 0) return undefined;
  const end = fenced.lastIndexOf("}");
  return fenced.slice(start, end > start ? end + 1 : undefined);
}

function mended(text: string): string {
  try {
    return jsonrepair(text);
  } catch {
    return "";
  }
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
