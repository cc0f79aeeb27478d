import type { MomentKind } from "@aftercall/contract/moment.ts";

import { readJson } from "./json.ts";

/** Something that happened inside a call, as one event tells it. What is absent the event does not say. */
export type Moment = {
  readonly kind: MomentKind;
  /** The provider's own id where it has one: with the kind it names the moment within its call, however often it is told. */
  readonly ref: string;
  readonly name?: string;
  /** From the start of the call, milliseconds; the end for what lasts. */
  readonly at_ms?: number;
  readonly end_ms?: number;
  /** The same as epoch milliseconds. */
  readonly at?: number;
  readonly end_at?: number;
  readonly args?: unknown;
  readonly result?: unknown;
  readonly is_error?: boolean;
  readonly latency_ms?: number;
};

/** What a parser found out: null and undefined are what it did not. */
export type FoundMoment = { readonly [Name in Exclude<keyof Moment, "ref" | "kind">]?: Moment[Name] | null } & {
  readonly kind: MomentKind;
  readonly ref?: string | null;
};

/** Moments of one event. Those without an id of the provider's are told apart by their name, their time and their number. */
export function momentsOf(found: readonly FoundMoment[]): Moment[] {
  const seen = new Map<string, number>();
  return found.slice(0, momentsMax).map(({ kind, ref, args, result, ...rest }) => {
    const own = ref ?? `${rest.name ?? kind}@${rest.at_ms ?? rest.at ?? rest.end_at ?? ""}`;
    const count = (seen.get(`${kind}:${own}`) ?? 0) + 1;
    seen.set(`${kind}:${own}`, count);
    const said = Object.entries({ ...rest, args: bounded(args), result: bounded(result) });
    const given = Object.fromEntries(said.filter(([, value]) => value !== null && value !== undefined));
    return { kind, ref: (count === 1 ? own : `${own}#${count}`).slice(0, refMax), ...given };
  });
}

/**
 * What a tool was given or gave back, which most providers write as JSON in a text: an object or a list as such, whatever a body
 * might not hold either as the text that it is.
 */
export function jsonOrText(value: unknown): unknown {
  if (typeof value !== "string") return value;
  const text = value.trim();
  if (text === "") return null;
  if (text.length > valueCharsMax || !/^[{[]/.test(text)) return value;
  try {
    return readJson(Buffer.from(text));
  } catch {
    return value;
  }
}

/** More of them in one event is no conversation. */
const momentsMax = 1_000;
/** Characters of a name within a call. */
const refMax = 300;
/** Characters of what a tool was given or gave back; a longer one is cut. All of it stays in the event. */
const valueCharsMax = 16_000;

function bounded(value: unknown): unknown {
  if (value === null || value === undefined) return null;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length <= valueCharsMax ? value : `${text.slice(0, valueCharsMax)}…`;
}
