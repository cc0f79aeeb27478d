import type { Summary } from "@aftercall/contract/analysis/run.ts";
import type { Transcript, Turn } from "@aftercall/contract/call.ts";

import { cite } from "#/text/cite.ts";
import { turnsOf } from "#/text/turns.ts";

import { type Dictionary, dictionaryFor } from "./languages/dictionary.ts";
import { lexRank, likeness, type Vector, vectorsOf } from "./lexrank.ts";
import { type Unit, unitsOf } from "./units.ts";

/**
 * A summary out of sentences of the call itself, in the order in which they were said, and labelled as such: those that
 * most others resemble, with weight on what the customer first asks for and what the agent promises last, and none that
 * repeats another. Nothing in it is written by us but the first line and the names of speakers, in the language given.
 */
export function summariseExtractively(
  transcript: Transcript,
  { language, sentencesMax }: { readonly language: string | null; readonly sentencesMax: number },
): Summary {
  const turns = turnsOf(transcript);
  const units = unitsOf(turns, transcript.language ?? language);
  const chosen = choose(units, sentencesMax).toSorted((a, b) => a.turn - b.turn || a.start - b.start);
  const dictionary = dictionaryFor(language);
  const bullets = chosen.map((unit) => `${speaker(turns, unit, dictionary)}${textOf(turns, unit)}`);
  const header = dictionary.quoted(chosen.length);
  return {
    title: null,
    text: [header, ...(bullets.length > 0 ? ["", ...bullets.map((bullet) => `- ${bullet}`)] : [])].join("\n"),
    language: transcript.language ?? language,
    bullets,
    next_steps: lastPromises(units).map((unit) => ({
      text: textOf(turns, unit),
      owner: turns[unit.turn]?.role ?? null,
      due: null,
      evidence: [cite(turns, unit.turn, unit.start, unit.end)],
    })),
    method: "extractive",
    evidence: chosen.map((unit) => cite(turns, unit.turn, unit.start, unit.end)),
  };
}

const relevance = 0.7;
/** From this cosine on a sentence says the same again, and is quoted only when nothing else is left. */
const sameAgain = 0.95;
const promisesMax = 2;

/** The best, each judged also by how little it repeats those before it (maximal marginal relevance). */
function choose(units: readonly Unit[], count: number): Unit[] {
  const vectors = vectorsOf(units.map(({ words }) => words));
  const scores = weighed(units, lexRank(vectors));
  const highest = Math.max(...scores, Number.MIN_VALUE);
  const repeats = new Float64Array(units.length);
  const chosen: Unit[] = [];
  const left = new Set(units.keys());
  while (chosen.length < count && left.size > 0) {
    let best = -1;
    let bestWorth = Number.NEGATIVE_INFINITY;
    for (const i of left) {
      const repeat = repeats[i] ?? 0;
      const worth = relevance * ((scores[i] ?? 0) / highest) - (repeat > sameAgain ? 1 : (1 - relevance) * repeat);
      if (worth > bestWorth) [best, bestWorth] = [i, worth];
    }
    const [unit, vector] = [units[best], vectors[best]];
    left.delete(best);
    if (!unit || !vector) break;
    chosen.push(unit);
    for (const i of left) repeats[i] = Math.max(repeats[i] ?? 0, likeness(vector, vectors[i] ?? nothing));
  }
  return chosen;
}

const nothing: Vector = { terms: new Int32Array(), weights: new Float64Array() };

/** What the customer asks for first and what is promised last is what the call was about. */
function weighed(units: readonly Unit[], scores: Float64Array): Float64Array {
  const request = units.findIndex(({ isRequest }) => isRequest);
  const promise = units.findLastIndex(({ isPromise }) => isPromise);
  return scores.map((score, i) => {
    const unit = units[i];
    if (i === request || i === promise) return score * 1.5 + 1;
    return unit && (unit.isRequest || unit.isPromise) ? score * 1.15 : score;
  });
}

function lastPromises(units: readonly Unit[]): Unit[] {
  return units.filter(({ isPromise }) => isPromise).slice(-promisesMax);
}

function textOf(turns: readonly Turn[], { turn, start, end }: Unit): string {
  return (turns[turn]?.text ?? "").slice(start, end).replace(/\s+/g, " ");
}

function speaker(turns: readonly Turn[], { turn }: Unit, { speakers }: Dictionary): string {
  const label = speakers[turns[turn]?.role ?? "unknown"];
  return label ? `${label}: ` : "";
}
