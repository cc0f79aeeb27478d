import { aliasesOf } from "#/calls/alias-store.ts";
import type { React } from "#/calls/change.ts";
import {
  callsToForget,
  callWithDoubles,
  erasedCallsWithLateData,
  forgetCalls,
  holdReason,
  setHold,
} from "#/calls/forget-store.ts";
import { forgetMoments } from "#/calls/moment-store.ts";
import { toCall } from "#/calls/record.ts";
import { loadCall } from "#/calls/store.ts";
import type { Tx } from "#/db/transaction.ts";
import { forgetMessages } from "#/delivery/ledger/forget-store.ts";
import { forgetReviews, forgetTestCases } from "#/evaluation/forget-store.ts";
import { forgetCarried, forgetEvents } from "#/inbox/forget-store.ts";
import type { Clock } from "#/kernel/clock.ts";
import { NotFound } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { forgetChanges } from "#/live/forget-store.ts";
import { forgetResults } from "#/pipeline/forget-store.ts";
import { callsWithOldRecordings, forgetRecordings } from "#/recordings/forget-store.ts";
import type { Eraser, Forget } from "#/retention/erase.ts";
import { forgetFeedback } from "#/training/forget-store.ts";

type EraserParts = { readonly ids: Ids; readonly clock: Clock; readonly react: React };

/** Every part of the server that keeps something of what calls say. One that is missing here would outlive an erasure. */
export function composeEraser({ ids, clock, react }: EraserParts): Eraser {
  const rowsOf =
    (forget: (tx: Tx, tenantId: string, callIds: readonly string[]) => Promise<number>): Forget =>
    async (...asked) => ({ rows: await forget(...asked) });
  return {
    ids,
    forgets: {
      messages: rowsOf(forgetMessages),
      live_changes: rowsOf(forgetChanges),
      events: forgetEvents,
      recordings: forgetRecordings,
      carried_recordings: forgetCarried,
      reviews: rowsOf(forgetReviews),
      test_cases: rowsOf(forgetTestCases),
      results: rowsOf(forgetResults),
      feedback: rowsOf(forgetFeedback),
      moments: rowsOf(forgetMoments),
      // Last: nothing of what the others empty may be read from it again.
      async transcripts(tx, tenantId, callIds) {
        const { rows, closed } = await forgetCalls(tx, tenantId, callIds, clock.now());
        return { rows, afterCommit: await react(tx, closed) };
      },
    },
  };
}

/** What erasing must know of calls. */
export const erasableCalls = {
  callWithDoubles,
  holdReason,
  setHold,
  callsToForget,
  callsWithOldRecordings,
  erasedCallsWithLateData,
  async showCall(tx: Tx, tenantId: string, callId: string) {
    const call = await loadCall(tx, tenantId, callId);
    if (!call) throw new NotFound("Call");
    return toCall(call, (await aliasesOf(tx, [tenantId], [call.id])).get(call.id) ?? []);
  },
};
