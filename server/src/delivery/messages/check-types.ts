import { isReservedType } from "@aftercall/contract/type-name.ts";

import type { Tx } from "#/db/transaction.ts";
import { Invalid } from "#/kernel/errors.ts";

import { activeTypes } from "./store.ts";

/**
 * Refuses types that the tenant does not have, or has archived: of what an endpoint subscribes to, and of its schedules. Ours were
 * looked at with the form of the request.
 * @throws Invalid naming each of them.
 */
export async function checkTypes(
  tx: Tx,
  tenantId: string,
  { types, type_schedules_ms: schedules }: Named,
): Promise<void> {
  const named = [
    ...(types ?? []).map((pattern, at) => ({ pattern, pointer: `/types/${at}` })),
    ...Object.keys(schedules ?? {}).map((pattern) => ({ pattern, pointer: `/type_schedules_ms/${pattern}` })),
  ];
  const own = named.filter(({ pattern }) => pattern !== "*" && !isReservedType(pattern));
  if (own.length === 0) return;
  const names = own.map(({ pattern }) => pattern);
  const nouns = names.filter((pattern) => pattern.endsWith(".*")).map((pattern) => pattern.slice(0, -1));
  const active = await activeTypes(tx, tenantId, { names, nouns });
  const isThere = (pattern: string) =>
    pattern.endsWith(".*") ? active.some((name) => name.startsWith(pattern.slice(0, -1))) : active.includes(pattern);
  const errors = own.flatMap(({ pattern, pointer }) =>
    isThere(pattern) ? [] : [{ pointer, detail: `You have no event type ${pattern} that is active` }],
  );
  if (errors.length > 0) throw new Invalid("There are no such event types", errors);
}

type Named = {
  readonly types?: readonly string[] | null | undefined;
  readonly type_schedules_ms?: Readonly<Record<string, unknown>> | null | undefined;
};
