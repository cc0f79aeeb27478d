import type { CallMoment } from "@aftercall/contract/moment.ts";

import type { KeptMoments } from "#/calls/moment-store.ts";
import { momentsIn } from "#/calls/moments.ts";
import { factOf } from "#/calls/project.ts";
import type { Told } from "#/metrics/moments.ts";
import { providerNamed } from "#/providers/index.ts";
import type { Moment } from "#/providers/moment.ts";
import type { Redactor } from "#/redaction/redact.ts";

import type { Dossier } from "./dossier.ts";

/** What happened inside a call as it may be shown and sent; null where it has to be masked and is not. */
export function shownMoments({ plan, found, moments, record }: Dossier): CallMoment[] | null {
  const isOpen = plan.definition.redaction.mode === "off";
  const shown = new Map<string, readonly Moment[]>();
  for (const [eventId, kept] of moments) {
    const told = isOpen ? kept.moments : (found.moments?.get(eventId) ?? kept.masked);
    if (!told) return null;
    shown.set(eventId, told);
  }
  return momentsIn(record.state, shown);
}

/** The same for numbers about it, which need no words, and the kinds of which the provider has told every one. */
export function toldMoments({ told, moments, record }: Dossier): Told {
  const provider = providerNamed(told?.origin ?? "") ?? providerNamed(record.provider);
  return {
    moments: momentsIn(record.state, new Map([...moments].map(([eventId, kept]) => [eventId, kept.moments]))),
    complete: new Set(record.state.is_reported ? provider?.tells : []),
    interruptions: factOf(record.state, "interruptions"),
  };
}

/** What a step that works with moments depends on. */
export function tellersOf(dossier: Dossier): readonly unknown[] {
  const { complete, interruptions } = toldMoments(dossier);
  return [[...dossier.moments.keys()].toSorted(), [...complete].toSorted(), interruptions];
}

/** What events told, without personal data in what tools were given and gave back, and without the keys that were pressed. */
export function maskMoments(
  kept: ReadonlyMap<string, KeptMoments>,
  redactor: Redactor,
): ReadonlyMap<string, readonly Moment[]> {
  return new Map([...kept].map(([eventId, { moments }]) => [eventId, moments.map((one) => masked(one, redactor))]));
}

/** Keys are account numbers and codes as often as choices, and no pattern tells which. */
function masked({ args, result, ...moment }: Moment, redactor: Redactor): Moment {
  const pressed = moment.kind === "dtmf" && args !== undefined;
  return {
    ...moment,
    ...(args !== undefined && { args: pressed ? { digits: "[DTMF]" } : redactor.maskValue(args) }),
    ...(result !== undefined && { result: redactor.maskValue(result) }),
  };
}
