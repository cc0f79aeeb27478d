import type { Evidence, Topic, TrackerHit } from "@aftercall/contract/analysis/run.ts";

import type { NamedTopic } from "#/models/language/answer.ts";

/**
 * What a call is about: hits of trackers, gathered by the topic that they name, and what a model named; the most frequent first.
 * A place that both know counts once.
 */
export function topicsOf(run: {
  readonly trackers: readonly TrackerHit[];
  readonly topics: readonly NamedTopic[];
}): Topic[] {
  const topics = new Map<string, Topic>();
  for (const { topic: name, hit, evidence } of run.trackers) {
    if (!hit || name === undefined) continue;
    const before = topics.get(name) ?? { name, methods: ["tracker" as const], count: 0, evidence: [] };
    const count = before.count + Math.max(1, evidence.length);
    topics.set(name, { ...before, count, evidence: [...before.evidence, ...evidence] });
  }
  for (const { topic: name, evidence } of run.topics) {
    const before = topics.get(name) ?? { name, methods: [], count: 0, evidence: [] };
    const added = evidence.filter((place) => !before.evidence.some((other) => isSamePlace(place, other)));
    topics.set(name, {
      name,
      methods: [...before.methods, "llm"],
      count: Math.max(1, before.count + added.length),
      evidence: [...before.evidence, ...added],
    });
  }
  return [...topics.values()].toSorted((a, b) => b.count - a.count);
}

/** In the same words; where these are masked, in the same turn. */
function isSamePlace(a: Evidence, b: Evidence): boolean {
  if (a.turn !== b.turn) return false;
  if (a.start_char === null || a.end_char === null || b.start_char === null || b.end_char === null) return true;
  return a.start_char < b.end_char && b.start_char < a.end_char;
}
