import type { Call, Transcript, TurnRole } from "@aftercall/contract/call.ts";

import { Invalid } from "#/kernel/errors.ts";
import { searchText } from "#/text/search-text.ts";

/** Something that a call can be found by, as it was said. `turn` is null for what is not a turn. */
export type SearchLine = {
  readonly where: "turn" | "summary" | "call";
  readonly turn: number | null;
  readonly role: TurnRole | null;
  readonly text: string;
};

const termsMax = 8;

/**
 * What is looked for: words, and phrases in quotation marks, each of which must be there. Folded as the calls are, so vowel points,
 * final letters and kinds of dashes make no difference, and a word is found inside a longer one.
 * @throws Invalid for more of them than are looked for: leaving some out would find what was not asked for.
 */
export function termsOf(query: string): string[] {
  const terms: string[] = [];
  for (const match of query.matchAll(/["“”״]([^"“”״]+)["“”״]|(\S+)/g)) {
    const term = searchText(match[1] ?? match[2] ?? "").trim();
    if (term !== "") terms.push(term);
  }
  if (terms.length > termsMax) {
    throw new Invalid("Too many words to look for", [
      { pointer: "?q", detail: `${terms.length} words and phrases; ${termsMax} at most` },
    ]);
  }
  return terms;
}

/** A pattern for `like` that finds a term anywhere. */
export function patternOf(term: string): string {
  return `%${term.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}

/** Everything that a call can be found by. */
export function linesOf(call: Call, transcript: Transcript | null, summary: string | null): SearchLine[] {
  const about = [call.customer_name, call.agent_name, call.from, call.to, call.city, call.service_category];
  const turns = transcript?.turns ?? [];
  const said: SearchLine[] = turns.map(({ role, text }, turn) => ({ where: "turn", turn, role, text }));
  if (transcript && turns.length === 0) said.push({ where: "turn", turn: null, role: null, text: transcript.text });
  return [
    ...said,
    ...(summary ? [{ where: "summary", turn: null, role: null, text: summary } as const] : []),
    ...about.flatMap((text) => (text ? [{ where: "call", turn: null, role: null, text } as const] : [])),
  ].filter(({ text }) => text !== "");
}

/** The same, with these summaries in place of those that were there. */
export function withSummaries(lines: readonly SearchLine[], summaries: readonly string[]): SearchLine[] {
  const others = lines.filter(({ where }) => where !== "summary");
  const after = others.findIndex(({ where }) => where === "call");
  const at = after === -1 ? others.length : after;
  const made = summaries.map((text): SearchLine => ({ where: "summary", turn: null, role: null, text }));
  return [...others.slice(0, at), ...made, ...others.slice(at)];
}

/** The text that the index is made of. */
export function textOf(lines: readonly SearchLine[]): string {
  return lines.map(({ text }) => searchText(text).replaceAll(/\s+/g, " ")).join("\n");
}

/** The lines in which one of the terms stands. */
export function matchesIn(lines: readonly SearchLine[], terms: readonly string[]): SearchLine[] {
  return lines.filter(({ text }) => {
    const folded = searchText(text);
    return terms.some((term) => folded.includes(term));
  });
}
