import type { Topic, TrackerHit } from "@aftercall/contract/analysis/run.ts";

/** What a call is about: hits of trackers, gathered by the topic that they name, the most frequent first. */
export function topicsOf(trackers: readonly TrackerHit[]): Topic[] {
  const topics = new Map<string, Topic>();
  for (const { topic: name, hit, evidence } of trackers) {
    if (!hit || name === undefined) continue;
    const before = topics.get(name) ?? { name, count: 0, evidence: [] };
    const count = before.count + Math.max(1, evidence.length);
    topics.set(name, { name, count, evidence: [...before.evidence, ...evidence] });
  }
  return [...topics.values()].toSorted((a, b) => b.count - a.count);
}
