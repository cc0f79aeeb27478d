import type { AfterCommit, Change, React } from "#/calls/change.ts";
import { together } from "#/db/transaction.ts";
import type { Tx } from "#/db/transaction.ts";

/** Something that follows from changes of one type; sees all of one commit at once, and may cause further changes. */
export type Reaction = (
  tx: Tx,
  changes: readonly Change[],
) => Promise<{ readonly changes?: readonly Change[]; readonly afterCommit?: readonly AfterCommit[] }>;

/** The things that can follow, each built by app.ts from the feature that owns it. */
export type Reactions = {
  readonly announce: Reaction;
  readonly countForCampaigns: Reaction;
  readonly sendMessages: Reaction;
  readonly settleLater: Reaction;
  readonly workOnCalls: Reaction;
  readonly queueFeedback: Reaction;
  readonly rescoreTraining: Reaction;
};

/** What follows from what. */
const table = (r: Reactions): Readonly<Record<Change["type"], readonly Reaction[]>> => ({
  "call.started": [r.announce, r.countForCampaigns],
  "call.updated": [r.announce, r.countForCampaigns, r.workOnCalls],
  "call.answered": [r.sendMessages],
  "call.merged": [r.announce, r.countForCampaigns, r.workOnCalls],
  "call.erased": [r.countForCampaigns],
  "call.ended": [r.announce, r.sendMessages, r.workOnCalls],
  "call.failed": [r.announce, r.sendMessages],
  "call.awaiting": [r.settleLater],
  "call.settled": [r.announce, r.sendMessages],
  "call.resettled": [r.sendMessages],
  "recording.ready": [r.announce, r.sendMessages],
  "transcript.ready": [r.announce, r.sendMessages],
  "analysis.completed": [r.announce, r.sendMessages],
  "analysis.failed": [r.announce, r.sendMessages],
  "tracker.matched": [r.sendMessages],
  "turn.spoken": [r.announce],
  "training.requested": [r.queueFeedback],
  "training.ready": [r.sendMessages],
  "evaluation.overridden": [r.rescoreTraining, r.sendMessages],
  "campaign.completed": [r.announce, r.sendMessages],
});

/** How often a change may cause another: completing a campaign by its last call is one step. */
const depthMax = 3;

/** Runs what follows from changes inside their transaction, until nothing new follows. */
export function createReact(reactions: Reactions): React {
  const follows = table(reactions);
  return async (tx, first) => {
    const afterCommit: AfterCommit[] = [];
    let changes = first;
    for (let depth = 0; changes.length > 0; depth++) {
      if (depth === depthMax) throw new Error(`changes caused changes more than ${depthMax} times`);
      const results = await together([...grouped(follows, changes)].map(([reaction, seen]) => reaction(tx, seen)));
      afterCommit.push(...results.flatMap((result) => result.afterCommit ?? []));
      changes = results.flatMap((result) => result.changes ?? []);
    }
    return afterCommit;
  };
}

/** Each reaction once, with every change that causes it. */
function grouped(follows: ReturnType<typeof table>, changes: readonly Change[]): Map<Reaction, Change[]> {
  const groups = new Map<Reaction, Change[]>();
  for (const change of changes) {
    for (const reaction of follows[change.type]) groups.set(reaction, [...(groups.get(reaction) ?? []), change]);
  }
  return groups;
}
