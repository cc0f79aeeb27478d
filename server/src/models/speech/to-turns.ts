import type { Turn, TurnRole, Word } from "@aftercall/contract/call.ts";

import type { Segment } from "./recognise.ts";

/** What was heard, and who said it. */
export type Said = { readonly segment: Segment; readonly role: TurnRole; readonly channel: number | null };

/**
 * Turns in the order in which they began. A segment in which its speaker paused is taken apart first, so that what the other side
 * said meanwhile stands where it was said; neighbours of one speaker are one turn.
 */
export function turnsOf(said: readonly Said[]): Turn[] {
  const pieces = said.flatMap(({ segment, ...who }) => byPauses(segment).map((piece) => ({ ...who, segment: piece })));
  const ordered = pieces.toSorted((a, b) => (a.segment.startMs ?? 0) - (b.segment.startMs ?? 0));
  const groups: Said[][] = [];
  for (const one of ordered) {
    const last = groups.at(-1)?.at(-1);
    if (last && isOneTurn(last, one)) groups.at(-1)?.push(one);
    else groups.push([one]);
  }
  return groups.map(turnOf);
}

/** Longer silence of one speaker ends a turn. */
const turnPauseMs = 2_000;
/** Shorter pauses within a segment are no room for anybody. */
const piecePauseMs = 700;

function isOneTurn(a: Said, b: Said): boolean {
  if (a.role !== b.role || a.channel !== b.channel || a.segment.speaker !== b.segment.speaker) return false;
  const [end, start] = [a.segment.endMs, b.segment.startMs];
  return end !== null && start !== null && start - end < turnPauseMs;
}

function byPauses(segment: Segment): Segment[] {
  const groups: Word[][] = [];
  for (const word of segment.words ?? []) {
    const last = groups.at(-1)?.at(-1);
    if (last && word.start_ms - last.end_ms < piecePauseMs) groups.at(-1)?.push(word);
    else groups.push([word]);
  }
  if (groups.length < 2) return [segment];
  return groups.map((words) => ({
    ...segment,
    startMs: words[0]?.start_ms ?? segment.startMs,
    endMs: words.at(-1)?.end_ms ?? segment.endMs,
    text: words.map(({ text }) => text).join(" "),
    words,
  }));
}

function turnOf(group: readonly Said[]): Turn {
  const segments = group.map(({ segment }) => segment);
  const [first] = group;
  const words = segments.flatMap((segment) => segment.words ?? []);
  const confidence = mean(segments.flatMap((segment) => (segment.confidence === null ? [] : [segment.confidence])));
  return {
    role: first?.role ?? "unknown",
    text: segments.map(({ text }) => text.trim()).join(" "),
    start_ms: segments[0]?.startMs ?? null,
    end_ms: segments.reduce<number | null>(
      (end, { endMs }) => (endMs === null ? end : Math.max(end ?? endMs, endMs)),
      null,
    ),
    ...(first?.channel != null && { channel: first.channel }),
    ...(confidence !== null && { confidence }),
    ...(words.length > 0 && { words }),
  };
}

/** To three places: more is noise. */
export function mean(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return Math.round((values.reduce((sum, value) => sum + value, 0) / values.length) * 1000) / 1000;
}
