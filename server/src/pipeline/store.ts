import type { StepName } from "@aftercall/contract/analysis/step.ts";

import type { Tx } from "#/db/transaction.ts";
import { jsonbText } from "#/kernel/jsonb.ts";

import type { StepRow } from "./dossier.ts";

/** The pipeline of a call as it is kept. */
export type PipelineRow = {
  readonly state: "running" | "settled";
  readonly plan_id: string | null;
  readonly plan_version: number | null;
  readonly transcript_id: string | null;
  /** What a person made of what was said. */
  readonly edited_transcript_id: string | null;
  readonly run_id: string | null;
  readonly told_digest: Buffer | null;
  readonly settle_by: Date;
  readonly started_at: Date;
  readonly settled_at: Date | null;
};

export type Claim = {
  readonly tenantId: string;
  readonly callId: string;
  /** Made for this run alone: what it writes counts only while the pipeline is claimed by it. */
  readonly claimId: string;
  readonly jobId: string;
  readonly leaseMs: number;
};

/**
 * Takes a call's pipeline, which is made if there is none yet. Null while somebody else works on it: they are told to look
 * again. A job that is tried again takes over what its earlier try held. `startedAt` and `settleBy` count for a new one only;
 * epoch milliseconds.
 */
export async function claimPipeline(
  tx: Tx,
  { tenantId, callId, claimId, jobId, leaseMs }: Claim,
  { startedAt, settleBy }: { readonly startedAt: number; readonly settleBy: number },
): Promise<PipelineRow | null> {
  const [row] = await tx.rows<PipelineRow & { claim_id: string }>(
    `insert into pipelines as p (tenant_id, call_id, claim_id, claim_job, lease_until, wake_at, started_at, settle_by)
     values ($1, $2, $3, $4, now() + $5 * interval '1 ms', now() + $5 * interval '1 ms', $6, $7)
     on conflict (tenant_id, call_id) do update set
            claim_id = case when ${isFree} then excluded.claim_id else p.claim_id end,
            claim_job = case when ${isFree} then excluded.claim_job else p.claim_job end,
            lease_until = case when ${isFree} then excluded.lease_until else p.lease_until end,
            wake_at = case when ${isFree} then excluded.wake_at else p.wake_at end,
            state = case when ${isFree} then 'running' else p.state end,
            is_woken = not ${isFree}
     returning p.state, p.claim_id, p.plan_id, p.plan_version, p.transcript_id, p.edited_transcript_id, p.run_id, p.told_digest, p.settle_by, p.started_at, p.settled_at`,
    [tenantId, callId, claimId, jobId, leaseMs, new Date(startedAt), new Date(settleBy)],
    "pipeline.claim",
  );
  return row && row.claim_id === claimId ? row : null;
}

const isFree = "(p.claim_id is null or p.lease_until < now() or p.claim_id = $3 or p.claim_job = $4)";

/** Says that this run is still at work; false when the pipeline is somebody else's by now. */
export async function renewClaim(tx: Tx, { tenantId, callId, claimId, leaseMs }: Claim): Promise<boolean> {
  const count = await tx.run(
    `update pipelines set lease_until = now() + $4 * interval '1 ms', wake_at = now() + $4 * interval '1 ms'
      where tenant_id = $1 and call_id = $2 and claim_id = $3`,
    [tenantId, callId, claimId, leaseMs],
    "pipeline.renew",
  );
  return count === 1;
}

export type Release = {
  /** Null: nothing more is to be done unless something new comes. */
  readonly wakeAt: number | null;
  readonly planId: string;
  readonly planVersion: number;
  readonly transcriptId: string | null;
  /** What was said had to be masked and was not. */
  readonly isWithheld: boolean;
  readonly runId: string | null;
  /** In hex. */
  readonly toldDigest: string | null;
  readonly settledAt: number | null;
};

/** Gives a pipeline back. `lost` when it was not this run's any more; `woken` when something came meanwhile. */
export async function releasePipeline(
  tx: Tx,
  { tenantId, callId, claimId }: Claim,
  { wakeAt, planId, planVersion, transcriptId, isWithheld, runId, toldDigest, settledAt }: Release,
): Promise<"released" | "woken" | "lost"> {
  const [row] = await tx.rows<{ is_woken: boolean }>(
    `update pipelines set claim_id = null, claim_job = null, lease_until = null, wake_at = $4,
            state = case when $4::timestamptz is null then 'settled' else 'running' end,
            plan_id = $5, plan_version = $6, transcript_id = $7, run_id = $8, settled_at = $9, told_digest = $10, is_withheld = $11
      where tenant_id = $1 and call_id = $2 and claim_id = $3 returning is_woken`,
    [
      tenantId,
      callId,
      claimId,
      wakeAt === null ? null : new Date(wakeAt),
      planId,
      planVersion,
      transcriptId,
      runId,
      settledAt === null ? null : new Date(settledAt),
      toldDigest === null ? null : Buffer.from(toldDigest, "hex"),
      isWithheld,
    ],
    "pipeline.release",
  );
  if (!row) return "lost";
  return row.is_woken ? "woken" : "released";
}

type StoredStep = {
  call_id: string;
  step: StepName;
  state: StepRow["state"];
  reason: StepRow["reason"];
  detail: string | null;
  attempt: number;
  attempts_max: number;
  next_attempt_at: Date | null;
  retried: number;
  input_hash: Buffer | null;
  output: unknown;
  engine: StepRow["engine"];
  usage: StepRow["usage"];
  cost: StepRow["cost"];
  queued_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
};

const stepColumns = `call_id, step, state, reason, detail, attempt, attempts_max, next_attempt_at, retried, input_hash, output, engine,
  usage, cost, queued_at, started_at, finished_at`;

/** How the steps of a call stand, each with what it brought. */
export async function loadSteps(
  tx: Tx,
  tenantId: string,
  callId: string,
): Promise<{ readonly row: StepRow; readonly output: unknown }[]> {
  const rows = await tx.rows<StoredStep>(
    `select ${stepColumns} from step_results where tenant_id = $1 and call_id = $2`,
    [tenantId, callId],
    "pipeline.steps",
  );
  return rows.map((stored) => ({ row: stepOf(stored), output: stored.output }));
}

/** Writes how steps stand, in one statement. */
export async function saveSteps(
  tx: Tx,
  tenantId: string,
  callId: string,
  steps: readonly { readonly row: StepRow; readonly output: unknown }[],
): Promise<void> {
  if (steps.length === 0) return;
  const rows = steps.map(({ row, output }) => ({
    step: row.step,
    state: row.state,
    reason: row.reason,
    detail: row.detail,
    attempt: row.attempt,
    attempts_max: row.attemptsMax,
    next_attempt_at: isoOf(row.nextAttemptAt),
    retried: row.retried,
    input_hash: row.inputHash && `\\x${row.inputHash}`,
    output: output ?? null,
    engine: row.engine,
    usage: row.usage,
    cost: row.cost,
    queued_at: isoOf(row.queuedAt),
    started_at: isoOf(row.startedAt),
    finished_at: isoOf(row.finishedAt),
  }));
  await tx.run(
    // { "step": "measure_text", "state": "succeeded", "attempt": 1, "input_hash": "\\x9f…", "finished_at": "2026-…", … }
    `insert into step_results (tenant_id, call_id, ${stepColumns.replace("call_id, ", "")})
     select $1, $2, r.* from json_to_recordset($3::json) as r (step text, state text, reason text, detail text, attempt int,
            attempts_max int, next_attempt_at timestamptz, retried int, input_hash bytea, output jsonb, engine json, usage json,
            cost json, queued_at timestamptz, started_at timestamptz, finished_at timestamptz)
     on conflict (tenant_id, call_id, step) do update set
            state = excluded.state, reason = excluded.reason, detail = excluded.detail, attempt = excluded.attempt,
            attempts_max = excluded.attempts_max, next_attempt_at = excluded.next_attempt_at, retried = excluded.retried,
            input_hash = excluded.input_hash, output = excluded.output, engine = excluded.engine, usage = excluded.usage,
            cost = excluded.cost, started_at = excluded.started_at, finished_at = excluded.finished_at
      -- What a person had done again meanwhile stays asked for.
      where step_results.retried <= excluded.retried`,
    [tenantId, callId, jsonbText(rows)],
    "pipeline.save-steps",
  );
}

function stepOf(row: StoredStep): StepRow {
  return {
    step: row.step,
    state: row.state,
    reason: row.reason,
    detail: row.detail,
    attempt: row.attempt,
    attemptsMax: row.attempts_max,
    nextAttemptAt: row.next_attempt_at?.getTime() ?? null,
    retried: row.retried,
    inputHash: row.input_hash?.toString("hex") ?? null,
    engine: row.engine,
    usage: row.usage,
    cost: row.cost,
    queuedAt: row.queued_at.getTime(),
    startedAt: row.started_at?.getTime() ?? null,
    finishedAt: row.finished_at?.getTime() ?? null,
  };
}

function isoOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
