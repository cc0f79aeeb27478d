import { isReservedType } from "@aftercall/contract/type-name.ts";

import type { Tx } from "#/db/transaction.ts";
import { Invalid } from "#/kernel/errors.ts";

import { activeTypes } from "./store.ts";

/**
 * Refuses subscriptions to types that the tenant does not have, or has archived. Ours were looked at with the form of the request.
 * @throws Invalid naming each of them.
 */
export async function checkTypes(
  tx: Tx,
  tenantId: string,
  patterns: readonly string[] | null | undefined,
): Promise<void> {
  const own = (patterns ?? []).filter((pattern) => pattern !== "*" && !isReservedType(pattern));
  if (own.length === 0) return;
  const nouns = own.filter((pattern) => pattern.endsWith(".*")).map((pattern) => pattern.slice(0, -1));
  const active = await activeTypes(tx, tenantId, { names: own, nouns });
  const isThere = (pattern: string) =>
    pattern.endsWith(".*") ? active.some((name) => name.startsWith(pattern.slice(0, -1))) : active.includes(pattern);
  const errors = (patterns ?? []).flatMap((pattern, at) =>
    own.includes(pattern) && !isThere(pattern)
      ? [{ pointer: `/types/${at}`, detail: `You have no event type ${pattern} that is active` }]
      : [],
  );
  if (errors.length > 0) throw new Invalid("There are no such event types", errors);
}
