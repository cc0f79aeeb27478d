import type { Change } from "#/calls/change.ts";
import type { CallRecord } from "#/calls/record.ts";
import type { CallState } from "#/calls/state.ts";
import type { Tx } from "#/db/transaction.ts";
import { choosePlan } from "#/evaluation/choose-plan.ts";
import { publishedPlans } from "#/evaluation/plan-store.ts";
import type { Plan } from "#/evaluation/run.ts";

import { redactorFor, withoutStated } from "./mask.ts";
import { subjectOf } from "./subject.ts";

/**
 * Changes without the personal data that providers put into them before the pipeline of a call masks anything: what is being
 * said, what the provider wrote about the call, and the address of its own recording where ours is silenced. Only where the plan for the call masks; plans are read only where there are such words.
 */
export async function maskChanges(
  tx: Tx,
  changes: readonly Change[],
  country: string | null,
): Promise<readonly Change[]> {
  const tenantIds = new Set(changes.filter(hasWords).map(({ tenantId }) => tenantId));
  if (tenantIds.size === 0) return changes;
  const plansOf = new Map<string, readonly Plan[]>();
  for (const tenantId of tenantIds) {
    // oxlint-disable-next-line no-await-in-loop -- One statement after the other on one connection.
    plansOf.set(tenantId, await publishedPlans(tx, tenantId));
  }
  return changes.map((change) => {
    if (!hasWords(change)) return change;
    const record = "after" in change ? change.after : change.call;
    const plan = choosePlan(plansOf.get(change.tenantId) ?? [], subjectOf(record));
    const redaction = plan?.definition.redaction;
    if (!redaction || redaction.mode === "off") return change;
    if ("after" in change) {
      const state = withoutStated(record, redaction, country);
      return { ...change, after: { ...record, state: redaction.audio ? withoutAddress(state) : state } };
    }
    const { turn } = change;
    return { ...change, turn: { ...turn, text: redactorFor(redaction, record, country).maskText(turn.text) } };
  });
}

/** The provider's own copy of the recording is not silent where ours is. */
function withoutAddress(state: CallState): CallState {
  const { recording } = state.facts;
  if (!recording?.value) return state;
  const silent = { ...recording, value: { ...recording.value, url: null } };
  return { ...state, facts: { ...state.facts, recording: silent } };
}

type WithWords = Extract<Change, { readonly after: CallRecord } | { readonly call: CallRecord }>;

function hasWords(change: Change): change is WithWords {
  if (!("after" in change)) return "turn" in change;
  const { summary, analysis, provider_analysis: told, recording } = change.after.state.facts;
  return summary !== undefined || analysis !== undefined || told !== undefined || Boolean(recording?.value?.url);
}
