import type { Transcript } from "@aftercall/contract/call.ts";
import type { Campaign } from "@aftercall/contract/campaign.ts";
import type { LiveTurn } from "@aftercall/contract/live.ts";

import type { Tx } from "#/db/transaction.ts";
import type { Alias } from "#/providers/provider.ts";

import { isConnected, isOver, project } from "./project.ts";
import type { CallRecord } from "./record.ts";

/** What happened, as reactions see it. The words are those of the messages that are sent out. */
export type Change = CallChange | TurnSpoken | TrainingRequested | CampaignCompleted;

export type CallChange = {
  readonly type:
    | "call.started"
    | "call.updated"
    | "call.ended"
    | "call.failed"
    | "call.awaiting"
    | "call.settled"
    | "call.merged";
  readonly tenantId: string;
  /** The record before, null for a new call; for a merge, the double that went away. */
  readonly before: CallRecord | null;
  readonly after: CallRecord;
  readonly aliases: readonly Alias[];
  /** What was said, where it is known and the change is one that messages are made of. */
  readonly transcript: Transcript | null;
  /** When the event that caused it was received, epoch milliseconds. */
  readonly receivedAt: number;
};

/** Something is being said in a call that runs: for those who listen, no part of the record. */
export type TurnSpoken = {
  readonly type: "turn.spoken";
  readonly tenantId: string;
  readonly call: CallRecord;
  readonly aliases: readonly Alias[];
  readonly turn: LiveTurn;
  readonly receivedAt: number;
};

export type TrainingRequested = {
  readonly type: "training.requested";
  readonly tenantId: string;
  readonly sessionId: string;
  readonly callId: string | null;
  readonly communicationId: string;
};

export type CampaignCompleted = {
  readonly type: "campaign.completed";
  readonly tenantId: string;
  readonly campaignId: string;
  readonly campaign: Campaign;
  readonly completedAt: number;
  readonly receivedAt: number;
};

/** Runs what follows from changes, inside the transaction that made them; what it returns must run after the commit. */
export type React = (tx: Tx, changes: readonly Change[]) => Promise<AfterCommit[]>;

/** Something that may only happen once the transaction has committed; must not throw. */
export type AfterCommit = () => void;

/**
 * Which changes a call went through, and the record with their names noted, so that each of `call.ended`, `call.failed`
 * and `call.completed` is said once. `isDue` settles a call whose promised report has not come in time.
 */
export function changesBetween(
  before: CallRecord | null,
  after: CallRecord,
  isDue = false,
): { readonly record: CallRecord; readonly types: CallChange["type"][] } {
  const types: CallChange["type"][] = [before ? "call.updated" : "call.started"];
  const announced = new Set(after.announced);
  const now = project(after.state);
  if (isOver(now.status)) {
    const end = isConnected(now) ? "call.ended" : "call.failed";
    if (!announced.has("call.ended") && !announced.has(end)) {
      announced.add(end);
      types.push(end);
    }
    if (end === "call.ended" && !announced.has("call.completed")) {
      if (isDue || after.state.is_reported || !after.state.awaits_report) {
        announced.add("call.completed");
        types.push("call.settled");
      } else if (types.includes("call.ended")) {
        types.push("call.awaiting");
      }
    }
  }
  return { record: { ...after, announced: [...announced] }, types };
}
