import type { CostLine, EngineRef, Usage } from "@aftercall/contract/analysis/engine.ts";

import type { Tx } from "#/db/transaction.ts";
import { jsonbText } from "#/kernel/jsonb.ts";

export type AnswerKey = {
  readonly tenantId: string;
  readonly callId: string;
  readonly step: string;
  /** SHA-256 of everything that was asked, and of whom. */
  readonly hash: Buffer;
};

/** What an engine answered to this before; null when it was never asked. */
export async function findAnswer(tx: Tx, { tenantId, callId, step, hash }: AnswerKey): Promise<unknown> {
  const [row] = await tx.rows<{ answer: unknown }>(
    "select answer from engine_answers where tenant_id = $1 and call_id = $2 and step = $3 and input_hash = $4",
    [tenantId, callId, step, hash],
    "pipeline.find-answer",
  );
  return row?.answer ?? null;
}

/** Keeps an answer under what was asked; false when there is one already. */
export async function keepAnswer(
  tx: Tx,
  { tenantId, callId, step, hash }: AnswerKey,
  kept: { answer: unknown; engine: EngineRef; usage: Usage | null; cost: readonly CostLine[] },
): Promise<boolean> {
  const count = await tx.run(
    `insert into engine_answers (tenant_id, call_id, step, input_hash, answer, engine, usage, cost)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`,
    [
      tenantId,
      callId,
      step,
      hash,
      jsonbText(kept.answer),
      jsonbText(kept.engine),
      kept.usage && jsonbText(kept.usage),
      jsonbText(kept.cost),
    ],
    "pipeline.keep-answer",
  );
  return count === 1;
}
