import type { EffectiveEvaluation, Override, Review } from "@aftercall/contract/analysis/review.ts";
import type { Verdict } from "@aftercall/contract/analysis/run.ts";

import type { Tx } from "#/db/transaction.ts";
import { cleanText, jsonbText } from "#/kernel/jsonb.ts";

import type { Judged } from "./agreement.ts";

export type OverrideRow = Omit<Override, "created_at"> & {
  readonly effective: EffectiveEvaluation;
  readonly created_at: Date;
};
export type ReviewRow = Omit<Review, "created_at"> & { readonly created_at: Date };

/** Locks a run's call, so that two people's words come one after the other. */
export async function lockForReview(tx: Tx, tenantId: string, callId: string): Promise<void> {
  await tx.run("select id from calls where tenant_id = $1 and id = $2 for no key update", [tenantId, callId]);
}

/** What was changed in a run, oldest first. */
export async function overridesOf(tx: Tx, tenantId: string, runId: string): Promise<OverrideRow[]> {
  return tx.rows<OverrideRow>(
    `select id, criterion_id, verdict, points::float8 as points, reason, comment, actor, effective, created_at
       from evaluation_overrides where tenant_id = $1 and run_id = $2 order by seq`,
    [tenantId, runId],
  );
}

export async function insertOverride(
  tx: Tx,
  row: Pick<
    OverrideRow,
    "id" | "criterion_id" | "verdict" | "points" | "reason" | "comment" | "actor" | "effective"
  > & {
    tenantId: string;
    runId: string;
  },
): Promise<void> {
  await tx.run(
    `insert into evaluation_overrides (tenant_id, id, run_id, criterion_id, verdict, points, reason, comment, actor, effective)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      row.tenantId,
      row.id,
      row.runId,
      row.criterion_id,
      row.verdict,
      row.points,
      row.reason,
      cleanText(row.comment),
      row.actor,
      jsonbText(row.effective),
    ],
  );
}

export async function reviewsOf(tx: Tx, tenantId: string, runId: string): Promise<ReviewRow[]> {
  return tx.rows<ReviewRow>(
    "select state, comment, actor, created_at from evaluation_reviews where tenant_id = $1 and run_id = $2 order by seq",
    [tenantId, runId],
  );
}

export async function insertReview(
  tx: Tx,
  row: Pick<ReviewRow, "state" | "comment" | "actor"> & { tenantId: string; id: string; runId: string },
): Promise<void> {
  await tx.run(
    "insert into evaluation_reviews (tenant_id, id, run_id, state, comment, actor) values ($1, $2, $3, $4, $5, $6)",
    [row.tenantId, row.id, row.runId, row.state, cleanText(row.comment), row.actor],
  );
}

/**
 * What the machine and people said in the scorecards that people have looked at. A person who changed nothing agrees with what
 * stands there.
 */
export async function judgedRuns(
  tx: Tx,
  tenantId: string,
  plan: { readonly id: string; readonly version: number | null },
): Promise<Judged[]> {
  const rows = await tx.rows<{ criterion_id: string; name: string; machine: Verdict; person: Verdict }>(
    `with reviewed as (
       select r.tenant_id, r.id, r.evaluation from analysis_runs r
        where r.tenant_id = $1 and r.plan_id = $2 and ($3::int is null or r.plan_version = $3) and r.evaluation is not null
          and (select v.state from evaluation_reviews v where v.tenant_id = r.tenant_id and v.run_id = r.id order by v.seq desc limit 1)
              in ('submitted', 'acknowledged', 'resolved')
        order by r.id desc limit 5000),
     word as (
       select distinct on (o.run_id, o.criterion_id) o.run_id, o.criterion_id, o.verdict
         from evaluation_overrides o join reviewed v on v.tenant_id = o.tenant_id and v.id = o.run_id
        order by o.run_id, o.criterion_id, o.seq desc)
     select c->>'criterion_id' as criterion_id, c->>'name' as name, c->>'verdict' as machine, coalesce(w.verdict, c->>'verdict') as person
       from reviewed v cross join lateral jsonb_array_elements(v.evaluation->'results') as c
       left join word w on w.run_id = v.id and w.criterion_id = c->>'criterion_id'`,
    [tenantId, plan.id, plan.version],
  );
  return rows.map(({ criterion_id: criterionId, ...rest }) => ({ criterionId, ...rest }));
}
