import type { MetricValue } from "@aftercall/contract/analysis/metrics.ts";

import { known } from "./definitions.ts";
import type { Spoken } from "./language.ts";
import type { Told } from "./moments.ts";

/**
 * Interruptions as the provider states them: it knows what was still to be said, which no times tell. A side interrupts
 * when a turn of the other carries the flag. Nothing for a side about whose turns the provider says nothing.
 */
export function flaggedInterruptions(spoken: readonly Spoken[]): MetricValue[] {
  return (["agent", "customer"] as const).flatMap((by) => {
    const others = spoken.filter(({ side }) => side !== null && side !== by);
    if (!others.some(({ turn }) => turn.interrupted !== undefined)) return [];
    const cut = others.filter(({ turn }) => turn.interrupted === true);
    const items = cut.flatMap(({ turn, index }) =>
      turn.start_ms === null
        ? []
        : [{ start_ms: turn.start_ms, end_ms: turn.end_ms ?? turn.start_ms, turn: index, by }],
    );
    return [known("interruptions", by, "count", cut.length, "provider", items)];
  });
}

/** The same where the provider only counted them: it does not say where they were. */
export function countedInterruptions({ interruptions }: Told): MetricValue[] {
  if (!interruptions) return [];
  return (["agent", "customer"] as const).map((by) =>
    known("interruptions", by, "count", interruptions[by], "provider"),
  );
}
