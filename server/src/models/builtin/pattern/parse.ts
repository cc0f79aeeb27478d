/**
 * A regular expression in JavaScript's syntax, taken apart. Only what can be matched in time that grows with the text and
 * not with its powers: no look-around and no back references. `(?i)` in front makes upper and lower case the same.
 *
 * @throws {PatternError} what is wrong with it, for whoever wrote it
 */
export function parsePattern(source: string): Parsed {
  const ignoresCase = source.startsWith("(?i)");
  const body = ignoresCase ? source.slice(4) : source;
  const flags = ignoresCase ? "iu" : "u";
  try {
    RegExp(body, flags);
  } catch (error) {
    throw new PatternError(error instanceof Error ? error.message : String(error));
  }
  const reader = new Reader(body);
  const node = alternatives(reader);
  return { node, flags };
}

export class PatternError extends Error {}

export type Parsed = { readonly node: Node; readonly flags: string };

/** `atom` matches one character: a letter, an escape, a class or the dot, as written. */
export type Node =
  | { readonly kind: "atom"; readonly source: string }
  | { readonly kind: "assert"; readonly at: "^" | "$" | "b" | "B" }
  | { readonly kind: "sequence"; readonly nodes: readonly Node[] }
  | { readonly kind: "choice"; readonly nodes: readonly Node[] }
  | {
      readonly kind: "repeat";
      readonly node: Node;
      readonly min: number;
      readonly max: number;
      readonly isLazy: boolean;
    }
  | { readonly kind: "group"; readonly node: Node; readonly index: number };

class Reader {
  readonly #text: string;
  #at = 0;
  groups = 0;
  constructor(text: string) {
    this.#text = text;
  }
  /** What `pattern` (sticky) finds here, and moves on; null when it finds nothing. */
  take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found) this.#at = pattern.lastIndex;
    return found;
  }
  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }
  get next(): string {
    return this.#text.charAt(this.#at);
  }
}

function alternatives(reader: Reader): Node {
  const nodes = [sequence(reader)];
  while (reader.take(/\|/y)) nodes.push(sequence(reader));
  const [only] = nodes;
  return nodes.length === 1 && only ? only : { kind: "choice", nodes };
}

function sequence(reader: Reader): Node {
  const nodes: Node[] = [];
  while (!reader.isAtEnd && reader.next !== "|" && reader.next !== ")") nodes.push(repeated(reader, part(reader)));
  return { kind: "sequence", nodes };
}

function part(reader: Reader): Node {
  const assertion = reader.take(/[\^$]|\\[bB]/y)?.[0];
  if (assertion) return { kind: "assert", at: assertion.replace("\\", "") as "^" | "$" | "b" | "B" };
  if (reader.take(/\(\?<?[=!]/y)) throw new PatternError("look-ahead and look-behind are not supported");
  if (reader.take(/\\(?:[1-9]|k)/y)) throw new PatternError("back references are not supported");
  const group = reader.take(/\((?:\?(?::|<[^>]+>))?/y)?.[0];
  if (group === undefined) return { kind: "atom", source: atom(reader) };
  if (group === "(" && reader.next === "?") throw new PatternError("flags inside the pattern are not supported");
  const index = group === "(?:" ? 0 : ++reader.groups;
  const node = alternatives(reader);
  reader.take(/\)/y);
  return { kind: "group", node, index };
}

function atom(reader: Reader): string {
  const escape = /\\(?:u\{[^}]*\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[pP]\{[^}]*\}|c[A-Za-z]|.)/suy;
  const found = reader.take(escape) ?? reader.take(/\[(?:[^\]\\]|\\.)*\]/suy) ?? reader.take(/./suy);
  return found?.[0] ?? "";
}

const copiesMax = 200;

function repeated(reader: Reader, node: Node): Node {
  const found = reader.take(/([*+?]|\{(\d+)(,?)(\d*)\})(\??)/y);
  if (!found) return node;
  const [, sign = "", low = "", comma, high = "", lazy] = found;
  const [min, max] = boundsOf(sign, low, comma ? high : low);
  if (min > copiesMax || (max > copiesMax && max !== Number.POSITIVE_INFINITY))
    throw new PatternError(`at most ${copiesMax} repetitions can be counted`);
  return { kind: "repeat", node, min, max, isLazy: lazy === "?" };
}

function boundsOf(sign: string, low: string, high: string): [number, number] {
  const unbounded = Number.POSITIVE_INFINITY;
  if (sign === "*") return [0, unbounded];
  if (sign === "+") return [1, unbounded];
  if (sign === "?") return [0, 1];
  return [Number(low), high === "" ? unbounded : Number(high)];
}
