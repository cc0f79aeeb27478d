/** What was read of a list: one row more than a page holds where another page follows. */
export type Found<Row> = {
  readonly rows: readonly Row[];
  /** How long the whole list is; where it was asked for. */
  readonly total_estimate?: TotalEstimate;
};

/** How many rows a list has. Not exact: what the planner of the database thinks, which can be far off. */
export type TotalEstimate = { readonly value: number; readonly is_exact: boolean };

/** One page of a list, as /v1 answers it. */
export function pageOf<Row, Item>(
  { rows, total_estimate }: Found<Row>,
  limit: number,
  show: (row: Row) => Item,
  cursorOf: (row: Row) => string,
): { data: Item[]; next_cursor: string | null; has_more: boolean; total_estimate?: TotalEstimate } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const hasMore = rows.length > limit;
  return {
    data: page.map(show),
    next_cursor: hasMore && last !== undefined ? cursorOf(last) : null,
    has_more: hasMore,
    ...(total_estimate && { total_estimate }),
  };
}

/** A list in which nothing can be: as if it had been read. */
export function emptyPage({ include }: { readonly include?: "total_estimate" | undefined }) {
  return {
    data: [],
    next_cursor: null,
    has_more: false,
    ...(include && { total_estimate: { value: 0, is_exact: true } }),
  };
}
