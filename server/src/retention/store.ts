import type { Tx } from "#/db/transaction.ts";

/** Makes the partitions of today and the coming days; gives how many whole days ahead are ready. */
export async function prepareDays(tx: Tx, daysAhead: number): Promise<number> {
  const rows = await tx.rows<{ ready: number }>("select prepare_attempt_days($1) as ready", [daysAhead]);
  return rows[0]?.ready ?? 0;
}

/** Whole days ahead for which partitions are ready. */
export async function daysAhead(tx: Tx): Promise<number> {
  const rows = await tx.rows<{ ready: number }>("select attempt_days_ahead() as ready");
  return rows[0]?.ready ?? 0;
}

/** Drops days that are over for good; their space is free at once. Gives the names of what is gone. */
export async function dropDays(tx: Tx, table: "attempts" | "attempt_bodies", daysKept: number): Promise<string[]> {
  const rows = await tx.rows<{ name: string }>("select name from drop_attempt_days($1, $2) as t (name)", [
    table,
    daysKept,
  ]);
  return rows.map(({ name }) => name);
}

/** Each removes rows of one tenant that are older than some days, at most `rowsMax` at once, and gives their number. */
export type Purge = (tx: Tx, tenantId: string, daysKept: number, rowsMax: number) => Promise<number>;

/** The bytes of messages that nothing waits to send any more. */
export const purgeMessageBodies: Purge = (tx, tenantId, daysKept, rowsMax) =>
  tx.run(
    `with over as (
       select m.id from messages m
        where m.tenant_id = $1 and m.expired_at is null and m.created_at < now() - $2 * interval '1 day'
          and not exists (select from deliveries d where d.tenant_id = m.tenant_id and d.message_id = m.id
                           and d.state not in ('delivered', 'undelivered'))
        order by m.created_at, m.id limit $3 for update of m skip locked),
     emptied as (delete from message_bodies b using over where b.tenant_id = $1 and b.message_id = over.id)
     update messages m set expired_at = now() from over where m.tenant_id = $1 and m.id = over.id`,
    [tenantId, daysKept, rowsMax],
  );

/** Deliveries that ended, of messages whose bytes are gone. */
export const purgeDeliveries: Purge = (tx, tenantId, daysKept, rowsMax) =>
  tx.run(
    `delete from deliveries d using (
       select x.id from messages m join deliveries x on x.tenant_id = m.tenant_id and x.message_id = m.id
        where m.tenant_id = $1 and m.expired_at is not null and m.created_at < now() - $2 * interval '1 day'
          and x.state in ('delivered', 'undelivered') and x.finished_at < now() - $2 * interval '1 day'
        limit $3 for update of x skip locked) as over
      where d.tenant_id = $1 and d.id = over.id`,
    [tenantId, daysKept, rowsMax],
  );

/** Messages without bytes that no delivery speaks of any more. */
export const purgeMessages: Purge = (tx, tenantId, daysKept, rowsMax) =>
  tx.run(
    `delete from messages m using (
       select x.id from messages x
        where x.tenant_id = $1 and x.expired_at is not null and x.created_at < now() - $2 * interval '1 day'
          and not exists (select from deliveries d where d.tenant_id = x.tenant_id and d.message_id = x.id)
          and not exists (select from message_bodies b where b.tenant_id = x.tenant_id and b.message_id = x.id)
        limit $3 for update of x skip locked) as over
      where m.tenant_id = $1 and m.id = over.id`,
    [tenantId, daysKept, rowsMax],
  );

/** What recognises a webhook that comes again. One that came again lately is kept. */
export const purgeEventKeys: Purge = (tx, tenantId, daysKept, rowsMax) =>
  tx.run(
    `delete from event_keys where tenant_id = $1 and ctid = any (array(
       select ctid from event_keys
        where tenant_id = $1 and first_seen_at < now() - $2 * interval '1 day' and last_seen_at < now() - $2 * interval '1 day'
        limit $3 for update skip locked))`,
    [tenantId, daysKept, rowsMax],
  );

/** What engines cost. Budgets are by month, so the days are never fewer than two months'. */
export const purgeEngineCosts: Purge = (tx, tenantId, daysKept, rowsMax) =>
  tx.run(
    `delete from engine_costs where tenant_id = $1 and id = any (array(
       select id from engine_costs where tenant_id = $1 and at < now() - $2 * interval '1 day' limit $3))`,
    [tenantId, daysKept, rowsMax],
  );

/** What engines answered: results are kept with their call, and an answer only so that nothing is paid for twice. */
export const purgeEngineAnswers: Purge = (tx, tenantId, daysKept, rowsMax) =>
  tx.run(
    `delete from engine_answers where tenant_id = $1 and ctid = any (array(
       select ctid from engine_answers where tenant_id = $1 and created_at < now() - $2 * interval '1 day' limit $3))`,
    [tenantId, daysKept, rowsMax],
  );

const oldJobs = `select j.id from analysis_jobs j
  where j.tenant_id = $1 and j.finished_at < now() - $2 * interval '1 day'`;

/** How each call of an analysis of many went, and of previews. */
export const purgeJobCalls: Purge = (tx, tenantId, daysKept, rowsMax) =>
  tx.run(
    `delete from analysis_job_calls where tenant_id = $1 and ctid = any (array(
       select ctid from analysis_job_calls where tenant_id = $1 and job_id in (${oldJobs}) limit $3))`,
    [tenantId, daysKept, rowsMax],
  );

/** Runs that never showed at a call, unless a person spoke of them. */
export const purgePreviews: Purge = (tx, tenantId, daysKept, rowsMax) =>
  tx.run(
    `delete from analysis_runs where tenant_id = $1 and id = any (array(
       select r.id from analysis_runs r
        where r.tenant_id = $1 and r.trigger = 'preview' and r.created_at < now() - $2 * interval '1 day'
          and not exists (select from analysis_job_calls c where c.tenant_id = r.tenant_id and c.run_id = r.id)
          and not exists (select from evaluation_overrides o where o.tenant_id = r.tenant_id and o.run_id = r.id)
          and not exists (select from evaluation_reviews v where v.tenant_id = r.tenant_id and v.run_id = r.id)
        limit $3))`,
    [tenantId, daysKept, rowsMax],
  );

/** Analyses of many calls that are over, unless they were promoted: that can be undone. */
export const purgeJobs: Purge = (tx, tenantId, daysKept, rowsMax) =>
  tx.run(
    `delete from analysis_jobs where tenant_id = $1 and id = any (array(
       ${oldJobs}
          and not exists (select from analysis_job_calls c where c.tenant_id = j.tenant_id and c.job_id = j.id)
          and not exists (select from analysis_promotions p where p.tenant_id = j.tenant_id and p.job_id = j.id)
        limit $3))`,
    [tenantId, daysKept, rowsMax],
  );

/** Refused requests. */
export const purgeQuarantine: Purge = (tx, tenantId, daysKept, rowsMax) =>
  tx.run(
    `delete from quarantine where tenant_id = $1 and id = any (array(
       select id from quarantine where tenant_id = $1 and received_at < now() - $2 * interval '1 day' limit $3))`,
    [tenantId, daysKept, rowsMax],
  );
