import type { MetricSet, MetricValue } from "@aftercall/contract/analysis/metrics.ts";
import type { MetricTest } from "@aftercall/contract/analysis/plan.ts";
import type { TurnRole } from "@aftercall/contract/call.ts";

/**
 * Holds a number of a call against what is asked of it. Of several sets the first that knows the number is taken, so hand
 * in the one from sound before the one from text. A test without a role means the whole call's number, or that of `side`
 * where there is one for each side.
 */
export function testMetric(test: MetricTest, sets: readonly MetricSet[], side: TurnRole = "agent"): MetricAnswer {
  const roles = test.role ? [test.role] : [null, side];
  const values = sets.flatMap((set) =>
    roles.flatMap((role) => set.values.filter((one) => one.key === test.key && one.role === role)),
  );
  const value = values.find((one) => one.value !== null) ?? values[0] ?? null;
  return { value, holds: value?.value == null ? null : holds(test, value.value) };
}

/** `holds` is null where the number is not known. */
export type MetricAnswer = { readonly value: MetricValue | null; readonly holds: boolean | null };

function holds({ op, value: wanted }: MetricTest, value: number): boolean {
  const [low, high] = typeof wanted === "number" ? [wanted, wanted] : wanted;
  switch (op) {
    case "<":
      return value < low;
    case "<=":
      return value <= low;
    case ">":
      return value > low;
    case ">=":
      return value >= low;
    case "between":
      return value >= low && value <= high;
  }
}
