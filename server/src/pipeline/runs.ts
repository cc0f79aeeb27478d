import type { CallState } from "#/calls/state.ts";
import { providerPlan } from "#/evaluation/default-plans.ts";
import type { KnownRun } from "#/evaluation/provider-run-store.ts";
import type { NewRun } from "#/evaluation/run-store.ts";

import { analysedOf, isAnalysed, type MadeRun, showsProvider, toldDigestOf } from "./analysis.ts";
import type { Dossier } from "./dossier.ts";
import { providerAnalysed } from "./provider-run.ts";

export type Runs = {
  /** Ours; null where there is nothing to tell of. */
  readonly made: TellableRun | null;
  /** What the provider made of the call itself; null where it made nothing, or the call is not settled yet. */
  readonly provider: TellableRun | null;
};

/** `isNew`: it is still to be written. */
type TellableRun = MadeRun & { readonly isNew: boolean };

/**
 * What there is to write and to tell when a call settles, and when something came after that. `stated`: what is known of the
 * call, as it may be shown; `known`: the provider's run that is there.
 */
export function runsOf(
  dossier: Dossier,
  given: {
    readonly stated: CallState;
    readonly settles: boolean;
    readonly known: KnownRun | null;
  },
  newId: () => string,
): Runs {
  const { stated, settles, known } = given;
  const analysed = settles || dossier.settledAt !== null ? providerAnalysed(stated, dossier) : null;
  const isKnown = analysed !== null && known !== null && known.inputHash.equals(analysed.inputHash);
  const provider = analysed && { id: isKnown ? known.id : newId(), analysed, isNew: !isKnown };
  if (settles || isLate(dossier)) {
    return { made: { id: newId(), analysed: analysedOf(dossier), isNew: true }, provider };
  }
  // Only the provider has something new to say: it is told beside the run that is there.
  const made = provider?.isNew && dossier.runId ? { id: dossier.runId, analysed: analysedOf(dossier) } : null;
  return { made: made && { ...made, isNew: false }, provider };
}

/** The runs that are to be written; one of them at most is what the call shows from now on. */
export function newRuns(dossier: Dossier, { made, provider }: Runs): NewRun[] {
  if (!made) return [];
  const { tenantId, callId, plan } = dossier;
  const isProviderShown = showsProvider(dossier, made.analysed, provider);
  const ours: NewRun = { ...made, tenantId, callId, plan, trigger: "pipeline", isCurrent: !isProviderShown };
  if (!provider) return made.isNew ? [ours] : [];
  const theirs = { ...provider, plan: providerPlan, trigger: "provider", isCurrent: isProviderShown } as const;
  return [...(made.isNew ? [ours] : []), ...(provider.isNew ? [{ ...theirs, tenantId, callId }] : [])];
}

/** Results that came after the call was settled make a run of their own; what changes nothing makes none. */
function isLate(dossier: Dossier): boolean {
  return dossier.settledAt !== null && isAnalysed(dossier) && toldDigestOf(dossier) !== dossier.toldDigest;
}
