import type { CallAnalysis } from "@aftercall/contract/analysis/call-analysis.ts";
import type { CostLine } from "@aftercall/contract/analysis/engine.ts";
import type { EffectiveEvaluation, Override } from "@aftercall/contract/analysis/review.ts";
import type { Verdict } from "@aftercall/contract/analysis/run.ts";
import type { Transcript } from "@aftercall/contract/call.ts";
import type { Campaign } from "@aftercall/contract/campaign.ts";
import type { LiveTurn } from "@aftercall/contract/live.ts";
import type { CallMoment } from "@aftercall/contract/moment.ts";
import type { TrainingSession } from "@aftercall/contract/training.ts";

import type { Tx } from "#/db/transaction.ts";
import type { Alias } from "#/providers/provider.ts";

import { isConnected, isOver, project } from "./project.ts";
import type { CallRecord } from "./record.ts";

/** What happened, as reactions see it. The words are those of the messages that are sent out. */
export type Change =
  | CallChange
  | CallResult
  | TurnSpoken
  | TrainingRequested
  | TrainingReady
  | EvaluationOverridden
  | CampaignCompleted;

export type CallChange = {
  readonly type:
    | "call.started"
    | "call.updated"
    | "call.answered"
    | "call.ended"
    | "call.failed"
    | "call.awaiting"
    | "call.settled"
    | "call.resettled"
    | "call.merged"
    | "call.erased";
  readonly tenantId: string;
  /** The record before, null for a new call; for a merge, the double that went away. */
  readonly before: CallRecord | null;
  readonly after: CallRecord;
  readonly aliases: readonly Alias[];
  /** What was said, where it is known and the change is one that messages are made of. */
  readonly transcript: Transcript | null;
  /** What happened inside the call, where everything of it is told. */
  readonly moments?: readonly CallMoment[];
  /** What our engines came to, where it was settled by its pipeline. */
  readonly costs?: readonly CostLine[];
  /** What was made of the call, where it was settled by its pipeline. */
  readonly analysis?: CallAnalysis;
  /** Of what comes after it was settled: the run that counts from then on. */
  readonly runId?: string;
  /** When the event that caused it was received, epoch milliseconds. */
  readonly receivedAt: number;
};

/** Something that was made of a call after it ended is there. */
export type CallResult = {
  readonly type: "recording.ready" | "transcript.ready" | "analysis.completed" | "analysis.failed" | "tracker.matched";
  readonly tenantId: string;
  readonly after: CallRecord;
  readonly aliases: readonly Alias[];
  /** Names what is there: one message for each (time, subject, type). */
  readonly subject: string;
  /** When it was made, epoch milliseconds: the same whenever it is told. */
  readonly at: number;
  /** What the message holds beside the call. */
  readonly data: Readonly<Record<string, unknown>>;
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

/** The feedback on a training session is there. */
export type TrainingReady = {
  readonly type: "training.ready";
  readonly tenantId: string;
  readonly sessionId: string;
  readonly callId: string | null;
  readonly session: TrainingSession;
  /** Epoch milliseconds. */
  readonly occurredAt: number;
};

/** A person changed a verdict of a scorecard. */
export type EvaluationOverridden = {
  readonly type: "evaluation.overridden";
  readonly tenantId: string;
  readonly callId: string;
  readonly runId: string;
  readonly overrideId: string;
  readonly override: Override;
  /** What the machine had said. */
  readonly machine: Verdict;
  /** The scorecard from now on. */
  readonly effective: EffectiveEvaluation;
  /** Epoch milliseconds. */
  readonly occurredAt: number;
};

export type CampaignCompleted = {
  readonly type: "campaign.completed";
  readonly tenantId: string;
  readonly campaignId: string;
  readonly campaign: Campaign;
  /** True: all its calls are of a kind that is not told to endpoints, and so is this. */
  readonly isQuiet: boolean;
  readonly completedAt: number;
  readonly receivedAt: number;
};

/** Runs what follows from changes, inside the transaction that made them; what it returns must run after the commit. */
export type React = (tx: Tx, changes: readonly Change[]) => Promise<AfterCommit[]>;

/** Something that may only happen once the transaction has committed; must not throw. */
export type AfterCommit = () => void;

/**
 * Who says that a call is settled: `at_once` the change itself, when no promised report is missing; `pipeline` the pipeline of
 * the call, later; `due` we do now, whatever is missing.
 */
export type Settling = "at_once" | "pipeline" | "due";

/**
 * Which changes a call went through, and the record with their names noted, so that each of `call.ended`, `call.failed`
 * and `call.completed` is said once. `doubles`: records that turned out to be this call. That it was answered is said by whatever
 * makes it run, which happens once: a status never falls, and what is heard of first at its end was never seen running.
 */
export function changesBetween(
  before: CallRecord | null,
  after: CallRecord,
  settling: Settling = "at_once",
  doubles: readonly CallRecord[] = [],
): { readonly record: CallRecord; readonly types: CallChange["type"][] } {
  const types: CallChange["type"][] = [before ? "call.updated" : "call.started"];
  const announced = new Set(after.announced);
  const now = project(after.state);
  const isAnswered = now.status === "in_progress" && announced.size === 0;
  if (isAnswered && ![before, ...doubles].some((record) => record && isRunning(record))) types.push("call.answered");
  if (isOver(now.status)) {
    const end = isConnected(now) ? "call.ended" : "call.failed";
    if (!announced.has("call.ended") && !announced.has(end)) {
      announced.add(end);
      types.push(end);
    }
    if (end === "call.ended" && !announced.has("call.completed") && settling !== "pipeline") {
      if (settling === "due" || after.state.is_reported || !after.state.awaits_report) {
        announced.add("call.completed");
        types.push("call.settled");
      } else if (types.includes("call.ended")) {
        types.push("call.awaiting");
      }
    }
  }
  return { record: { ...after, announced: [...announced] }, types };
}

function isRunning({ state }: CallRecord): boolean {
  return project(state).status === "in_progress";
}
