import { z } from "zod";

import { fromPublicId, type IdKind } from "./id.ts";

/** How every list of /v1 is asked for. `cursor` is the `next_cursor` of the page before. */
export const ListQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(25),
  cursor: z.string().min(1).max(500).optional(),
  include: z
    .enum(["total_estimate"])
    .optional()
    .meta({ description: "`total_estimate`: how many there are in all. Nothing is counted unasked." }),
});
export type ListQuery = z.infer<typeof ListQuery>;

/** How many rows a list has with these filters, whatever the page. */
const TotalEstimate = z
  .object({
    value: z.number().int().nonnegative(),
    is_exact: z.boolean().meta({
      description:
        "`true`: counted, up to 10,000. `false`: there are more than would be counted cheaply, and `value` is what the database's statistics say, which can be far off.",
    }),
  })
  .meta({ description: "Only with `?include=total_estimate`." });

/** How every list of /v1 answers. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    data: z.array(item),
    next_cursor: z.string().nullable(),
    has_more: z.boolean(),
    total_estimate: TotalEstimate.optional(),
  });
}

/** A public id in a path, given to the handler as UUID. Anything else names nothing: the answer is 404. */
export function idOf(kind: IdKind) {
  return z.string().transform((id, context) => {
    const uuid = fromPublicId(kind, id);
    if (uuid !== null) return uuid;
    context.addIssue({ code: "custom", message: `Not an id of this kind: ${kind}`, params: { kind } });
    return z.NEVER;
  });
}
