import type { StepName } from "@aftercall/contract/analysis/step.ts";

import { jsonColumn, plainColumn, textColumn } from "#/db/columns.ts";
import type { Tx } from "#/db/transaction.ts";

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
  /** Nobody has worked on it before, so there is nothing else to read. */
  readonly is_new: boolean;
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
 * Takes the pipelines of calls, which are made where there are none yet, and gives those it has got, by call. While somebody else
 * works on one, they are told to look again. A job that is tried again takes over what its earlier try held. `startedAt` and
 * `settleBy` count for new ones only; epoch milliseconds.
 */
export async function claimPipelines(
  tx: Tx,
  claims: readonly Claim[],
  { startedAt, settleBy }: { readonly startedAt: number; readonly settleBy: number },
): Promise<Map<string, PipelineRow>> {
  if (claims.length === 0) return new Map();
  // In one order everywhere, so that two batches never wait for each other in a circle.
  const sorted = claims.toSorted((a, b) => (a.callId < b.callId ? -1 : 1));
  const rows = await tx.rows<PipelineRow & { call_id: string; claim_id: string }>(
    `insert into pipelines as p (tenant_id, call_id, claim_id, claim_job, lease_until, wake_at, started_at, settle_by)
     select c.tenant_id, c.call_id, c.claim_id, c.claim_job, now() + $5 * interval '1 ms', now() + $5 * interval '1 ms', $6, $7
       from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[]) as c (tenant_id, call_id, claim_id, claim_job)
     on conflict (tenant_id, call_id) do update set
            claim_id = case when ${isFree} then excluded.claim_id else p.claim_id end,
            claim_job = case when ${isFree} then excluded.claim_job else p.claim_job end,
            lease_until = case when ${isFree} then excluded.lease_until else p.lease_until end,
            wake_at = case when ${isFree} then excluded.wake_at else p.wake_at end,
            state = case when ${isFree} then 'running' else p.state end,
            is_woken = not ${isFree}
     returning p.call_id, p.state, p.claim_id, p.plan_id, p.plan_version, p.transcript_id, p.edited_transcript_id, p.run_id,
               p.told_digest, p.settle_by, p.started_at, p.settled_at, p.xmax = '0' as is_new`,
    [
      plainColumn(sorted.map(({ tenantId }) => tenantId)),
      plainColumn(sorted.map(({ callId }) => callId)),
      plainColumn(sorted.map(({ claimId }) => claimId)),
      plainColumn(sorted.map(({ jobId }) => jobId)),
      sorted[0]?.leaseMs,
      new Date(startedAt),
      new Date(settleBy),
    ],
    "pipeline.claim",
  );
  const ours = new Set(claims.map(({ claimId }) => claimId));
  return new Map(rows.flatMap((row) => (ours.has(row.claim_id) ? [[row.call_id, row]] : [])));
}

const isFree =
  "(p.claim_id is null or p.lease_until < now() or p.claim_id = excluded.claim_id or p.claim_job = excluded.claim_job)";

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
  readonly claim: Claim;
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
  readonly settleBy: number;
  readonly settledAt: number | null;
};

/**
 * Gives pipelines back, and says of each call whether something came meanwhile. One that is not this run's any more is left as
 * it is, and out of the answer.
 */
export async function releasePipelines(
  tx: Tx,
  releases: readonly Release[],
): Promise<Map<string, "released" | "woken">> {
  if (releases.length === 0) return new Map();
  const sorted = releases.toSorted((a, b) => (a.claim.callId < b.claim.callId ? -1 : 1));
  const rows = await tx.rows<{ call_id: string; is_woken: boolean }>(
    // They are all there; as an insertion they are found by their key, and locked in order, whatever the planner knows of them.
    `insert into pipelines as p (tenant_id, call_id, claim_id, wake_at, state, plan_id, plan_version, transcript_id, run_id, settled_at,
                                 told_digest, is_withheld, settle_by)
     select r.tenant_id, r.call_id, r.claim_id, r.wake_at, case when r.wake_at is null then 'settled' else 'running' end, r.plan_id,
            r.plan_version, r.transcript_id, r.run_id, r.settled_at, decode(r.told_digest, 'hex'), r.is_withheld, r.settle_by
       from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::uuid[], $6::int[], $7::uuid[], $8::uuid[],
                   $9::timestamptz[], $10::text[], $11::bool[], $12::timestamptz[]) as r (tenant_id, call_id, claim_id, wake_at, plan_id,
            plan_version, transcript_id, run_id, settled_at, told_digest, is_withheld, settle_by)
     on conflict (tenant_id, call_id) do update set claim_id = null, claim_job = null, lease_until = null, wake_at = excluded.wake_at,
            state = excluded.state, plan_id = excluded.plan_id, plan_version = excluded.plan_version,
            transcript_id = excluded.transcript_id, run_id = excluded.run_id, settled_at = excluded.settled_at,
            told_digest = excluded.told_digest, is_withheld = excluded.is_withheld
      where p.claim_id = excluded.claim_id
     returning p.call_id, p.is_woken`,
    [
      plainColumn(sorted.map(({ claim }) => claim.tenantId)),
      plainColumn(sorted.map(({ claim }) => claim.callId)),
      plainColumn(sorted.map(({ claim }) => claim.claimId)),
      plainColumn(sorted.map(({ wakeAt }) => isoOf(wakeAt))),
      plainColumn(sorted.map(({ planId }) => planId)),
      plainColumn(sorted.map(({ planVersion }) => planVersion)),
      plainColumn(sorted.map(({ transcriptId }) => transcriptId)),
      plainColumn(sorted.map(({ runId }) => runId)),
      plainColumn(sorted.map(({ settledAt }) => isoOf(settledAt))),
      plainColumn(sorted.map(({ toldDigest }) => toldDigest)),
      plainColumn(sorted.map(({ isWithheld }) => String(isWithheld))),
      plainColumn(sorted.map(({ settleBy }) => isoOf(settleBy))),
    ],
    "pipeline.release",
  );
  return new Map(rows.map((row) => [row.call_id, row.is_woken ? "woken" : "released"]));
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

export type SavedStep = {
  readonly tenantId: string;
  readonly callId: string;
  readonly row: StepRow;
  readonly output: unknown;
};

/** Writes how steps stand, of any number of calls in one statement. */
export async function saveSteps(tx: Tx, steps: readonly SavedStep[]): Promise<void> {
  if (steps.length === 0) return;
  const rows = steps.map(({ row }) => row);
  await tx.run(
    `insert into step_results (tenant_id, ${stepColumns})
     select r.tenant_id, r.call_id, r.step, r.state, r.reason, r.detail, r.attempt, r.attempts_max, r.next_attempt_at, r.retried,
            decode(r.input_hash, 'hex'), r.output::jsonb, r.engine::json, r.usage::json, r.cost::json, r.queued_at, r.started_at,
            r.finished_at
       from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $8::int[], $9::timestamptz[],
                   $10::int[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::timestamptz[], $17::timestamptz[],
                   $18::timestamptz[]) as r (tenant_id, ${stepColumns})
     on conflict (tenant_id, call_id, step) do update set
            state = excluded.state, reason = excluded.reason, detail = excluded.detail, attempt = excluded.attempt,
            attempts_max = excluded.attempts_max, next_attempt_at = excluded.next_attempt_at, retried = excluded.retried,
            input_hash = excluded.input_hash, output = excluded.output, engine = excluded.engine, usage = excluded.usage,
            cost = excluded.cost, started_at = excluded.started_at, finished_at = excluded.finished_at
      -- What a person had done again meanwhile stays asked for.
      where step_results.retried <= excluded.retried`,
    [
      plainColumn(steps.map(({ tenantId }) => tenantId)),
      plainColumn(steps.map(({ callId }) => callId)),
      plainColumn(rows.map(({ step }) => step)),
      plainColumn(rows.map(({ state }) => state)),
      plainColumn(rows.map(({ reason }) => reason)),
      textColumn(rows.map(({ detail }) => detail)),
      plainColumn(rows.map(({ attempt }) => attempt)),
      plainColumn(rows.map(({ attemptsMax }) => attemptsMax)),
      plainColumn(rows.map(({ nextAttemptAt }) => isoOf(nextAttemptAt))),
      plainColumn(rows.map(({ retried }) => retried)),
      plainColumn(rows.map(({ inputHash }) => inputHash)),
      jsonColumn(steps.map(({ output }) => output)),
      jsonColumn(rows.map(({ engine }) => engine)),
      jsonColumn(rows.map(({ usage }) => usage)),
      jsonColumn(rows.map(({ cost }) => cost)),
      plainColumn(rows.map(({ queuedAt }) => isoOf(queuedAt))),
      plainColumn(rows.map(({ startedAt }) => isoOf(startedAt))),
      plainColumn(rows.map(({ finishedAt }) => isoOf(finishedAt))),
    ],
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
