import type { FieldDef } from "@aftercall/contract/analysis/plan.ts";

import { isHebrew, withoutHebrewPrefixes } from "#/text/hebrew.ts";
import { type Token, tokensOf } from "#/text/tokens.ts";

/**
 * Finds the entries of a list in the tokens of a text; of entries that begin at the same word the longest. A Hebrew word is
 * first tried as it is (`לוד`), then without one or two letters from its front (`בבית שמש`), which counts only because
 * what is left is an entry.
 */
export function findEntries(gazetteer: Gazetteer, tokens: readonly Token[]): EntryFound[] {
  const found: EntryFound[] = [];
  for (let i = 0; i < tokens.length;) {
    const hit = longestAt(gazetteer, tokens, i);
    const [first, last] = [tokens[i], hit ? tokens[i + hit.tokens - 1] : undefined];
    if (hit && first && last) found.push({ value: hit.value, start: first.start, end: last.end });
    i += hit?.tokens ?? 1;
  }
  return found;
}

/** Offsets are those of the text that the tokens are of. */
export type EntryFound = { readonly value: string; readonly start: number; readonly end: number };

/** Words by what may follow them. */
export type Gazetteer = { readonly next: ReadonlyMap<string, Gazetteer>; readonly value: string | null };

/** The list as a tree of words; built once for each list that is kept in memory. */
export function gazetteerOf(entries: FieldDef["entries"]): Gazetteer {
  const known = built.get(entries);
  if (known) return known;
  const root: Branch = { next: new Map(), value: null };
  for (const { value, aliases } of entries) for (const name of [value, ...aliases]) add(root, name, value);
  built.set(entries, root);
  return root;
}

type Branch = { readonly next: Map<string, Branch>; value: string | null };
/** Follows from the list alone and goes with it. */
const built = new WeakMap<FieldDef["entries"], Gazetteer>();

/** Of entries with the same name the first one counts. */
function add(root: Branch, name: string, value: string): void {
  let branch = root;
  for (const { text } of tokensOf(name)) {
    const next: Branch = branch.next.get(text) ?? { next: new Map(), value: null };
    branch.next.set(text, next);
    branch = next;
  }
  if (branch !== root) branch.value ??= value;
}

type Hit = { readonly value: string; readonly tokens: number };

function longestAt(gazetteer: Gazetteer, tokens: readonly Token[], at: number): Hit | null {
  const word = tokens[at]?.text ?? "";
  for (const form of formsOf(word)) {
    const branch = gazetteer.next.get(form);
    const hit = branch ? longestFrom(branch, tokens, at + 1) : null;
    if (hit) return hit;
  }
  return null;
}

function longestFrom(branch: Gazetteer, tokens: readonly Token[], at: number): Hit | null {
  let best: Hit | null = branch.value === null ? null : { value: branch.value, tokens: 1 };
  let here: Gazetteer | undefined = branch;
  for (let i = at; here && i < tokens.length; i++) {
    here = here.next.get(tokens[i]?.text ?? "") ?? here.next.get(withoutPossessive(tokens[i]?.text ?? ""));
    if (here && here.value !== null) best = { value: here.value, tokens: i - at + 2 };
  }
  return best;
}

function formsOf(word: string): readonly string[] {
  if (isHebrew(word)) return [word, ...withoutHebrewPrefixes(word)];
  const bare = withoutPossessive(word);
  return bare === word ? [word] : [word, bare];
}

function withoutPossessive(word: string): string {
  return /['’]s$/.test(word) ? word.slice(0, -2) : word;
}
