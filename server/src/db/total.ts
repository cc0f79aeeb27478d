import { DatabaseError } from "pg";

import { limits } from "#/kernel/limits.ts";
import type { TotalEstimate } from "#/kernel/page.ts";

import type { Tx } from "./transaction.ts";

/**
 * How many rows a list has: counted while there are at most `limits.totalRowsMax` of them and counting so many is cheap or soon
 * done, and else what the planner thinks. `list` sends the statement that lists with the limit it is given.
 */
export async function estimateTotal(tx: Tx, list: (tx: Tx, limit: number) => Promise<unknown>): Promise<TotalEstimate> {
  const beyond = limits.totalRowsMax + 1;
  const bounded = await statementOf((probe) => list(probe, beyond));
  const counting = { ...bounded, text: `select count(*)::int as count from (${bounded.text}) as listed` };
  const { cost } = await explain(tx, counting);
  const counted = cost <= limits.totalCostMax ? await count(tx, counting) : await countSoon(tx, counting);
  if (counted !== null && counted < beyond) return { value: counted, is_exact: true };
  const whole = await explain(tx, await statementOf((probe) => list(probe, endless)));
  return { value: Math.max(whole.rows, counted ?? 0), is_exact: false };
}

async function count(tx: Tx, { text, values }: Statement): Promise<number> {
  const [row] = await tx.rows<{ count: number }>(text, values);
  return row?.count ?? 0;
}

/** The same with a watch on the clock; null when it took too long. */
async function countSoon(tx: Tx, statement: Statement): Promise<number | null> {
  await tx.run(`savepoint counting; set local statement_timeout = ${limits.totalCountMs}`);
  try {
    return await count(tx, statement);
  } catch (error) {
    if (error instanceof DatabaseError && error.code === canceled) return null;
    throw error;
  } finally {
    // Gives the transaction back as it was, its own time limit with it.
    await tx.run("rollback to savepoint counting");
  }
}

/** PostgreSQL's `query_canceled`: also what a time limit does. */
const canceled = "57014";

/** A limit above the length of any list, and within `int` for statements that say so. */
const endless = 2_147_483_647;

type Statement = { readonly text: string; readonly values: readonly unknown[] };

/** The statement that a list would send. It finds nothing. */
async function statementOf(list: (tx: Tx) => Promise<unknown>): Promise<Statement> {
  const sent: Statement[] = [];
  await list({
    async rows(text, values = []) {
      sent.push({ text, values });
      return [];
    },
    async run() {
      throw new Error("A list must not change anything");
    },
  });
  const [statement] = sent;
  if (!statement) throw new Error("A list must send a statement");
  return statement;
}

type Plan = {
  readonly "QUERY PLAN": readonly [{ readonly Plan: Readonly<Record<"Plan Rows" | "Total Cost", number>> }];
};

/** What the planner expects of a statement: rows, and cost in pages read one after the other. Nothing of it is executed. */
async function explain(tx: Tx, { text, values }: Statement): Promise<{ rows: number; cost: number }> {
  const [answer] = await tx.rows<Plan>(`explain (format json) ${text}`, values);
  if (!answer) throw new Error("The database explained nothing");
  const { Plan: plan } = answer["QUERY PLAN"][0];
  return { rows: plan["Plan Rows"], cost: plan["Total Cost"] };
}
