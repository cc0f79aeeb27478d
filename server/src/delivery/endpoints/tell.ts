import type { Tx } from "#/db/transaction.ts";
import type { Ids } from "#/kernel/ids.ts";

import { announceOperations } from "../health/announce.ts";
import type { EndpointBook } from "./book.ts";
import type { EndpointRow } from "./store.ts";

export type EndpointNews =
  | {
      readonly type: "endpoint.created" | "endpoint.updated" | "endpoint.deleted" | "endpoint.enabled";
      readonly data?: undefined;
    }
  | { readonly type: "endpoint.disabled"; readonly data: { readonly reason: string } }
  | { readonly type: "endpoint.secret_rotated"; readonly data: { readonly old_secrets_end_at: string | null } };

/**
 * Tells the tenant's operational endpoints what somebody did to an endpoint, in the transaction that does it. The endpoints
 * are read as this transaction leaves them and not remembered, since it may be rolled back.
 */
export async function tellOperations(
  tx: Tx,
  { ids, book }: { readonly ids: Ids; readonly book: EndpointBook },
  row: EndpointRow,
  news: readonly EndpointNews[],
): Promise<void> {
  const operations = news.map(({ type, data }) => ({
    tenantId: row.tenant_id,
    endpointId: row.id,
    type,
    subject: ids.next(),
    data: data ?? {},
  }));
  await announceOperations(tx, operations, row.updated_at.getTime(), {
    ids,
    book: { ...book, enabled: book.read },
    roomFor: () => 0,
  });
}

/** What a change of settings amounts to. */
export function newsOfUpdate(before: EndpointRow, after: EndpointRow, changed: readonly string[]): EndpointNews[] {
  const news: EndpointNews[] = [];
  if (changed.some((name) => name !== "is_enabled")) news.push({ type: "endpoint.updated" });
  if (before.disabled_at !== null && after.disabled_at === null) news.push({ type: "endpoint.enabled" });
  if (before.disabled_at === null && after.disabled_at !== null) {
    news.push({ type: "endpoint.disabled", data: { reason: after.disabled_reason ?? "user" } });
  }
  return news;
}
