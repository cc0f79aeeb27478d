import { z } from "zod";

import { fromPublicId, type IdKind } from "./id.ts";

/** A public id inside a body, given to the handler as UUID. Anything else is a mistake in the body: the answer is 422. */
export function oneId(kind: IdKind) {
  return z
    .string()
    .refine((id) => fromPublicId(kind, id) !== null, `Not an id of this kind: ${kind}`)
    .transform((id) => fromPublicId(kind, id) ?? "");
}

/** Up to a thousand of them. */
export function manyIds(kind: IdKind) {
  return z.array(oneId(kind)).min(1).max(1_000);
}
