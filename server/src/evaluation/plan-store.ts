import { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import type { AnalysisPlan } from "@aftercall/contract/analysis/plan.ts";

import type { Tx } from "#/db/transaction.ts";
import { jsonbText } from "#/kernel/jsonb.ts";

import type { Plan } from "./run.ts";

/** One version of a plan as it is kept. */
export type PlanRow = {
  readonly tenant_id: string;
  readonly id: string;
  readonly version: number;
  readonly name: string;
  readonly status: AnalysisPlan["status"];
  readonly definition: PlanDefinition;
  readonly position: number;
  readonly created_by: string;
  readonly created_at: Date;
  readonly published_at: Date | null;
};

const columns =
  "p.tenant_id, p.id, p.version, p.name, p.status, p.definition, p.position, p.created_by, p.created_at, p.published_at";

/** The plans that calls are analysed by: of each the newest published version, in the order in which they are tried. */
export async function publishedPlans(tx: Tx, tenantId: string): Promise<Plan[]> {
  const rows = await tx.rows<PlanRow>(
    `select * from (select distinct on (p.id) ${columns} from analysis_plans p
                     where p.tenant_id = $1 and p.status = 'published' order by p.id, p.version desc) as p
      order by p.position, p.id`,
    [tenantId],
    "evaluation.published-plans",
  );
  return rows.map(planOf);
}

/** One version of a plan, whatever its status. */
export async function loadPlan(tx: Tx, tenantId: string, id: string, version: number): Promise<PlanRow | null> {
  const rows = await tx.rows<PlanRow>(
    `select ${columns} from analysis_plans p where p.tenant_id = $1 and p.id = $2 and p.version = $3`,
    [tenantId, id, version],
  );
  return rows[0] ? parsed(rows[0]) : null;
}

/** All versions of a plan, newest first, locked where they are about to change. */
export async function versionsOf(
  tx: Tx,
  tenantId: string,
  id: string,
  lock: "for update" | "" = "",
): Promise<PlanRow[]> {
  const rows = await tx.rows<PlanRow>(
    `select ${columns} from analysis_plans p where p.tenant_id = $1 and p.id = $2 order by p.version desc ${lock}`,
    [tenantId, id],
  );
  return rows.map(parsed);
}

/** Of each plan its newest version, in their order. */
export async function listPlans(
  tx: Tx,
  tenantId: string,
  filter: { readonly status: string | null; readonly after: string | null; readonly limit: number },
): Promise<PlanRow[]> {
  const rows = await tx.rows<PlanRow>(
    `with heads as (select distinct on (p.id) ${columns} from analysis_plans p
                     where p.tenant_id = $1 and ($2::text is null or p.status = $2) order by p.id, p.version desc),
          from_here as (select h.position, h.id from heads h where h.id = $3)
     select ${columns} from heads p
      where $3::uuid is null or (p.position, p.id) > (select f.position, f.id from from_here f)
      order by p.position, p.id limit $4`,
    [tenantId, filter.status, filter.after, filter.limit],
  );
  return rows.map(parsed);
}

/** Adds a draft: a new plan behind all others, or the next version of one. */
export async function insertDraft(
  tx: Tx,
  draft: { tenantId: string; id: string; version: number; name: string; definition: PlanDefinition; createdBy: string },
): Promise<PlanRow> {
  const rows = await tx.rows<PlanRow>(
    `insert into analysis_plans as p (tenant_id, id, version, name, status, definition, position, created_by)
     values ($1, $2, $3, $4, 'draft', $5,
             coalesce((select position from analysis_plans where tenant_id = $1 and id = $2 limit 1),
                      (select coalesce(max(position), 0) + 1 from analysis_plans where tenant_id = $1)), $6)
     returning ${columns}`,
    [draft.tenantId, draft.id, draft.version, draft.name, jsonbText(draft.definition), draft.createdBy],
  );
  return only(rows);
}

export async function saveDraft(
  tx: Tx,
  row: Pick<PlanRow, "tenant_id" | "id" | "version" | "name" | "definition">,
): Promise<PlanRow> {
  const rows = await tx.rows<PlanRow>(
    `update analysis_plans p set name = $4, definition = $5
      where p.tenant_id = $1 and p.id = $2 and p.version = $3 and p.status = 'draft' returning ${columns}`,
    [row.tenant_id, row.id, row.version, row.name, jsonbText(row.definition)],
  );
  return only(rows);
}

/** A draft becomes a version that never changes. */
export async function publishDraft(tx: Tx, row: Pick<PlanRow, "tenant_id" | "id" | "version">): Promise<PlanRow> {
  const rows = await tx.rows<PlanRow>(
    `update analysis_plans p set status = 'published', published_at = now()
      where p.tenant_id = $1 and p.id = $2 and p.version = $3 and p.status = 'draft' returning ${columns}`,
    [row.tenant_id, row.id, row.version],
  );
  return only(rows);
}

/** Takes every published version of a plan out of use; a draft of it is thrown away. */
export async function archivePlan(tx: Tx, tenantId: string, id: string): Promise<void> {
  await tx.run("delete from analysis_plans where tenant_id = $1 and id = $2 and status = 'draft'", [tenantId, id]);
  await tx.run(
    "update analysis_plans set status = 'archived' where tenant_id = $1 and id = $2 and status = 'published'",
    [tenantId, id],
  );
}

/** Puts plans into an order; those that are not named come after, as they were. */
export async function orderPlans(tx: Tx, tenantId: string, ids: readonly string[]): Promise<void> {
  await tx.run(
    `update analysis_plans p set position = n.at
       from (select a.id, row_number() over (order by i.at nulls last, a.position, a.id) as at
               from (select id, min(position) as position from analysis_plans where tenant_id = $1 group by id) a
               left join unnest($2::uuid[]) with ordinality as i (id, at) using (id)) as n
      where p.tenant_id = $1 and p.id = n.id`,
    [tenantId, ids],
  );
}

export function planOf(row: PlanRow): Plan {
  const { id, version, name } = row;
  return { id, version, name, definition: parsed(row).definition };
}

/** What an earlier version wrote lacks what was added since: it gets its defaults. */
function parsed(row: PlanRow): PlanRow {
  return { ...row, definition: PlanDefinition.parse(row.definition) };
}

function only<Row>(rows: readonly Row[]): Row {
  const [row] = rows;
  if (!row) throw new Error("a plan that was just locked is gone");
  return row;
}
