import { type FoundBy, saveLines } from "#/calls/search-store.ts";
import { withSummaries } from "#/calls/search.ts";
import type { Page } from "#/db/page.ts";
import type { Tx } from "#/db/transaction.ts";

export type PromotionRow = {
  readonly id: string;
  readonly job_id: string | null;
  readonly calls: number;
  readonly actor: string;
  readonly created_at: Date;
  readonly reverted_at: Date | null;
};

const columns = `p.id, p.job_id, p.actor, p.created_at, p.reverted_at,
  (select count(*)::int from analysis_promotion_calls c where c.tenant_id = p.tenant_id and c.promotion_id = p.id) as calls`;

/** The runs a job made and what their calls show instead of them; of one run, where `runId` is given. */
export async function candidates(
  tx: Tx,
  tenantId: string,
  of: { readonly jobId: string } | { readonly runId: string },
): Promise<{ call_id: string; run_before: string | null; run_after: string }[]> {
  return tx.rows(
    `select r.call_id, b.id as run_before, r.id as run_after
       from analysis_runs r left join analysis_runs b on b.tenant_id = r.tenant_id and b.call_id = r.call_id and b.is_current
      where r.tenant_id = $1 and r.trigger <> 'preview' and r.status <> 'failed' and b.id is distinct from r.id
        and ($2::uuid is null or r.job_id = $2) and ($3::uuid is null or r.id = $3)
      order by r.call_id`,
    [tenantId, "jobId" in of ? of.jobId : null, "runId" in of ? of.runId : null],
  );
}

export async function insertPromotion(
  tx: Tx,
  row: { tenantId: string; id: string; jobId: string | null; actor: string },
  calls: readonly { call_id: string; run_before: string | null; run_after: string }[],
): Promise<void> {
  await tx.run("insert into analysis_promotions (tenant_id, id, job_id, actor) values ($1, $2, $3, $4)", [
    row.tenantId,
    row.id,
    row.jobId,
    row.actor,
  ]);
  await tx.run(
    `insert into analysis_promotion_calls (tenant_id, promotion_id, call_id, run_before, run_after)
     select $1, $2, * from unnest($3::uuid[], $4::uuid[], $5::uuid[])`,
    [
      row.tenantId,
      row.id,
      calls.map((one) => one.call_id),
      calls.map((one) => one.run_before),
      calls.map((one) => one.run_after),
    ],
  );
  await show(tx, row.tenantId, row.id, "run_after");
}

/** Each call shows again what it showed before; where another run was made current meanwhile, that one stays. */
export async function revertPromotion(tx: Tx, tenantId: string, id: string): Promise<void> {
  await show(tx, tenantId, id, "run_before");
  await tx.run("update analysis_promotions set reverted_at = now() where tenant_id = $1 and id = $2", [tenantId, id]);
}

/** Off before on: a call has one current run at every moment. */
async function show(tx: Tx, tenantId: string, id: string, which: "run_before" | "run_after"): Promise<void> {
  const other = which === "run_after" ? "run_before" : "run_after";
  await tx.run(
    `select c.id from calls c join analysis_promotion_calls p on p.tenant_id = c.tenant_id and p.call_id = c.id
      where p.tenant_id = $1 and p.promotion_id = $2 order by c.id for no key update of c`,
    [tenantId, id],
  );
  const moved = await tx.rows<{ call_id: string }>(
    `update analysis_runs r set is_current = false from analysis_promotion_calls p
      where p.tenant_id = $1 and p.promotion_id = $2 and r.tenant_id = p.tenant_id and r.call_id = p.call_id and r.is_current
        and r.id = p.${other} returning p.call_id`,
    [tenantId, id],
  );
  await tx.run(
    `update analysis_runs r set is_current = true from analysis_promotion_calls p
      where p.tenant_id = $1 and p.promotion_id = $2 and r.tenant_id = p.tenant_id and r.id = p.${which}
        and (p.call_id = any ($3::uuid[]) or p.${other} is null)`,
    [tenantId, id, moved.map((one) => one.call_id)],
  );
}

/** Calls that are made findable anew in one transaction. */
const callsAtOnce = 200;

/**
 * Calls are found by their summary, and by that of the run they show where this is not the one of their pipeline: so a promotion
 * and its reverse leave each call findable by what it shows. Some at once, from `after` on, locked in the order in which everybody
 * locks calls; gives where the next ones begin, or null when these were the last.
 */
export async function findByWhatIsShown(
  tx: Tx,
  tenantId: string,
  id: string,
  after: string | null,
): Promise<string | null> {
  const rows = await tx.rows<Omit<FoundBy, "tenantId"> & { summaries: string[] }>(
    `select c.id as "callId", s.lines,
            array_remove(array[c.state->'facts'->'summary'->>0, case when r.id is distinct from p.run_id then r.summary->>'text' end],
                         null) as summaries
       from analysis_promotion_calls m
       join calls c on c.tenant_id = m.tenant_id and c.id = m.call_id
       join call_search s on s.tenant_id = c.tenant_id and s.call_id = c.id
       left join pipelines p on p.tenant_id = c.tenant_id and p.call_id = c.id
       left join analysis_runs r on r.tenant_id = c.tenant_id and r.call_id = c.id and r.is_current
      where m.tenant_id = $1 and m.promotion_id = $2 and ($3::uuid is null or c.id > $3) order by c.id limit $4
        for no key update of c, s`,
    [tenantId, id, after, callsAtOnce],
  );
  const calls = rows.map(({ callId, lines, summaries }) => {
    return { tenantId, callId, lines: withSummaries(lines, [...new Set(summaries)]) };
  });
  await saveLines(tx, calls);
  return rows.length === callsAtOnce ? (rows.at(-1)?.callId ?? null) : null;
}

export async function loadPromotion(tx: Tx, tenantId: string, id: string): Promise<PromotionRow | null> {
  const rows = await tx.rows<PromotionRow>(
    `select ${columns} from analysis_promotions p where p.tenant_id = $1 and p.id = $2`,
    [tenantId, id],
  );
  return rows[0] ?? null;
}

export async function listPromotions(tx: Tx, tenantId: string, { before, limit }: Page): Promise<PromotionRow[]> {
  return tx.rows<PromotionRow>(
    `select ${columns} from analysis_promotions p where p.tenant_id = $1 and ($2::uuid is null or p.id < $2) order by p.id desc limit $3`,
    [tenantId, before, limit],
  );
}
