import { jsonrepair } from "jsonrepair";

/**
 * The JSON object in what a model wrote: without its thoughts, fences and the words around it, with small slips mended. What
 * never ends is no object: mending a cut answer would make a result of what is half missing.
 * @returns undefined where there is no object.
 */
export function readObject(text: string): Record<string, unknown> | undefined {
  const spoken = withoutThoughts(text);
  const end = endOfObject(spoken);
  if (end === null) return undefined;
  const body = spoken.slice(spoken.indexOf("{"), end);
  return parse(body) ?? parse(mended(body));
}

/** Thoughts come first; some models open them in their prompt and only close them in their answer. */
function withoutThoughts(text: string): string {
  const closed = Math.max(text.lastIndexOf("</think>"), text.lastIndexOf("</thinking>"));
  const answer = closed < 0 ? text : text.slice(text.indexOf(">", closed) + 1);
  const fence = answer.indexOf("```");
  const isFenced = fence >= 0 && /^```[a-z]{0,10}\s{0,20}\{/i.test(answer.slice(fence, fence + 40));
  return isFenced ? answer.slice(fence) : answer;
}

/** Behind the brace that closes the first one; null where it is never closed. */
function endOfObject(text: string): number | null {
  const start = text.indexOf("{");
  let depth = 0;
  let isInString = false;
  for (let i = start; i >= 0 && i < text.length; i++) {
    const char = text[i];
    if (isInString) {
      if (char === "\\") i++;
      else if (char === '"') isInString = false;
    } else if (char === '"') isInString = true;
    else if (char === "{") depth++;
    else if (char === "}" && --depth === 0) return i + 1;
  }
  return null;
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
