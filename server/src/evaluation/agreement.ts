import type { Agreement } from "@aftercall/contract/analysis/review.ts";
import type { Verdict } from "@aftercall/contract/analysis/run.ts";

/** What the machine and a person said about one criterion of one call. */
export type Judged = {
  readonly criterionId: string;
  readonly name: string;
  readonly machine: Verdict;
  readonly person: Verdict;
};

/** With fewer, the figures say more about chance than about the criterion. */
const countMin = 30;
/** Below it agreement is commonly called no more than fair (Landis and Koch, 1977). */
const kappaMin = 0.4;

/**
 * How far people agree with the machine, criterion by criterion. Where either has no verdict (unknown), there is nothing to
 * agree about.
 */
export function agreementOf(judged: readonly Judged[]): Agreement[] {
  const groups = new Map<string, Judged[]>();
  for (const one of judged) {
    if (one.machine === "unknown" || one.person === "unknown") continue;
    groups.set(one.criterionId, [...(groups.get(one.criterionId) ?? []), one]);
  }
  return [...groups].map(([criterionId, ones]) => {
    const isEnough = ones.length >= countMin;
    const agreement = ones.filter(({ machine, person }) => machine === person).length / ones.length;
    const exact = isEnough ? kappaOf(ones, agreement) : null;
    const kappa = exact === null ? null : rounded(exact);
    return {
      criterion_id: criterionId,
      name: ones[0]?.name ?? criterionId,
      count: ones.length,
      agreement: isEnough ? rounded(agreement) : null,
      kappa,
      hint:
        kappa !== null && kappa < kappaMin
          ? "People and the machine read this criterion differently: say in its description what counts and what does not."
          : null,
    };
  });
}

/** Cohen's kappa: (observed - expected) / (1 - expected). Null where one verdict is all that was ever given. */
function kappaOf(ones: readonly Judged[], observed: number): number | null {
  const verdicts = new Set(ones.flatMap(({ machine, person }) => [machine, person]));
  const share = (who: "machine" | "person", verdict: Verdict) =>
    ones.filter((one) => one[who] === verdict).length / ones.length;
  const expected = [...verdicts].reduce(
    (sum, verdict) => sum + share("machine", verdict) * share("person", verdict),
    0,
  );
  return expected >= 1 ? null : (observed - expected) / (1 - expected);
}

function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
