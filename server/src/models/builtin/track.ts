import type { MetricSet } from "@aftercall/contract/analysis/metrics.ts";
import type { Tracker } from "@aftercall/contract/analysis/plan.ts";
import type { Evidence, TrackerHit } from "@aftercall/contract/analysis/run.ts";
import type { Transcript, Turn, TurnRole } from "@aftercall/contract/call.ts";

import { testMetric } from "#/metrics/test-metric.ts";
import { cite } from "#/text/cite.ts";
import { speakersOf } from "#/text/sides.ts";
import { type TokensOfTurn, tokensOfTurns } from "#/text/tokens-of-turns.ts";
import { isSpeech, turnsOf } from "#/text/turns.ts";

import { findEntries, gazetteerOf } from "./gazetteer.ts";
import { type Part, partOf } from "./range.ts";

/**
 * What the trackers of a plan find. A phrase is found in any of its forms: with or without points, with letters written
 * onto its front in Hebrew. A tracker with phrases and a metric hits when both do. What cannot be told (a range in time of
 * a transcript without times, a number that is not known) is no hit, also where the absence of something is looked for.
 */
export function track(
  transcript: Transcript,
  metrics: readonly MetricSet[],
  trackers: readonly Tracker[],
): TrackerHit[] {
  const turns = turnsOf(transcript);
  const words = { turns, tokens: tokensOfTurns(turns), metrics };
  return trackers.map((tracker) => look(words, tracker).hit);
}

/** One tracker; `isKnown` is false where it cannot be told whether it hits. */
export function look(
  { turns, tokens, metrics }: Words,
  tracker: Tracker,
  side: TurnRole | null = tracker.role,
): { readonly hit: TrackerHit; readonly isKnown: boolean } {
  const { id, name, topic, negate, alert } = tracker;
  const base = { id, name, ...(topic !== null && { topic }), negated: negate, alert };
  const number = tracker.metric ? testMetric(tracker.metric, metrics, side ?? "agent") : null;
  const part = partOf(turns, tracker.range);
  const hasPhrases = tracker.any_of.length > 0;
  const searched = hasPhrases ? part : null;
  const isKnown = number?.holds !== null && (!hasPhrases || (part !== null && turns.some(isSpeech)));
  if (!isKnown) return { hit: { ...base, hit: false, evidence: [], searched: null }, isKnown };
  const evidence = part && hasPhrases ? said({ turns, tokens }, tracker.any_of, side, part) : [];
  const isSaid = !hasPhrases || evidence.length > 0 !== negate;
  return {
    hit: {
      ...base,
      hit: isSaid && (number?.holds ?? true),
      evidence,
      searched: searched && { from_turn: searched.from, to_turn: searched.to },
    },
    isKnown,
  };
}

/** The words of a call, and its numbers, the set from sound first. */
export type Words = {
  readonly turns: readonly Turn[];
  readonly tokens: TokensOfTurn;
  readonly metrics: readonly MetricSet[];
};

const evidenceMax = 20;

function said(
  { turns, tokens }: Omit<Words, "metrics">,
  phrases: readonly string[],
  role: TurnRole | null,
  part: Part,
): Evidence[] {
  const wanted = gazetteerOf(phrases.map((value) => ({ value, aliases: [] })));
  const isSaidBy = speakersOf(turns);
  const found: Evidence[] = [];
  for (let i = part.from; i <= part.to && found.length < evidenceMax; i++) {
    const turn = turns[i];
    if (!turn || !isSpeech(turn) || (role && !isSaidBy(turn, role))) continue;
    for (const { start, end } of findEntries(wanted, tokens(i))) {
      const evidence = cite(turns, i, start, end);
      if (part.holds(evidence.start_ms)) found.push(evidence);
    }
  }
  return found.slice(0, evidenceMax);
}
