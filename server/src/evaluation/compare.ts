import { isDeepStrictEqual } from "node:util";

import type { JobComparison, RunComparison } from "@aftercall/contract/analysis/job.ts";
import { jobLimits } from "@aftercall/contract/analysis/job.ts";
import type { ExtractedField } from "@aftercall/contract/analysis/run.ts";
import { toPublicId } from "@aftercall/contract/id.ts";

import type { RunRow } from "./run.ts";
import { topicsOf } from "./topics.ts";

/**
 * How two runs of one call differ: field by field, criterion by criterion. What only one of them has is not the same, but for a
 * field that the other has nothing to say of.
 */
export function compareRuns(before: RunRow, after: RunRow): RunComparison {
  const summary = { before: before.summary?.text ?? null, after: after.summary?.text ?? null };
  const fields = pairs(before.fields, after.fields, ({ name }) => name).map(([name, a, b]) => ({
    name,
    is_same: claimOf(a) === claimOf(b) && isDeepStrictEqual(a?.value ?? null, b?.value ?? null),
    before: a?.value ?? null,
    after: b?.value ?? null,
    state_before: a?.state ?? null,
    state_after: b?.state ?? null,
  }));
  const criteria = pairs(
    before.evaluation?.results ?? [],
    after.evaluation?.results ?? [],
    ({ criterion_id }) => criterion_id,
  ).map(([criterion_id, a, b]) => ({
    criterion_id,
    is_same: a?.verdict === b?.verdict && a?.points === b?.points,
    before: a?.verdict ?? null,
    after: b?.verdict ?? null,
    points_before: a?.points ?? null,
    points_after: b?.points ?? null,
  }));
  const trackers = pairs(before.trackers, after.trackers, ({ id }) => id).map(([id, a, b]) => ({
    id,
    is_same: a?.hit === b?.hit,
    before: a?.hit ?? null,
    after: b?.hit ?? null,
  }));
  const topics = pairs(topicsOf(before), topicsOf(after), ({ name }) => name).map(([name, a, b]) => ({
    name,
    is_same: Boolean(a) === Boolean(b),
    before: a !== undefined,
    after: b !== undefined,
  }));
  const sentiment = pairs(before.sentiment?.roles ?? [], after.sentiment?.roles ?? [], ({ role }) => role).map(
    ([role, a, b]) => ({
      role,
      is_same: (a?.value ?? null) === (b?.value ?? null) && (a?.trend ?? null) === (b?.trend ?? null),
      before: a?.value ?? null,
      after: b?.value ?? null,
      trend_before: a?.trend ?? null,
      trend_after: b?.trend ?? null,
    }),
  );
  const score = { before: before.evaluation?.score ?? null, after: after.evaluation?.score ?? null };
  const isSameSummary = summary.before === summary.after;
  return {
    call_id: toPublicId("call", after.callId),
    before: toPublicId("analysis_run", before.id),
    after: toPublicId("analysis_run", after.id),
    summary: { is_same: isSameSummary, ...summary },
    fields,
    criteria,
    trackers,
    topics,
    sentiment,
    score,
    is_same:
      isSameSummary &&
      score.before === score.after &&
      [...fields, ...criteria, ...trackers, ...topics, ...sentiment].every((one) => one.is_same),
  };
}

/** The same for all calls of a job, as shares of agreement, with the first calls that changed. */
export function summarise(comparisons: readonly RunComparison[]): JobComparison {
  const changed = comparisons.filter(({ is_same }) => !is_same);
  return {
    compared: comparisons.length,
    unchanged: comparisons.length - changed.length,
    fields: shares(comparisons.flatMap(({ fields }) => fields.map(({ name, is_same }) => ({ name, is_same })))).map(
      ({ name, ...rest }) => ({ name, ...rest }),
    ),
    criteria: shares(
      comparisons.flatMap(({ criteria }) =>
        criteria.map(({ criterion_id, is_same }) => ({ name: criterion_id, is_same })),
      ),
    ).map(({ name, ...rest }) => ({ criterion_id: name, ...rest })),
    topics: shares(comparisons.flatMap(({ topics }) => topics)),
    score: {
      before: mean(comparisons.map(({ score }) => score.before)),
      after: mean(comparisons.map(({ score }) => score.after)),
    },
    changed: changed.slice(0, jobLimits.sampleMax),
  };
}

/** The state of a field that says something of the call; null of one of which nothing is known. */
function claimOf(field: ExtractedField | undefined): ExtractedField["state"] | null {
  return field === undefined || nothingSaid.has(field.state) ? null : field.state;
}

/** It is not there, nobody mentioned it, or nobody looked for it with success. */
const nothingSaid: ReadonlySet<ExtractedField["state"]> = new Set(["not_mentioned", "skipped", "failed"]);

function pairs<Item>(
  before: readonly Item[],
  after: readonly Item[],
  nameOf: (item: Item) => string,
): (readonly [name: string, before: Item | undefined, after: Item | undefined])[] {
  const a = new Map(before.map((item) => [nameOf(item), item]));
  const b = new Map(after.map((item) => [nameOf(item), item]));
  return [...new Set([...a.keys(), ...b.keys()])].map((name) => [name, a.get(name), b.get(name)] as const);
}

function shares(items: readonly { name: string; is_same: boolean }[]) {
  const counts = new Map<string, { compared: number; same: number }>();
  for (const { name, is_same } of items) {
    const { compared, same } = counts.get(name) ?? { compared: 0, same: 0 };
    counts.set(name, { compared: compared + 1, same: same + Number(is_same) });
  }
  return [...counts].map(([name, { compared, same }]) => ({ name, compared, agreement: rounded(same / compared) }));
}

function mean(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : rounded(known.reduce((sum, value) => sum + value, 0) / known.length);
}

function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
