import type { Change, React } from "#/calls/change.ts";
import { factOf } from "#/calls/project.ts";
import { readCalls } from "#/calls/store.ts";
import { countForCampaigns } from "#/campaigns/progress.ts";
import type { Tx } from "#/db/transaction.ts";
import { messagesFor } from "#/delivery/announce.ts";
import type { EndpointBook } from "#/delivery/endpoints/book.ts";
import { logUnrouted } from "#/delivery/log-unrouted.ts";
import type { MessageRow } from "#/delivery/queue/message-store.ts";
import type { DeliveryWorker } from "#/delivery/worker.ts";
import { writeMessages } from "#/delivery/write.ts";
import { jobId } from "#/jobs/define.ts";
import type { Jobs } from "#/jobs/jobs.ts";
import type { Clock } from "#/kernel/clock.ts";
import type { Config } from "#/kernel/config.ts";
import type { Ids } from "#/kernel/ids.ts";
import type { Log } from "#/kernel/log.ts";
import { announce } from "#/live/announce.ts";
import { maskChanges } from "#/pipeline/mask-changes.ts";
import { callsToWorkOn } from "#/pipeline/wake.ts";
import { createReact } from "#/reactions.ts";
import { rescored } from "#/training/feedback.ts";
import { attachCall, saveFeedbackOf } from "#/training/store.ts";

import { enqueueCallsWith, enqueueFeedbackWith, work } from "./work.ts";

export type ReactionParts = {
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Log;
  readonly jobs: Jobs;
  readonly book: EndpointBook;
  readonly delivery: DeliveryWorker;
  /** Whether this process delivers, and so may take first attempts from memory. */
  readonly isWorker: boolean;
  /** Wakes those who tell live clients. */
  readonly ring: () => void;
  readonly config: Pick<Config, "analysis" | "settleSeconds" | "country">;
};

/** Gives each reaction of reactions.ts the feature that does it. */
export function composeReactions({
  ids,
  clock,
  log,
  jobs,
  book,
  delivery,
  isWorker,
  ring,
  config,
}: ReactionParts): React {
  const enqueueCalls = enqueueCallsWith(jobs);
  const enqueueFeedback = enqueueFeedbackWith(jobs);
  const roomFor = isWorker ? delivery.roomFor : () => 0;
  const react = createReact({
    async announce(tx, changes) {
      await announce(tx, changes, clock.now());
      return { afterCommit: [ring] };
    },

    async countForCampaigns(tx, changes) {
      return { changes: await countForCampaigns(tx, changes) };
    },

    async sendMessages(tx, changes) {
      const unrouted: MessageRow[] = [];
      const onUnrouted = (message: MessageRow) => unrouted.push(message);
      const facts = messagesFor(await toldAmong(tx, changes));
      const handOffs = await writeMessages(tx, facts, { ids, book, roomFor, onUnrouted });
      return { afterCommit: [() => delivery.handOff(handOffs), () => logUnrouted(log, unrouted)] };
    },

    async settleLater(tx, changes) {
      const queued = changes.flatMap((change) => {
        if (change.type !== "call.awaiting") return [];
        const data = { tenantId: change.tenantId, callId: change.after.id };
        return [{ id: jobId("settle", data.tenantId, data.callId), data, startAfterSeconds: config.settleSeconds }];
      });
      await jobs.enqueueAll(tx, work.settle, queued);
      return {};
    },

    async workOnCalls(tx, changes) {
      if (config.analysis === "on") await enqueueCalls(tx, callsToWorkOn(changes));
      return {};
    },

    async queueFeedback(tx, changes) {
      for (const change of changes) {
        if (change.type !== "training.requested") continue;
        const { tenantId, sessionId, callId } = change;
        await attachCall(tx, tenantId, sessionId, callId);
        await enqueueFeedback(tx, { tenantId, sessionId, work: 1, attempt: 1 });
      }
      return {};
    },

    async rescoreTraining(tx, changes) {
      for (const change of changes) {
        if (change.type !== "evaluation.overridden") continue;
        const { tenantId, runId, effective } = change;
        await saveFeedbackOf(tx, tenantId, runId, (feedback) => rescored(feedback, effective));
      }
      return {};
    },
  });
  return async (tx, changes) => react(tx, await maskChanges(tx, changes, config.country));
}

/** What was brought in from a file, and what follows from it, is told to endpoints only where that was asked for. */
async function toldAmong(tx: Tx, changes: readonly Change[]): Promise<Change[]> {
  const named = changes.flatMap((change) =>
    "callId" in change && change.callId !== null ? [{ tenantId: change.tenantId, callId: change.callId }] : [],
  );
  const calls = await readCalls(
    tx,
    named.map(({ tenantId }) => tenantId),
    named.map(({ callId }) => callId),
  );
  return changes.filter((change) => {
    if ("isQuiet" in change) return !change.isQuiet;
    const call = "after" in change ? change.after : "callId" in change ? calls.get(change.callId ?? "") : undefined;
    return !call || factOf(call.state, "is_quiet") === null;
  });
}
