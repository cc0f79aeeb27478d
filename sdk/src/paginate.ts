import type { RequestOptions } from "./send.ts";

/** How every list answers. */
export type Page<Item> = { data: Item[]; next_cursor: string | null; has_more: boolean };

/**
 * Everything of a list, page by page as it is needed.
 *
 * ```ts
 * for await (const call of paginate(aftercall.listCalls, { status: ["failed"] })) console.log(call.id);
 * ```
 */
export async function* paginate<Item, Query extends { cursor?: string | undefined }>(
  list: (query?: Query, options?: RequestOptions) => Promise<Page<Item>>,
  query?: NoInfer<Query>,
  options?: RequestOptions,
): AsyncGenerator<Item, void, undefined> {
  let wanted = query;
  for (;;) {
    const page = await list(wanted, options);
    yield* page.data;
    if (!page.has_more || page.next_cursor === null) return;
    // A query with another cursor is still a query of this list.
    wanted = { ...wanted, cursor: page.next_cursor } as Query;
  }
}
